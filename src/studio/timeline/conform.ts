import type { Rational } from '../../engine/types.ts';
import type { Clip, MediaItem } from './project.ts';

/**
 * The media frame shown at conformed frame `index`: the one on screen at the middle of that project frame.
 * @param index frame of the media at the project's rate, from 0
 * @returns frame of the media at its own rate
 */
export function sourceFrame(index: number, mediaRate: Rational, projectRate: Rational): number {
  const up = BigInt(mediaRate.num) * BigInt(projectRate.den);
  const down = BigInt(mediaRate.den) * BigInt(projectRate.num);
  return Number((BigInt(2 * index + 1) * up) / (2n * down));
}

/** How many project frames a media file fills, at least 1. */
export function conformedLength(frameCount: number, mediaRate: Rational, projectRate: Rational): number {
  const up = BigInt(projectRate.num) * BigInt(mediaRate.den);
  const down = BigInt(projectRate.den) * BigInt(mediaRate.num);
  // Half a frame of tolerance either way: the last project frame counts when its middle is still inside the media.
  const length = Number((2n * BigInt(frameCount) * up + down) / (2n * down));
  return Math.max(1, length);
}

/** The fewest frames of a file, at its own rate, that fill a number of project frames. */
export function framesToFill(length: number, mediaRate: Rational, projectRate: Rational): number {
  let frames = Math.max(1, sourceFrame(length - 1, mediaRate, projectRate));
  while (conformedLength(frames, mediaRate, projectRate) < length) frames += 1;
  return frames;
}

/** Frames of the media, at its own rate, that a clip covers. */
export function sourceRange(
  clip: Clip,
  media: MediaItem,
  projectRate: Rational,
): { startFrame: number; frameCount: number } {
  const last = media.frameCount - 1;
  const first = Math.min(last, sourceFrame(clip.in, media.rate, projectRate));
  const end = Math.min(last, sourceFrame(clip.out - 1, media.rate, projectRate));
  return { startFrame: first, frameCount: end - first + 1 };
}

/** The media frame that a clip shows at a timeline frame, which must lie inside the clip. */
export function frameOfClip(clip: Clip, media: MediaItem, projectRate: Rational, frame: number): number {
  const index = clip.in + frame - clip.start;
  return Math.min(media.frameCount - 1, sourceFrame(index, media.rate, projectRate));
}
