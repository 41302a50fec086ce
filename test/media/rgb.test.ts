import { describe, expect, it } from 'vitest';
import type { RgbaFrame } from '../../src/engine/types.ts';
import { REC709 } from '../../src/media/colour.ts';
import { allocatePicture } from '../../src/media/picture.ts';
import {
  pictureToRgba,
  pictureToRgbaInSlices,
  rgbaToPicture,
  rgbaToPictureInSlices,
} from '../../src/media/rgb.ts';

/** Runs something and counts how often others had their turn meanwhile. */
async function turnsDuring<T>(work: () => Promise<T>): Promise<{ result: T; turns: number }> {
  let turns = 0;
  let done = false;
  const others = async (): Promise<void> => {
    for (; !done; turns += 1) await new Promise((resolve) => setTimeout(resolve));
  };
  const waiting = others();
  const result = await work();
  done = true;
  await waiting;
  return { result, turns };
}

/** A frame without any two neighbours alike, half transparent. */
function mixedFrame(width: number, height: number): RgbaFrame {
  const data = new Uint8ClampedArray(width * height * 4).map((_, i) => (i * 37 + (i >> 6) * 11) & 255);
  return { width, height, data };
}

describe('a picture taken to RGB in slices', () => {
  it.each([
    [1921, 1081],
    [64, 48],
  ])('is the same as in one go, and others have their turn (%i × %i)', async (width, height) => {
    const picture = allocatePicture(width, height);
    for (const plane of [picture.y, picture.u, picture.v])
      plane.forEach((_, i) => (plane[i] = (i * 7 + (i >> 8)) & 255));
    const { result: frame, turns } = await turnsDuring(() => pictureToRgbaInSlices(picture, REC709));
    expect(turns > 1).toBe(width * height > 1_000_000);
    const whole = pictureToRgba(picture, REC709);
    expect(Buffer.compare(Buffer.from(frame.data.buffer), Buffer.from(whole.data.buffer))).toBe(0);
  });
});

describe('a frame taken to Y′CbCr', () => {
  it.each([
    [1921, 1081],
    [64, 48],
  ])('is the same in slices as in one go, and others have their turn (%i × %i)', async (width, height) => {
    const frame = mixedFrame(width, height);
    const { result, turns } = await turnsDuring(() => rgbaToPictureInSlices(frame, REC709));
    expect(turns > 1).toBe(width * height > 1_000_000);
    const whole = rgbaToPicture(frame, REC709);
    for (const plane of ['y', 'u', 'v'] as const) expect(Buffer.compare(result[plane], whole[plane])).toBe(0);
  });

  it.each([
    { matrix: 'bt709', fullRange: false, red: 0.2126, blue: 0.0722 },
    { matrix: 'smpte170m', fullRange: true, red: 0.299, blue: 0.114 },
  ] as const)('is what the standard says ($matrix, full range: $fullRange)', ({ red, blue, ...tags }) => {
    const [width, height] = [7, 5];
    const frame = mixedFrame(width, height);
    const picture = rgbaToPicture(frame, { ...REC709, ...tags });
    const [black, luma, chroma] = tags.fullRange ? [0, 255, 255] : [16, 219, 224];
    const rgb = (x: number, y: number) =>
      [0, 1, 2].map((channel) => frame.data[(y * width + x) * 4 + channel]! / 255);
    const grey = ([r, g, b]: number[]) => red * r! + (1 - red - blue) * g! + blue * b!;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const exact = black + luma * grey(rgb(x, y));
        expect(Math.abs(picture.y[y * width + x]! - exact)).toBeLessThanOrEqual(0.5001);
      }
    }
    for (let y = 0; y < 3; y++) {
      for (let x = 0; x < 4; x++) {
        const pixels = [0, 1].flatMap((dy) =>
          [0, 1].map((dx) => rgb(Math.min(width - 1, 2 * x + dx), Math.min(height - 1, 2 * y + dy))),
        );
        const mean = [0, 1, 2].map((c) => pixels.reduce((sum, pixel) => sum + pixel[c]!, 0) / 4);
        const cb = 128 + (chroma * (mean[2]! - grey(mean))) / (2 * (1 - blue));
        const cr = 128 + (chroma * (mean[0]! - grey(mean))) / (2 * (1 - red));
        const [u, v] = [picture.u[y * 4 + x]!, picture.v[y * 4 + x]!];
        expect(Math.abs(u - Math.min(255, Math.max(0, cb)))).toBeLessThanOrEqual(0.5001);
        expect(Math.abs(v - Math.min(255, Math.max(0, cr)))).toBeLessThanOrEqual(0.5001);
      }
    }
  });
});
