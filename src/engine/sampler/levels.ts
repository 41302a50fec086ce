import { LongtakeError } from '../types.ts';
import type { ModelJson } from '../package/model-json.ts';

/** The most denoise passes a chunk may be given. */
export const MAX_STEPS = 64;

/**
 * Noise levels for a number of denoise passes: the model's own list where it has one, else the list with the most
 * levels, resampled.
 * @returns `steps + 1` levels, falling from 1 to 0
 * @throws LongtakeError `usage` when steps is not a whole number from 1 to MAX_STEPS
 */
export function levelsFor(sampler: ModelJson['sampler'], steps: number): number[] {
  if (!Number.isInteger(steps) || steps < 1 || steps > MAX_STEPS) {
    throw new LongtakeError('usage', `The number of steps must be a whole number from 1 to ${MAX_STEPS}.`);
  }
  const own = sampler.levels[String(steps)];
  if (own) return [...own];
  const longest = Object.values(sampler.levels).reduce((a, b) => (b.length > a.length ? b : a), [1, 0]);
  return Array.from({ length: steps + 1 }, (_, i) => {
    const at = (i * (longest.length - 1)) / steps;
    const low = Math.floor(at);
    const high = Math.min(low + 1, longest.length - 1);
    return longest[low]! + (longest[high]! - longest[low]!) * (at - low);
  });
}
