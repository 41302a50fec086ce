import { LongtakeError } from '../types.ts';
import type { MaskPicture, RectangleKeyframe, RegionMask } from './region-request.ts';

/** @throws LongtakeError `usage` for keyframes that make no sense */
export function checkMask(mask: RegionMask): void {
  if (mask.kind !== 'rectangles') return;
  const { keyframes } = mask;
  const fail = (sentence: string): never => {
    throw new LongtakeError('usage', sentence);
  };
  if (keyframes.length === 0) fail('The region to repaint has no rectangle.');
  const frames = new Set<number>();
  for (const keyframe of keyframes) {
    const { frame, x, y, width, height } = keyframe;
    if (!Number.isSafeInteger(frame) || frame < 0)
      fail('A rectangle’s frame must be a whole number from 0 on.');
    if (![x, y, width, height].every(Number.isFinite)) fail('A rectangle must be made of numbers.');
    if (width <= 0 || height <= 0) fail('A rectangle must have a width and a height above 0.');
    if (frames.has(frame)) fail(`Frame ${frame} has two rectangles.`);
    frames.add(frame);
  }
}

/** Keyframes in the order of their frames. */
export function sortedKeyframes(keyframes: readonly RectangleKeyframe[]): RectangleKeyframe[] {
  return [...keyframes].sort((a, b) => a.frame - b.frame);
}

/**
 * @param index of the frame to repaint, from 0; for the message
 * @throws LongtakeError `input` for a mask of another size than the clip
 */
export function checkMaskPicture(
  { width, height, data }: MaskPicture,
  size: { width: number; height: number },
  index: number,
): void {
  if (width === size.width && height === size.height && data.length === width * height) return;
  throw new LongtakeError(
    'input',
    `Mask ${index + 1} is ${width} × ${height} instead of ${size.width} × ${size.height}.`,
  );
}
