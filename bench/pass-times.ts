import type { Operation } from '../src/engine/world/webgpu/operation.ts';
import type { BoundOperation } from '../src/engine/world/webgpu/plan.ts';
import { programKey } from '../src/engine/world/webgpu/program.ts';
import { median } from '../src/engine/median.ts';

/** Times lists of operations, each in one compute pass: microseconds of every list. */
export type ListTimer = (lists: readonly (readonly BoundOperation[])[]) => Promise<number[]>;

/** Lists in one submission: two timestamps each, 4,096 in the largest query set. */
const BATCH = 64;

/** Differences of which the middle counts; a pass has some twenty kernels. */
const MOST_DIFFERENCES = 32;

export interface PassTimes {
  /** The whole pass: median. */
  whole: number;
  /** What the pass takes longer with a kernel's uses than without them, by program key; all uses together. */
  shares: Map<string, number>;
}

/** Indices of operations by the program they run, in the order of their first uses. */
export function usesOf(operations: readonly Operation[]): Map<string, number[]> {
  const uses = new Map<string, number[]>();
  operations.forEach(({ program }, i) => {
    const key = programKey(program);
    uses.set(key, [...(uses.get(key) ?? []), i]);
  });
  return uses;
}

/**
 * Times a pass, and what every kernel costs in it: the pass against the pass without that kernel, taken in turns. Timed one by
 * one a kernel finds its weights, its inputs and its own code in caches; in the pass others have used them in between.
 * @param step the pass's operations
 */
export async function timePass(
  time: ListTimer,
  step: readonly BoundOperation[],
  repeats: number,
): Promise<PassTimes> {
  // The first two warm up.
  const whole = median((await time(Array.from({ length: repeats + 2 }, () => step))).slice(2));
  const shares = new Map<string, number>();
  for (const [key, uses] of usesOf(step.map(({ operation }) => operation))) {
    const gone = new Set(uses);
    const without = step.filter((_, i) => !gone.has(i));
    shares.set(key, await difference(time, step, without, Math.min(repeats, MOST_DIFFERENCES)));
  }
  return { whole, shares };
}

/** How much longer a list takes than another, in microseconds: the median of neighbours' differences. */
export async function difference(
  time: ListTimer,
  list: readonly BoundOperation[],
  other: readonly BoundOperation[],
  repeats: number,
): Promise<number> {
  const times: number[] = [];
  for (let done = 0; done < repeats; done += BATCH / 2) {
    const pairs = Math.min(BATCH / 2, repeats - done);
    times.push(...(await time(Array.from({ length: pairs }, () => [list, other]).flat())));
  }
  const differences = times.flatMap((microseconds, i) => (i % 2 ? [times[i - 1]! - microseconds] : []));
  return median(differences);
}
