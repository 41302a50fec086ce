import type { Work } from './work.ts';

/** What a device was measured to do. */
export interface Ceilings {
  /** Best matrix product, operations a second. */
  flops: number;
  /** Device memory, bytes read plus bytes written a second. */
  bandwidth: number;
  /** Seconds from one dispatch to the next that depends on it. */
  dispatch: number;
}

export type Bound = 'arithmetic' | 'memory' | 'dispatch';

export interface Floor {
  seconds: number;
  /** Which of the three is the largest. */
  bound: Bound;
}

/** The time below which one dispatch cannot come: its arithmetic, its bytes or the dispatch itself. */
export function floorOf(work: Work, ceilings: Ceilings): Floor {
  const parts: [Bound, number][] = [
    ['arithmetic', work.flops / ceilings.flops],
    ['memory', work.bytes / ceilings.bandwidth],
    ['dispatch', ceilings.dispatch],
  ];
  const [bound, seconds] = parts.reduce((a, b) => (b[1] > a[1] ? b : a));
  return { bound, seconds };
}

/** Sum of the floors of a pass's dispatches, in seconds. */
export function passFloor(works: readonly Work[], ceilings: Ceilings): number {
  return works.reduce((sum, work) => sum + floorOf(work, ceilings).seconds, 0);
}
