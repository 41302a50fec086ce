import type { Picture } from './picture.ts';

/** PSNR of equal pictures, so that means stay finite; training/longtake_training/metrics.py has the same limit. */
export const BEST_PSNR = 100;

/** The window of structural similarity: 11 × 11, as Wang et al. 2004. */
export const SSIM_WINDOW = 11;
const RADIUS = (SSIM_WINDOW - 1) / 2;
const SIGMA = 1.5;

/**
 * Peak signal-to-noise ratio of 8-bit RGB pictures in dB, at most BEST_PSNR.
 * @param where counts the pixels with 1 only; [height, width]
 */
export function psnr(a: Picture, b: Picture, where?: Uint8Array): number {
  let squares = 0;
  let count = 0;
  for (let at = 0; at < a.rgb.length; at++) {
    if (where && where[Math.floor(at / 3)] === 0) continue;
    const difference = a.rgb[at]! - b.rgb[at]!;
    squares += difference * difference;
    count++;
  }
  if (squares === 0) return BEST_PSNR;
  return Math.min(BEST_PSNR, 10 * Math.log10((255 * 255 * count) / squares));
}

const WINDOW = gaussianWindow();

function gaussianWindow(): Float64Array {
  const weights = Float64Array.from({ length: SSIM_WINDOW }, (_, i) =>
    Math.exp(-((i - RADIUS) ** 2) / (2 * SIGMA * SIGMA)),
  );
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * Structural similarity of 8-bit RGB pictures: Gaussian window of 11 × 11, sigma 1.5, data range 1 for values 0…1,
 * population variances, windows that lie whole in the picture, mean over channels. The same as scikit-image's
 * `structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1, channel_axis=2)`.
 * Both sides must be at least 11 pixels.
 */
export function ssim(a: Picture, b: Picture): number {
  const { width, height } = a;
  const pixels = width * height;
  const [c1, c2] = [0.01 ** 2, 0.03 ** 2];
  let sum = 0;
  let count = 0;
  const planes = Array.from({ length: 5 }, () => new Float64Array(pixels));
  const [x, y, xx, yy, xy] = planes as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  for (let channel = 0; channel < 3; channel++) {
    for (let at = 0; at < pixels; at++) {
      const [p, q] = [a.rgb[at * 3 + channel]! / 255, b.rgb[at * 3 + channel]! / 255];
      x[at] = p;
      y[at] = q;
      xx[at] = p * p;
      yy[at] = q * q;
      xy[at] = p * q;
    }
    const [mx, my, mxx, myy, mxy] = planes.map((plane) => windowMeans(plane, width, height)) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    for (let at = 0; at < mx.length; at++) {
      const [u, v] = [mx[at]!, my[at]!];
      const likeness = (2 * u * v + c1) * (2 * (mxy[at]! - u * v) + c2);
      sum += likeness / ((u * u + v * v + c1) * (mxx[at]! - u * u + myy[at]! - v * v + c2));
    }
    count += mx.length;
  }
  return sum / count;
}

/** Weighted means of all windows that lie whole in the plane: [height − 10, width − 10]. */
function windowMeans(plane: Float64Array, width: number, height: number): Float64Array {
  const [across, down] = [width - 2 * RADIUS, height - 2 * RADIUS];
  const rows = new Float64Array(across * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < across; column++) {
      let sum = 0;
      for (let i = 0; i < SSIM_WINDOW; i++) sum += WINDOW[i]! * plane[row * width + column + i]!;
      rows[row * across + column] = sum;
    }
  }
  const means = new Float64Array(across * down);
  for (let row = 0; row < down; row++) {
    for (let column = 0; column < across; column++) {
      let sum = 0;
      for (let i = 0; i < SSIM_WINDOW; i++) sum += WINDOW[i]! * rows[(row + i) * across + column]!;
      means[row * across + column] = sum;
    }
  }
  return means;
}
