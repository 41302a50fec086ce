import { type Comparison, Race } from './race.ts';
import { settle } from './settle.ts';
import type { SpanTimer } from './span-timer.ts';

export interface ComparisonLimits {
  /** Microseconds that a span must take at least. */
  span: number;
  /** Milliseconds for everything, about. */
  budget: number;
  /** Milliseconds. */
  now: () => number;
}

/**
 * Rounds: what the budget does not hold the first number for is not compared; what is gets the second even where the card has
 * become slower than it was. A card that is slow to notice work may reach its speed only in later ones, so the budget is used up.
 */
const [PLANNED_ROUNDS, LEAST_ROUNDS, MOST_ROUNDS] = [5, 3, 100];
/** A span is at least so many times what the clock is rounded to. */
const STEPS = 10;
/** The part of the default's time that a candidate must save at least. */
const LEAST_GAIN = 0.03;

/**
 * Compares candidates on a card whose clock rises and falls: it is worked until it has settled, then every candidate is timed
 * between two uses of its default, in several rounds, each in another order. What counts is the middle of the ratios to the
 * default beside it. Times of different moments are never compared.
 * @param groups candidates of one thing each, its default first; what matters most first
 * @returns by group; null where time did not suffice, or nothing can be timed
 * @throws what `time` throws
 */
export async function compareCandidates<T>(
  time: SpanTimer<T>,
  groups: readonly (readonly T[])[],
  limits: ComparisonLimits,
): Promise<(Comparison | null)[]> {
  const [first] = groups;
  if (!first) return [];
  const end = limits.now() + limits.budget;
  const step = await settle(time, first[0]!);
  if (step === null) return groups.map(() => null);
  const span = Math.max(limits.span, STEPS * step);
  const races: Race<T>[] = [];
  for (const candidates of groups) {
    if (races.length > 0 && limits.now() > end) break;
    const race = new Race(candidates, span);
    const [times] = await time([race.spans(0)]);
    race.take(times!);
    races.push(race);
  }
  // Those with most work for which the rest of the time holds rounds enough.
  const affordable = (1000 * (end - limits.now())) / PLANNED_ROUNDS;
  let cost = 0;
  const compared = races.filter((race, i) => (cost += race.cost) <= affordable || i === 0);
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    if (round > LEAST_ROUNDS && limits.now() > end) break;
    const times = await time(compared.map((race) => race.spans(round)));
    compared.forEach((race, i) => race.take(times[i]!));
  }
  return groups.map((_, i) => compared[i]?.comparison() ?? null);
}

/**
 * The fastest of the candidates that beat the default by more than noise.
 * @returns its place among the standings; null where the default stays
 */
export function fastestOf({ standings }: Comparison): number | null {
  let best: number | null = null;
  standings.forEach(({ ratio, noise }, i) => {
    const faster = ratio < 1 - Math.max(LEAST_GAIN, noise);
    if (faster && (best === null || ratio < standings[best]!.ratio)) best = i;
  });
  return best;
}
