import { LongtakeError } from '../engine/types.ts';
import type { RectangleKeyframe } from '../engine/tasks/region-request.ts';

/** Frames of a clip, counted from 0. */
export interface FrameSpan {
  start: number;
  count: number;
}

function usage(sentence: string): LongtakeError {
  return new LongtakeError('usage', sentence);
}

/** Reads `START:COUNT`. @throws LongtakeError 'usage' */
export function parseGap(text: string): FrameSpan {
  const match = /^(\d{1,7}):(\d{1,7})$/.exec(text);
  if (match === null || Number(match[2]) === 0) {
    throw usage(`--gap must look like 48:10, the first missing frame and their number, not “${text}”.`);
  }
  return { start: Number(match[1]), count: Number(match[2]) };
}

/** Reads `A:B`, first and last frame. @throws LongtakeError 'usage' */
export function parseFrames(text: string): FrameSpan {
  const match = /^(\d{1,7}):(\d{1,7})$/.exec(text);
  if (match === null || Number(match[2]) < Number(match[1])) {
    throw usage(`--frames must look like 24:71, the first and the last frame, not “${text}”.`);
  }
  return { start: Number(match[1]), count: Number(match[2]) - Number(match[1]) + 1 };
}

/** A rectangle as it was typed; frame null = none was named. */
export type TypedRectangle = Omit<RectangleKeyframe, 'frame'> & { frame: number | null };

/** Reads `X,Y,W,H` or `X,Y,W,H@FRAME`. @throws LongtakeError 'usage' */
export function parseRectangle(text: string): TypedRectangle {
  const match = /^(\d{1,5}),(\d{1,5}),(\d{1,5}),(\d{1,5})(?:@(\d{1,7}))?$/.exec(text);
  const [x, y, width, height] = (match?.slice(1, 5) ?? []).map(Number);
  if (match === null || width === 0 || height === 0) {
    throw usage(
      `--region must look like 40,60,128,96 or 40,60,128,96@24 (x, y, width, height, frame), not “${text}”.`,
    );
  }
  return {
    x: x!,
    y: y!,
    width: width!,
    height: height!,
    frame: match[5] === undefined ? null : Number(match[5]),
  };
}

/**
 * Rectangles as keyframes of the part, counted from its first frame.
 * @throws LongtakeError 'usage' for a rectangle outside the picture or the part, or one of several without a frame
 */
export function keyframesOf(
  rectangles: readonly TypedRectangle[],
  part: FrameSpan,
  size: { width: number; height: number },
): RectangleKeyframe[] {
  const last = part.start + part.count - 1;
  return rectangles.map(({ frame, ...rectangle }) => {
    if (rectangle.x >= size.width || rectangle.y >= size.height) {
      throw usage(`The region lies outside the picture of ${size.width}×${size.height} pixels.`);
    }
    if (frame === null && rectangles.length > 1) {
      throw usage('Of several regions each must name its frame, such as 40,60,128,96@24.');
    }
    const at = frame ?? part.start;
    if (at < part.start || at > last) {
      throw usage(`The region at frame ${at} lies outside the frames ${part.start} to ${last}.`);
    }
    return { ...rectangle, frame: at - part.start };
  });
}

/** @throws LongtakeError 'usage' for a part that the clip does not have */
export function checkSpan({ start, count }: FrameSpan, frameCount: number): void {
  if (start + count <= frameCount) return;
  throw usage(
    `The clip has ${frameCount} frames, 0 to ${frameCount - 1}; frame ${start + count - 1} is not among them.`,
  );
}
