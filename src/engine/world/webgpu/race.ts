import { median } from '../../median.ts';
import { usesFor } from './settle.ts';
import type { Span } from './span-timer.ts';

/** How the candidates of one thing do against its default. */
export interface Comparison {
  /** Microseconds of a use of the default at the highest speed that the card had for a whole round. */
  microseconds: number;
  /** Of every candidate but the default, in the order in which they were given. */
  standings: Standing[];
}

/** A candidate's time as a share of the default's at the same moments. */
export interface Standing {
  /** The middle of several; not a number where too few could be measured. */
  ratio: number;
  /** How far the single ones are from it, in the middle. */
  noise: number;
}

/** A span that lasted less than this share of what it should says nothing: the card's speed rose since the last one. */
const LEAST_SPAN = 0.25;
/** How different the default's times before and after a candidate may be; else the card's speed changed there. */
const STEADY = 1.1;
/** A default that takes no more than this many times its shortest time runs at the card's full speed. */
const FULL_SPEED = 1.15;
/** Ratios without which a candidate is not judged. */
const LEAST_RATIOS = 3;

/** One round's time of a candidate, and of its default around it; microseconds a use. */
interface Lap {
  candidate: number;
  own: number;
  beside: number;
}

/**
 * Times of the candidates of one thing, round after round. Every candidate is timed between two spans of the default, so that
 * a change of the card's speed shows.
 */
export class Race<T> {
  readonly #candidates: readonly T[];
  readonly #span: number;
  /** Of every candidate: uses in its next span, and microseconds of a use when it was last timed. */
  readonly #uses: number[];
  readonly #each: number[];
  readonly #laps: Lap[] = [];
  /** What a use of the default took in every round. */
  readonly #defaults: number[] = [];
  /** Which candidates the spans of the round under way are of. */
  #order: number[] = [];

  /** @param candidates the default first @param span microseconds that a span should take at least */
  constructor(candidates: readonly T[], span: number) {
    this.#candidates = candidates;
    this.#span = span;
    this.#uses = candidates.map(() => 1);
    this.#each = candidates.map(() => 0);
  }

  /** Microseconds that a round takes, going by the last one. */
  get cost(): number {
    return this.#order.reduce((sum, candidate) => sum + Math.max(this.#span, this.#each[candidate]!), 0);
  }

  /**
   * What to time in a round. Every one goes in another order than the one before, so that a regular change of speed hits
   * others each time.
   */
  spans(round: number): Span<T>[] {
    const others = this.#candidates.map((_, i) => i).slice(1);
    others.push(...others.splice(0, (round >> 1) % Math.max(1, others.length)));
    if (round % 2) others.reverse();
    this.#order = [0, ...others.flatMap((candidate) => [candidate, 0])];
    return this.#order.map((i) => ({ candidate: this.#candidates[i]!, uses: this.#uses[i]! }));
  }

  /** @param times of the spans of the round, in microseconds */
  take(times: readonly number[]): void {
    const order = this.#order;
    const each = times.map((microseconds, at) =>
      microseconds >= LEAST_SPAN * this.#span ? microseconds / this.#uses[order[at]!]! : NaN,
    );
    for (let at = 1; at + 1 < order.length; at += 2) {
      const [before, own, after] = [each[at - 1]!, each[at]!, each[at + 1]!];
      // Not so where one of them is not a number.
      const steady = before <= STEADY * after && after <= STEADY * before && own > 0;
      if (steady) this.#laps.push({ candidate: order[at]!, own, beside: (before + after) / 2 });
    }
    const defaults = each.filter((one, at) => order[at] === 0 && one > 0);
    if (defaults.length > 0) this.#defaults.push(median(defaults));
    this.#candidates.forEach((_, i) => {
      const own = median(times.filter((_time, at) => order[at] === i));
      this.#each[i] = own / this.#uses[i]!;
      this.#uses[i] = usesFor(this.#span, this.#uses[i]!, own);
    });
  }

  /** What the rounds so far say. */
  comparison(): Comparison {
    const fastest = Math.min(...this.#laps.map(({ beside }) => beside));
    const standings = this.#candidates.slice(1).map((_, i): Standing => {
      const laps = this.#laps.filter(({ candidate }) => candidate === i + 1);
      // A low clock favours other tiles than a high one, because memory has its own.
      const fast = laps.filter(({ beside }) => beside <= FULL_SPEED * fastest);
      const counted = fast.length >= LEAST_RATIOS ? fast : laps;
      if (counted.length < LEAST_RATIOS) return { ratio: NaN, noise: NaN };
      const ratios = counted.map(({ own, beside }) => own / beside);
      const ratio = median(ratios);
      return { ratio, noise: median(ratios.map((one) => Math.abs(one - ratio))) };
    });
    return { microseconds: Math.min(...this.#defaults), standings };
  }
}
