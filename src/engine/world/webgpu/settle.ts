import type { SpanTimer } from './span-timer.ts';

/** Microseconds of work in one measurement: long against the pause before it. */
const MEASUREMENT = 4000;
/**
 * Microseconds of work after which a card may count as settled, and after which it is taken as it is. The first is more than
 * drivers need to notice work: after 30 ms an H100 still ran at a fifth of its speed.
 */
const [LEAST_WORK, MOST_WORK] = [100_000, 300_000];
/** Measurements that must agree, and how much longer than the shortest of all they may be. */
const [AGREEING, TOLERANCE] = [3, 1.05];
/** However little they are said to take. */
const [MOST_MEASUREMENTS, MOST_USES] = [200, 4096];
/** Microseconds that browsers round timestamps to, at most. */
const COARSEST = 100;

/**
 * How many uses to time next so that they take at least `length` microseconds.
 * @param uses how many were timed @param microseconds what they took together; 0 where that was too short to be seen
 */
export function usesFor(length: number, uses: number, microseconds: number): number {
  const wanted = microseconds > 0 ? Math.ceil((length * uses) / microseconds) : 2 * uses;
  return Math.min(MOST_USES, Math.max(1, wanted));
}

/**
 * Works a card that was idle until its speed no longer rises: at least 0.1 s and at most about 0.3 s.
 * @param candidate what it works on
 * @returns microseconds that all measured times are multiples of: what timestamps are rounded to; null where the device's
 * clock stands still
 */
export async function settle<T>(time: SpanTimer<T>, candidate: T): Promise<number | null> {
  const each: number[] = [];
  let [worked, uses, step] = [0, 1, 0];
  while (each.length < MOST_MEASUREMENTS && worked < MOST_WORK) {
    const [[microseconds = 0] = []] = await time([[{ candidate, uses }]]);
    if (uses === MOST_USES && microseconds <= 0) return null;
    worked += microseconds;
    each.push(microseconds / uses);
    step = commonStep(step, Math.round(1000 * microseconds));
    if (worked >= LEAST_WORK && isEven(each)) break;
    uses = usesFor(MEASUREMENT, uses, microseconds);
  }
  return Math.min(COARSEST, step / 1000);
}

/** Whether the last times are close to the shortest. */
function isEven(times: readonly number[]): boolean {
  const most = TOLERANCE * Math.min(...times.filter((one) => one > 0));
  return times.length >= AGREEING && times.slice(-AGREEING).every((one) => one <= most);
}

/** The largest number that two whole ones are multiples of. */
function commonStep(a: number, b: number): number {
  return b === 0 ? a : commonStep(b, a % b);
}
