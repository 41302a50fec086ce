import { describe, expect, it } from 'vitest';
import { FrameFitter } from '../../src/engine/detail/frame-fitter.ts';
import {
  clipToModel,
  modelFramesFor,
  modelFramesWithin,
  modelToClip,
  rateMap,
} from '../../src/engine/detail/rate.ts';
import { Resizer } from '../../src/engine/detail/resize.ts';
import { testFrame } from './test-frames.ts';

const RATES = [
  { num: 24, den: 1 },
  { num: 24000, den: 1001 },
  { num: 25, den: 1 },
  { num: 30000, den: 1001 },
  { num: 60, den: 1 },
  { num: 10, den: 1 },
  { num: 7, den: 2 },
  { num: 1, den: 3 },
];

describe('rateMap', () => {
  it('maps a rate to itself, and to near multiples, without mixing frames', () => {
    for (const rate of RATES) expect(rateMap(rate, rate)).toEqual({ modelFrames: 1, clipFrames: 1 });
    expect(rateMap({ num: 24000, den: 1001 }, { num: 8, den: 1 })).toEqual({ modelFrames: 1, clipFrames: 3 });
    expect(rateMap({ num: 5, den: 1 }, { num: 10, den: 1 })).toEqual({ modelFrames: 2, clipFrames: 1 });
    expect(rateMap({ num: 25, den: 1 }, { num: 10, den: 1 })).toEqual({ modelFrames: 2, clipFrames: 5 });
  });

  it('keeps both clocks together for every pair of rates', () => {
    for (const clip of RATES) {
      for (const model of RATES) {
        const map = rateMap(clip, model);
        const exact = (model.num * clip.den) / (model.den * clip.num);
        for (const index of [0, 1, 2, 7, 100, 9999]) {
          const place = clipToModel(index, map);
          const at = place.low + place.part / place.whole;
          expect(place.part).toBeGreaterThanOrEqual(0);
          expect(place.part).toBeLessThan(place.whole);
          expect(Math.abs(at - index * exact)).toBeLessThanOrEqual(index * exact * 0.0101 + 1e-9);
          // There and back again.
          const back = modelToClip(place.low, map);
          expect(back.low).toBeLessThanOrEqual(index);
          const enough = modelFramesFor(index, map);
          expect(enough).toBe(place.part === 0 ? place.low : place.low + 1);
          expect(modelFramesWithin(index + 1, map)).toBe(place.low + 1);
        }
      }
    }
    expect(modelFramesWithin(0, rateMap(RATES[0]!, RATES[1]!))).toBe(0);
  });
});

describe('Resizer', () => {
  const sizes = [
    [1, 1],
    [2, 3],
    [16, 16],
    [64, 64],
    [641, 359],
  ] as const;

  it('keeps an even colour at every pair of sizes', () => {
    for (const [width, height] of sizes) {
      for (const [toWidth, toHeight] of sizes) {
        const from = new Uint8ClampedArray(width * height * 4).fill(77);
        const to = new Uint8ClampedArray(toWidth * toHeight * 4);
        new Resizer({ width, height }, { width: toWidth, height: toHeight }).run(from, 4, to, 4);
        for (let i = 0; i < to.length; i += 4) {
          if (to[i] !== 77 || to[i + 1] !== 77 || to[i + 2] !== 77 || to[i + 3] !== 255) {
            expect.unreachable(
              `${width}×${height} → ${toWidth}×${toHeight} at ${i}: ${to.subarray(i, i + 4)}`,
            );
          }
        }
      }
    }
  });

  it('does not alias when it shrinks: stripes of one pixel become grey', () => {
    const from = new Uint8ClampedArray(64 * 64 * 3);
    from.forEach((_, i) => (from[i] = Math.floor(i / 3) % 2 === 0 ? 0 : 255));
    const to = new Uint8ClampedArray(8 * 8 * 3);
    new Resizer({ width: 64, height: 64 }, { width: 8, height: 8 }).run(from, 3, to, 3);
    for (const value of to) expect(Math.abs(value - 127.5)).toBeLessThan(8);
  });

  it('keeps left, right, top and bottom', () => {
    const from = new Uint8ClampedArray(16 * 8 * 3);
    for (let y = 0; y < 8; y++) {
      for (let x = 0; x < 16; x++) {
        from[(y * 16 + x) * 3] = x * 16;
        from[(y * 16 + x) * 3 + 1] = y * 32;
      }
    }
    const to = new Uint8ClampedArray(4 * 32 * 3);
    new Resizer({ width: 16, height: 8 }, { width: 4, height: 32 }).run(from, 3, to, 3);
    for (let y = 0; y < 32; y++) {
      for (let x = 0; x < 4; x++) {
        const at = (y * 4 + x) * 3;
        // Inside, a ramp stays a ramp: centre x maps to 4x + 1.5, centre y to (y + 0.5) / 4 − 0.5.
        if (x > 0 && x < 3) expect(Math.abs(to[at]! - (4 * x + 1.5) * 16)).toBeLessThanOrEqual(4);
        if (y > 7 && y < 24)
          expect(Math.abs(to[at + 1]! - ((y + 0.5) / 4 - 0.5) * 32)).toBeLessThanOrEqual(2);
      }
    }
  });
});

describe('Resizer against sums in double precision', () => {
  /** Catmull-Rom, and Lanczos with three lobes. */
  const spline = (x: number): number => {
    const t = Math.abs(x);
    if (t >= 2) return 0;
    return t < 1 ? 1.5 * t ** 3 - 2.5 * t ** 2 + 1 : -0.5 * t ** 3 + 2.5 * t ** 2 - 4 * t + 2;
  };
  const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
  const lanczos = (x: number): number => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0);

  function resampled(row: readonly number[], count: number): number[] {
    const step = row.length / count;
    return Array.from({ length: count }, (_, place) => {
      const centre = (place + 0.5) * step - 0.5;
      const weights = row.map((_, i) => (step > 1 ? lanczos((i - centre) / step) : spline(i - centre)));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      return row.reduce((sum, value, i) => sum + value * weights[i]!, 0) / total;
    });
  }

  /** One channel, row by row. */
  function expected(picture: number[][], { width, height }: { width: number; height: number }): number[][] {
    const rows = picture.map((row) => resampled(row, width));
    const columns = rows[0]!.map((_, x) =>
      resampled(
        rows.map((row) => row[x]!),
        height,
      ),
    );
    return Array.from({ length: height }, (_, y) => columns.map((column) => column[y]!));
  }

  it.each([
    // Enlarged, and shrunk a little: to the rounding.
    [{ width: 64, height: 64 }, { width: 201, height: 150 }, 0.51],
    [{ width: 90, height: 80 }, { width: 64, height: 64 }, 0.51],
    // Averaged over blocks first: 5 × 3, 13 × 1.
    [{ width: 640, height: 360 }, { width: 32, height: 30 }, 3],
    [{ width: 832, height: 113 }, { width: 16, height: 16 }, 3],
  ])('from %o to %o', (from, to, tolerance) => {
    // Waves that both sizes can hold, and an edge.
    const value = (x: number, y: number): number => {
      const [u, v] = [x / from.width, y / from.height];
      const wave = 60 * Math.sin(19 * u + 3 * v) + 50 * Math.cos(14 * v - 5 * u);
      return Math.round(128 + (u > 0.6 ? wave : -wave));
    };
    const picture = Array.from({ length: from.height }, (_, y) =>
      Array.from({ length: from.width }, (_, x) => value(x, y)),
    );
    const source = Uint8ClampedArray.from(picture.flat().flatMap((grey) => [grey, 255 - grey, 0, 9]));
    const target = new Uint8ClampedArray(to.width * to.height * 4);
    new Resizer(from, to).run(source, 4, target, 4);
    const right = expected(picture, to).flat();
    let largest = 0;
    right.forEach((grey, i) => {
      const clamped = Math.min(255, Math.max(0, grey));
      largest = Math.max(largest, Math.abs(target[4 * i]! - clamped));
      largest = Math.max(largest, Math.abs(target[4 * i + 1]! - (255 - clamped)));
      expect(target[4 * i + 2]).toBe(0);
      expect(target[4 * i + 3]).toBe(255);
    });
    expect(largest).toBeLessThan(tolerance);
  });
});

describe('FrameFitter', () => {
  it('gives back the very same picture when the sizes agree', () => {
    const size = { width: 16, height: 16 };
    const frame = testFrame(3, 16, 16);
    const fitter = new FrameFitter(size, size);
    expect(fitter.toClip(fitter.toModel(frame))).toEqual(frame);
  });

  it('squeezes and unsqueezes: a disc stays where it was, and round', () => {
    const size = { width: 160, height: 90 };
    const data = new Uint8ClampedArray(160 * 90 * 4).fill(255);
    for (let y = 0; y < 90; y++) {
      for (let x = 0; x < 160; x++) {
        const inside = Math.hypot(x + 0.5 - 100, y + 0.5 - 40) < 20;
        data.fill(inside ? 255 : 0, (y * 160 + x) * 4, (y * 160 + x) * 4 + 3);
      }
    }
    const fitter = new FrameFitter(size, { width: 64, height: 64 });
    const back = fitter.toClip(fitter.toModel({ ...size, data }));
    let [mass, cx, cy, xx, yy] = [0, 0, 0, 0, 0];
    for (let y = 0; y < 90; y++) {
      for (let x = 0; x < 160; x++) {
        const value = back.data[(y * 160 + x) * 4]!;
        mass += value;
        cx += value * (x + 0.5);
        cy += value * (y + 0.5);
        xx += value * (x + 0.5) ** 2;
        yy += value * (y + 0.5) ** 2;
      }
    }
    [cx, cy] = [cx / mass, cy / mass];
    expect(Math.abs(cx - 100)).toBeLessThan(0.3);
    expect(Math.abs(cy - 40)).toBeLessThan(0.3);
    expect(Math.sqrt((xx / mass - cx * cx) / (yy / mass - cy * cy))).toBeCloseTo(1, 1);
  });
});
