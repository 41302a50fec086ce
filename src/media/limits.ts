import { LongtakeError } from '../engine/types.ts';

/** Longest side of a picture that is taken, in pixels: DCI 4K. */
export const MAX_SIDE = 4096;
/** Largest picture that is taken, in pixels: 4096 × 2304. */
export const MAX_PIXELS = 4096 * 2304;
/** Shortest side of a picture that is taken: encoders do not go below 16 pixels. */
export const MIN_SIDE = 16;
/** Longest continuation of one run, in seconds. */
export const MAX_SECONDS = 300;
/** Frame rates that are taken, frames per second. */
export const MIN_RATE = 1;
export const MAX_RATE = 240;
/** Longest clip that is taken as a prefix, in frames: two hours at 60 fps. */
export const MAX_FRAMES = 432_000;

/**
 * Refuses pictures that are too large or too small. Called with the size in a file's header, before anything of that
 * size is allocated, and again with the size of the first decoded picture.
 */
export function checkPictureSize(width: number, height: number, subject: string): void {
  if (Math.max(width, height) > MAX_SIDE || width * height > MAX_PIXELS) {
    throw new LongtakeError(
      'input',
      `${subject} is ${width}×${height} pixels; Longtake takes pictures up to 4096×2304, so scale it down first.`,
    );
  }
  if (Math.min(width, height) < MIN_SIDE) {
    throw new LongtakeError(
      'input',
      `${subject} is ${width}×${height} pixels; Longtake needs at least ${MIN_SIDE}×${MIN_SIDE}.`,
    );
  }
}
