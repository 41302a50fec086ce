import { psnr, ssim } from './metrics.ts';
import type { Picture } from './picture.ts';

/** How near some frames are to the true ones, frame by frame in order of distance. */
export interface FrameScores {
  /** dB, at most 100. */
  psnr: number[];
  ssim: number[];
  /** dB over the pixels of the hole alone; region only. */
  holePsnr?: number[];
}

/** Means over all frames of all clips. */
export interface Figures {
  psnr: number;
  ssim: number;
  holePsnr?: number;
}

/** Means over the clips and over a range of distances. */
export interface CurvePoint extends Figures {
  /** Distances from the last given frame, first and last of the range, from 1. */
  from: number;
  to: number;
  /** PSNR of the last given frame held. */
  freezePsnr: number;
}

/** Points of a curve. */
const BINS = 10;

/**
 * @param holes pixels of the hole of each frame, [height, width]; null where whole frames were made
 */
export function scoreFrames(
  made: readonly Picture[],
  truth: readonly Picture[],
  holes: readonly Uint8Array[] | null,
): FrameScores {
  return {
    psnr: made.map((picture, index) => psnr(picture, truth[index]!)),
    ssim: made.map((picture, index) => ssim(picture, truth[index]!)),
    ...(holes && { holePsnr: made.map((picture, index) => psnr(picture, truth[index]!, holes[index])) }),
  };
}

/** Means over all frames of all clips, within a range of distances (indices from 0, the end excluded). */
export function meanFigures(clips: readonly FrameScores[], start = 0, end?: number): Figures {
  const over = (pick: (scores: FrameScores) => number[]): number =>
    mean(clips.flatMap((scores) => pick(scores).slice(start, end)));
  return {
    psnr: over((scores) => scores.psnr),
    ssim: over((scores) => scores.ssim),
    ...(clips[0]?.holePsnr && { holePsnr: over((scores) => scores.holePsnr!) }),
  };
}

/** Means in ten ranges of distance, fewer where there are fewer frames. */
export function curveOf(clips: readonly FrameScores[], frozen: readonly FrameScores[]): CurvePoint[] {
  const frames = clips[0]?.psnr.length ?? 0;
  return ranges(frames).map(([start, end]) => ({
    from: start + 1,
    to: end,
    ...meanFigures(clips, start, end),
    freezePsnr: meanFigures(frozen, start, end).psnr,
  }));
}

/** `count` things in at most ten ranges of nearly equal length, ends excluded. */
export function ranges(count: number): [number, number][] {
  const bins = Math.min(BINS, count);
  return Array.from({ length: bins }, (_, bin) => [
    Math.floor((bin * count) / bins),
    Math.floor(((bin + 1) * count) / bins),
  ]);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
