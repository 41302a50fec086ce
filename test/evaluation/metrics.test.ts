import { describe, expect, it } from 'vitest';
import { BEST_PSNR, psnr, ssim } from '../../src/evaluation/metrics.ts';
import type { Picture } from '../../src/evaluation/picture.ts';
import { makePicture } from './pictures.ts';

function pattern(width: number, height: number, a: number, b: number, c: number): Picture {
  return makePicture(
    width,
    height,
    (x, y, channel) => (x * a + y * b + channel * c + Math.floor((x * y * (channel + 1)) / 7)) % 256,
  );
}

function variant(picture: Picture, most: number): Picture {
  const { width, height, rgb } = picture;
  return makePicture(
    width,
    height,
    (x, y, channel) =>
      rgb[(y * width + x) * 3 + channel]! + ((x * 13 + y * 29 + channel * 7) % (2 * most + 1)) - most,
  );
}

const wide = pattern(24, 17, 5, 3, 40);
const square = pattern(64, 64, 3, 1, 60);
const small = pattern(11, 11, 3, 1, 60);
const flat = (value: number): Picture => makePicture(24, 17, () => value);

describe('metrics', () => {
  // Recorded with scikit-image 0.26: peak_signal_noise_ratio(a, b, data_range=255) and structural_similarity(a / 255, b / 255,
  // gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1, channel_axis=2).
  it.each([
    ['a small change', wide, variant(wide, 4), 39.91412731696186, 0.9863773552582095],
    ['a large change', wide, variant(wide, 25), 24.86865020123616, 0.706469855683156],
    ['another picture', wide, pattern(24, 17, 2, 9, 11), 12.484858457401714, 0.6744346796457593],
    ['a square picture', square, variant(square, 12), 31.08783048811614, 0.9534025395393918],
    ['one single window', small, variant(small, 12), 31.105596287609323, 0.771878233398474],
    ['two flat pictures', flat(90), flat(100), 28.130803608679106, 0.994477122238237],
    ['a flat picture', wide, flat(90), 11.194946429564474, 0.19373201652749902],
  ])('agree with scikit-image: %s', (_, a, b, decibels, similarity) => {
    expect(psnr(a, b)).toBeCloseTo(decibels, 9);
    expect(ssim(a, b)).toBeCloseTo(similarity, 9);
  });

  it('are at their best for equal pictures', () => {
    expect(psnr(wide, wide)).toBe(BEST_PSNR);
    expect(ssim(wide, wide)).toBeCloseTo(1, 12);
  });

  it('count marked pixels only', () => {
    const other = { ...wide, rgb: wide.rgb.slice() };
    other.rgb.fill(0, 0, 3 * 24);
    const firstRow = new Uint8Array(24 * 17).fill(1, 0, 24);
    const rest = firstRow.map((inside) => 1 - inside);
    expect(psnr(wide, other, rest)).toBe(BEST_PSNR);
    // The same error, spread over a picture that is 17 rows high.
    expect(psnr(wide, other) - psnr(wide, other, firstRow)).toBeCloseTo(10 * Math.log10(17), 9);
  });
});
