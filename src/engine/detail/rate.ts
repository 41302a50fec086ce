import type { Rational } from '../types.ts';

/** Rates this close to a whole multiple are taken as one (23.976 as 3 × 8): the speed is off by less than one can see. */
const SNAP = 0.01;

/**
 * How frames at the clip's rate lie among frames at the model's rate, in whole numbers: `modelFrames` model frames last as
 * long as `clipFrames` clip frames. Both are counted from a shared frame.
 */
export interface RateMap {
  modelFrames: number;
  clipFrames: number;
}

/** Smallest whole numbers that describe the two rates. */
export function rateMap(clip: Rational, model: Rational): RateMap {
  const ratio = (clip.num * model.den) / (clip.den * model.num);
  const whole = Math.max(1, Math.round(ratio));
  if (Math.abs(ratio / whole - 1) < SNAP) return { modelFrames: 1, clipFrames: whole };
  const inverse = Math.max(1, Math.round(1 / ratio));
  if (Math.abs(ratio * inverse - 1) < SNAP) return { modelFrames: inverse, clipFrames: 1 };
  const [m, c] = [model.num * clip.den, clip.num * model.den];
  const divisor = gcd(m, c);
  return { modelFrames: m / divisor, clipFrames: c / divisor };
}

/** A place between two frames: `low + part / whole`, 0 ≤ part < whole. */
export interface Place {
  low: number;
  part: number;
  whole: number;
}

/** Where clip frame `index` lies among the model's frames. */
export function clipToModel(index: number, map: RateMap): Place {
  return divide(index * map.modelFrames, map.clipFrames);
}

/** Where model frame `index` lies among the clip's frames. */
export function modelToClip(index: number, map: RateMap): Place {
  return divide(index * map.clipFrames, map.modelFrames);
}

/** Number of model frames behind the shared frame that are needed to show clip frames 1 … count behind it. */
export function modelFramesFor(count: number, map: RateMap): number {
  return Math.ceil((count * map.modelFrames) / map.clipFrames);
}

/** Number of model frames, the shared one included, within `count` clip frames that end with the shared one. */
export function modelFramesWithin(count: number, map: RateMap): number {
  return count === 0 ? 0 : Math.floor(((count - 1) * map.modelFrames) / map.clipFrames) + 1;
}

function divide(numerator: number, whole: number): Place {
  const low = Math.floor(numerator / whole);
  return { low, part: numerator - low * whole, whole };
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
