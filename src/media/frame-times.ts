import { LongtakeError, type Rational } from '../engine/types.ts';
import { MAX_FRAMES, MAX_RATE, MIN_RATE } from './limits.ts';
import { frameStart, rateToNumber, rationalRate, reduced, sameRate } from './rational.ts';

/** A clip's frames put on a lattice: frame i is shown from `start + i/rate` on. */
export interface FrameLattice {
  rate: Rational;
  frameCount: number;
  /** Time stamp of the first frame shown, seconds; not 0 for transport streams and after trims. */
  start: number;
  /** True when the file's own times do not lie on one lattice and the clip was conformed to a constant rate. */
  conformed: boolean;
}

/** Rates that cameras and editors use; a variable rate is conformed to one of these. */
const COMMON_RATES: Rational[] = [
  ...[24, 30, 60].map((n) => ({ num: n * 1000, den: 1001 })),
  ...[5, 6, 8, 10, 12, 12.5, 15, 16, 18, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120, 240].map((n) =>
    rationalRate(n),
  ),
];

/** Rate given to a single picture, which has none of its own. */
const STILL_RATE: Rational = { num: 24, den: 1 };

/**
 * Finds the constant rate behind a clip's time stamps.
 *
 * Constant: every stamp lies within one tick of the container of `start + i/rate`. Jitter: every stamp lies nearer to its
 * place on the lattice of a common rate than to a neighbour's; every frame is kept. Anything else (frames left out, a rate
 * that changes) is conformed: the rate is the common one nearest to the usual step, the clip keeps its length, and every
 * frame shows what was on screen at its centre.
 *
 * @param stamps time stamps in seconds, ascending
 * @param lastDuration seconds the last frame is shown; 0 where the file does not say
 * @param resolution ticks a second of the container
 */
export function findLattice(stamps: Float64Array, lastDuration: number, resolution: number): FrameLattice {
  const shown = dropHidden(stamps);
  const start = shown[0]!;
  if (shown.length === 1) return { rate: stillRate(lastDuration), frameCount: 1, start, conformed: false };

  const span = shown[shown.length - 1]! - start;
  if (span <= 0) {
    throw new LongtakeError('input', 'All frames of this video have the same time, so it can not be played.');
  }
  const tick = 1 / resolution;
  const constant = constantRate(shown, span, tick);
  if (constant !== null) {
    checkRate(rateToNumber(constant));
    return { rate: constant, frameCount: shown.length, start, conformed: false };
  }

  const step = Math.max(usualStep(shown), tick);
  const rate = nearestCommonRate(1 / step);
  const even = evenLattice(shown, (shown.length - 1) / span);
  if (even !== null) return { ...even, frameCount: shown.length, conformed: false };

  const length = span + (lastDuration > 0 ? lastDuration : step);
  const frameCount = Math.max(1, Math.round(length * rateToNumber(rate)));
  if (frameCount > MAX_FRAMES) {
    throw new LongtakeError(
      'input',
      'This video is longer than Longtake takes (two hours at 60 fps); cut it first.',
    );
  }
  return { rate, frameCount, start, conformed: true };
}

/** Mean of the middle half of the steps between stamps: neither a pause nor a doubled frame moves it. */
function usualStep(stamps: Float64Array): number {
  const steps = Float64Array.from(
    { length: stamps.length - 1 },
    (_, i) => stamps[i + 1]! - stamps[i]!,
  ).sort();
  const middle = steps.subarray(Math.floor(steps.length / 4), Math.ceil((steps.length * 3) / 4));
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}

/** The common rate, and the start of its lattice, for which each stamp is nearest to its own place; null if there is none. */
function evenLattice(stamps: Float64Array, mean: number): { start: number; rate: Rational } | null {
  let best: { start: number; rate: Rational; spread: number } | null = null;
  for (const rate of COMMON_RATES) {
    if (Math.abs(rateToNumber(rate) / mean - 1) > 0.2) continue;
    let [least, most] = [Infinity, -Infinity];
    for (let i = 0; i < stamps.length; i++) {
      const offset = stamps[i]! - frameStart(i, rate);
      least = Math.min(least, offset);
      most = Math.max(most, offset);
    }
    const spread = most - least;
    if (spread < 0.9 * frameStart(1, rate) && (best === null || spread < best.spread)) {
      best = { start: (least + most) / 2, rate, spread };
    }
  }
  return best === null ? null : { start: best.start, rate: best.rate };
}

/** Edit lists leave frames with negative times in the file that must not be shown (reference: trims without re-encoding). */
function dropHidden(stamps: Float64Array): Float64Array {
  let first = 0;
  const step = stamps.length > 1 ? (stamps[stamps.length - 1]! - stamps[0]!) / (stamps.length - 1) : 0;
  while (first < stamps.length - 1 && stamps[first]! < -step / 2) first++;
  return stamps.subarray(first);
}

/** The best rate on whose lattice all stamps lie, or null. */
function constantRate(stamps: Float64Array, span: number, tick: number): Rational | null {
  const mean = (stamps.length - 1) / span;
  const tolerance = Math.max(1.01 * tick, 1e-6);
  let best: { rate: Rational; error: number } | null = null;
  for (const rate of candidates(mean, span, tick)) {
    let [sum, worst] = [0, 0];
    for (let i = 0; i < stamps.length; i++) {
      const error = Math.abs(stamps[i]! - stamps[0]! - frameStart(i, rate));
      sum += error * error;
      worst = Math.max(worst, error);
    }
    // Candidates come simplest first: a later one must fit clearly better.
    if (worst <= tolerance && (best === null || sum < 0.8 * best.error - 1e-18)) best = { rate, error: sum };
  }
  return best === null ? null : best.rate;
}

/** Rates within what the stamps can tell apart, simplest first. */
function candidates(mean: number, span: number, tick: number): Rational[] {
  const blur = Math.max(1e-6, (2 * tick) / span);
  const list: Rational[] = [];
  const add = (rate: Rational): void => {
    if (rate.num > 0 && !list.some((other) => sameRate(other, rate))) list.push(rate);
  };
  const whole = Math.round(mean);
  if (whole > 0 && Math.abs(mean / whole - 1) <= blur) add({ num: whole, den: 1 });
  const ntsc = Math.round(mean * 1.001);
  if (ntsc > 0 && Math.abs((mean * 1.001) / ntsc - 1) <= blur) add(reduced(ntsc * 1000, 1001));
  const ticks = Math.round(1 / (mean * tick));
  const perSecond = Math.round(1 / tick);
  if (ticks > 0 && Math.abs(perSecond / ticks / mean - 1) <= 1e-6) add(reduced(perSecond, ticks));
  add(rationalRate(mean));
  return list;
}

function nearestCommonRate(fps: number): Rational {
  const distance = (rate: Rational): number => Math.abs(Math.log(rateToNumber(rate) / fps));
  return COMMON_RATES.reduce((best, rate) => (distance(rate) < distance(best) ? rate : best));
}

function stillRate(duration: number): Rational {
  const fps = 1 / duration;
  return Number.isFinite(fps) && fps >= MIN_RATE && fps <= MAX_RATE ? rationalRate(fps) : STILL_RATE;
}

function checkRate(fps: number): void {
  if (fps < MIN_RATE || fps > MAX_RATE) {
    throw new LongtakeError(
      'input',
      `This video has ${Number(fps.toPrecision(3))} frames a second; Longtake takes ${MIN_RATE} to ${MAX_RATE}.`,
    );
  }
}
