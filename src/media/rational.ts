import { LongtakeError, type Rational } from '../engine/types.ts';

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** A fraction in lowest terms. Both parts must be positive integers. */
export function reduced(num: number, den: number): Rational {
  const divisor = greatestCommonDivisor(num, den);
  return { num: num / divisor, den: den / divisor };
}

/** Seconds from the clip's first frame to the start of frame `index`. */
export function frameStart(index: number, rate: Rational): number {
  return (index * rate.den) / rate.num;
}

/**
 * Seconds from the clip's first frame to the middle of frame `index`. Frames are asked for at their centres: containers
 * round time stamps (WebM to 1 ms), so a question at a frame's start can be answered with the frame before.
 */
export function frameCentre(index: number, rate: Rational): number {
  return ((2 * index + 1) * rate.den) / (2 * rate.num);
}

/** Number of frames that `seconds` last at `rate`, at least 1. */
export function framesIn(seconds: number, rate: Rational): number {
  return Math.max(1, Math.round((seconds * rate.num) / rate.den));
}

export function rateToNumber(rate: Rational): number {
  return rate.num / rate.den;
}

export function sameRate(a: Rational, b: Rational): boolean {
  return a.num * b.den === b.num * a.den;
}

/** `24`, `30000/1001`: the exact form, for machines. */
export function rateToText(rate: Rational): string {
  return rate.den === 1 ? `${rate.num}` : `${rate.num}/${rate.den}`;
}

/** `24 fps`, `23.976 fps`: for people. */
export function rateForPeople(rate: Rational): string {
  return `${Number(rateToNumber(rate).toFixed(3))} fps`;
}

/**
 * The fraction an editor means by a frame rate given as a float: whole numbers, NTSC rates (23.976, 23.98 and 29.97 mean
 * n·1000/1001), otherwise the simplest fraction within one part in 100 000.
 * @param fps frames per second, positive and finite
 */
export function rationalRate(fps: number): Rational {
  const whole = Math.round(fps);
  if (whole > 0 && Math.abs(fps - whole) <= fps * 1e-5) return { num: whole, den: 1 };
  const ntsc = Math.round(fps * 1.001);
  // Programs write 23.976, 23.98 and 23.98 also as 23.97: two decimals are all that can be relied on. Only rates
  // that NTSC material has are read this way.
  if ([24, 30, 48, 60, 120].includes(ntsc) && Math.abs(fps - ntsc / 1.001) < 0.0065) {
    return { num: ntsc * 1000, den: 1001 };
  }
  return simplestFraction(fps, 1e-5);
}

/** Simplest fraction within a relative tolerance of a positive number, by continued fractions. */
function simplestFraction(value: number, tolerance: number): Rational {
  let [numBefore, num] = [1, Math.floor(value)];
  let [denBefore, den] = [0, 1];
  let rest = value - Math.floor(value);
  while (Math.abs(num / den - value) > value * tolerance && den < 1e6) {
    const inverse = 1 / rest;
    const term = Math.floor(inverse);
    rest = inverse - term;
    [numBefore, num] = [num, term * num + numBefore];
    [denBefore, den] = [den, term * den + denBefore];
  }
  return reduced(Math.max(1, num), den);
}

/** Reads `24`, `23.976`, `30000/1001`. Rates outside 1…240 frames a second are refused. */
export function parseRate(text: string): Rational {
  const fraction = /^(\d{1,7})\/(\d{1,7})$/.exec(text);
  const decimal = /^\d{1,4}(\.\d{1,6})?$/.test(text);
  let rate: Rational | null = null;
  if (fraction !== null && Number(fraction[1]) > 0 && Number(fraction[2]) > 0) {
    rate = reduced(Number(fraction[1]), Number(fraction[2]));
  } else if (decimal && Number(text) > 0) {
    rate = rationalRate(Number(text));
  }
  if (rate === null || rateToNumber(rate) < 1 || rateToNumber(rate) > 240) {
    throw new LongtakeError(
      'usage',
      `“${text}” is no frame rate: give frames per second between 1 and 240, such as 24, 23.976 or 30000/1001.`,
    );
  }
  return rate;
}
