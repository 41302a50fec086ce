/** Median of one or more numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Largest minus smallest, as a share of the median: what differences between runs are noise. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/** Wall time of each of `count` calls, in milliseconds; `warmUp` calls go before and are not counted. */
export async function wallTimes(
  count: number,
  warmUp: number,
  call: (index: number) => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < warmUp + count; i++) {
    const start = performance.now();
    await call(i);
    if (i >= warmUp) times.push(performance.now() - start);
  }
  return times;
}
