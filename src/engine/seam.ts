import type { SeamFigures } from './tasks/extend-request.ts';
import type { RgbaFrame } from './types.ts';

/** PSNR of two equal pictures, so that figures stay finite. */
const SAME_PICTURE_DB = 100;

/** The step from one frame to its neighbour: PSNR in dB (at most 100) and distance of the mean colours, 0…255 a channel. */
export interface FrameStep {
  psnr: number;
  colourStep: number;
}

/** Compares two frames of one size; alpha is ignored. */
export function frameStep(a: RgbaFrame, b: RgbaFrame): FrameStep {
  const [x, y] = [a.data, b.data];
  let squares = 0;
  let [r, g, blue] = [0, 0, 0];
  for (let i = 0; i < x.length; i += 4) {
    const dr = x[i]! - y[i]!;
    const dg = x[i + 1]! - y[i + 1]!;
    const db = x[i + 2]! - y[i + 2]!;
    squares += dr * dr + dg * dg + db * db;
    r += dr;
    g += dg;
    blue += db;
  }
  const pixels = x.length / 4;
  const meanSquare = squares / (pixels * 3);
  const psnr = meanSquare === 0 ? SAME_PICTURE_DB : 10 * Math.log10(65025 / meanSquare);
  return { psnr: Math.min(SAME_PICTURE_DB, psnr), colourStep: Math.hypot(r, g, blue) / pixels };
}

/** Fine detail of a picture: mean absolute Laplacian of the green channel (most of luma), inner pixels, levels of 255. */
export function detailOf(frame: RgbaFrame): number {
  const { width, height, data } = frame;
  if (width < 3 || height < 3) return 0;
  const row = width * 4;
  let sum = 0;
  for (let y = 1; y < height - 1; y++)
    for (let x = 1; x < width - 1; x++) {
      const i = y * row + x * 4 + 1;
      sum += Math.abs(4 * data[i]! - data[i - 4]! - data[i + 4]! - data[i - row]! - data[i + row]!);
    }
  return sum / ((width - 2) * (height - 2));
}

/** Detail of a new frame over that of the clip's frame beside it; 1 where the clip's frame has none to lose. */
function detailRatio(clip: RgbaFrame, made: RgbaFrame): number {
  const own = detailOf(clip);
  return own === 0 ? 1 : detailOf(made) / own;
}

/**
 * Figures of a cut against the neighbouring steps within the prefix.
 * @param clip the clip's frame at the cut; @param made the new frame beside it, of the same size
 * @param within steps between the prefix's last frames; with none (a prefix of one frame) the figures within are those of the cut
 */
export function seamFigures(within: readonly FrameStep[], clip: RgbaFrame, made: RgbaFrame): SeamFigures {
  const across = frameStep(clip, made);
  const steps = within.length === 0 ? [across] : within;
  const mean = (pick: (step: FrameStep) => number): number =>
    steps.reduce((sum, step) => sum + pick(step), 0) / steps.length;
  return {
    psnrAcrossCut: across.psnr,
    psnrWithinPrefix: mean((step) => step.psnr),
    psnrRoughestStep: Math.min(...steps.map((step) => step.psnr)),
    colourStepAcrossCut: across.colourStep,
    colourStepWithinPrefix: mean((step) => step.colourStep),
    colourStepRoughest: Math.max(...steps.map((step) => step.colourStep)),
    detailRatio: detailRatio(clip, made),
  };
}
