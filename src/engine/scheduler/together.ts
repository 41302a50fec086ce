import { MOST_ROLLOUTS } from '../world/webgpu/launch.ts';

/** Rollouts to have under way at most: one pass takes no more, so others would take turns with it and cost memory. */
export const MOST_TOGETHER = MOST_ROLLOUTS;

/** Whether several rollouts at the same time cost a backend little more than one: on a graphics device they share passes. */
export function sharesPasses(backend: string): boolean {
  return backend === 'webgpu';
}

/**
 * What each further rollout at the same time adds on a graphics device, in parts of the first alone, until it was measured
 * there. Large devices take far less, small ones nearly all of it: an estimate should rather be kept than broken.
 */
const UNMEASURED = 0.7;

/** How far the latest measurement is leant on. */
const LATEST = 0.6;

/**
 * How many times as long as one alone several rollouts at the same time take.
 * @param added what each further one adds, in parts of one; left out where that was not measured
 */
export function timesOne(count: number, added = UNMEASURED): number {
  return 1 + added * (count - 1);
}

/**
 * What each further rollout adds, from a set made at the same time.
 * @param took time of the whole set over the time of one alone
 * @param before what was measured before
 * @returns 0 … 1; what takes longer than one after another is a disturbance
 */
export function addedByEach(count: number, took: number, before?: number): number {
  const added = Math.min(1, Math.max(0, (took - 1) / (count - 1)));
  return before === undefined ? added : (1 - LATEST) * before + LATEST * added;
}
