import { median } from '../src/engine/median.ts';

/** Largest minus smallest, as a share of the median: what differences between runs are noise. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/** Processors and graphics cards raise their clocks, and engines compile, in the first moments of work. */
const WARM_UP_MS = 300;

/**
 * Wall time of each of `count` calls, in milliseconds. At least `warmUp` calls, and as many as 0.3 s hold, go before and
 * are not counted.
 */
export async function wallTimes(
  count: number,
  warmUp: number,
  call: (index: number) => Promise<unknown>,
): Promise<number[]> {
  let index = 0;
  const begin = performance.now();
  while (index < warmUp || performance.now() - begin < WARM_UP_MS) await call(index++);
  const times: number[] = [];
  while (times.length < count) {
    const start = performance.now();
    await call(index++);
    times.push(performance.now() - start);
  }
  return times;
}
