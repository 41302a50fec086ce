import type { Rational } from '../../engine/types.ts';

/** Whole frames in a timecode second: 24 for 23.976, 30 for 29.97. */
export function nominalRate(rate: Rational): number {
  return Math.max(1, Math.round(rate.num / rate.den));
}

/** `MM:SS:FF`, with hours in front where needed. Non-drop: it counts frames, as editors need it for exact work. */
export function timecode(frame: number, rate: Rational): string {
  const fps = nominalRate(rate);
  const whole = Math.max(0, Math.round(frame));
  const seconds = Math.floor(whole / fps);
  const two = (n: number) => String(n).padStart(2, '0');
  const tail = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}:${two(whole % fps)}`;
  return seconds >= 3600 ? `${Math.floor(seconds / 3600)}:${tail}` : tail;
}

/** A rate as editors read it: `24`, `23.976`, `29.97`. */
export function rateLabel(rate: Rational): string {
  return String(Number((rate.num / rate.den).toFixed(3)));
}

/**
 * Distance of the ruler's labelled marks, in frames: the smallest "round" step that leaves `minimum` pixels between them.
 * @param pixelsPerFrame zoom
 */
export function rulerStep(pixelsPerFrame: number, rate: Rational, minimum = 90): number {
  const fps = nominalRate(rate);
  // Whole seconds must be among the marks.
  const parts = [1, 2, 4, 5, 6, 10, 12].filter((n) => n < fps && fps % n === 0);
  const seconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
  const steps = [...parts, ...seconds.map((s) => s * fps)];
  return steps.find((step) => step * pixelsPerFrame >= minimum) ?? steps[steps.length - 1]!;
}
