import { describe, expect, it } from 'vitest';
import { crossFade, harmonicFill, patched } from '../../src/evaluation/baselines.ts';
import { pixelMask, regionMask } from '../../src/evaluation/region-mask.ts';
import { makePicture } from './pictures.ts';

const inside = (left: number, top: number, right: number, bottom: number, width: number, height: number) =>
  Uint8Array.from({ length: width * height }, (_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    return x >= left && x < right && y >= top && y < bottom ? 1 : 0;
  });

describe('baselines', () => {
  it('fills a hole in a slope with the slope', () => {
    // A plane is harmonic: the fill must give it back.
    const slope = makePicture(40, 30, (x, y, channel) => 20 + 2 * x + 3 * y + 10 * channel);
    const where = inside(6, 5, 34, 25, 40, 30);
    const filled = harmonicFill(
      patched(
        slope,
        makePicture(40, 30, () => 255),
        where,
      ),
      where,
    );
    const worst = Math.max(...filled.rgb.map((value, at) => Math.abs(value - slope.rgb[at]!)));
    expect(worst).toBeLessThanOrEqual(1);
  });

  it('fills a hole at the edge from the rim that is there', () => {
    const grey = makePicture(16, 16, () => 77);
    const where = inside(8, 0, 16, 9, 16, 16);
    expect(
      harmonicFill(
        patched(
          grey,
          makePicture(16, 16, () => 0),
          where,
        ),
        where,
      ).rgb,
    ).toEqual(grey.rgb);
  });

  it('fades from one frame to the other', () => {
    const [a, b] = [makePicture(2, 2, () => 10), makePicture(2, 2, () => 110)];
    expect([...crossFade(a, b, 0.25).rgb]).toEqual(Array(12).fill(35));
  });
});

describe('the region', () => {
  it('is a quarter of the grid that stays inside it and drifts', () => {
    const grid = { rows: 8, columns: 12 };
    const masks = Array.from({ length: 100 }, (_, index) => regionMask(grid, index, 11));
    for (const mask of masks) expect(mask.reduce((sum, value) => sum + value, 0)).toBe(24);
    expect(new Set(masks.map((mask) => mask.join(''))).size).toBeGreaterThan(4);
    expect(regionMask(grid, 0, 12)).not.toEqual(masks[0]);
  });

  it('covers whole patches of pixels', () => {
    const mask = Uint8Array.of(0, 1, 0, 0);
    expect([...pixelMask(mask, { rows: 2, columns: 2 }, { width: 4, height: 4 })]).toEqual([
      ...[0, 0, 1, 1],
      ...[0, 0, 1, 1],
      ...[0, 0, 0, 0],
      ...[0, 0, 0, 0],
    ]);
  });
});
