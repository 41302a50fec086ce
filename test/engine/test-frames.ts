import type { RgbaFrame } from '../../src/engine/index.ts';

/** A frame whose pixels depend on its number: a soft pattern that drifts. */
export function testFrame(index: number, width: number, height: number): RgbaFrame {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 4;
      data[at] = 128 + 100 * Math.sin((6.3 * (x + index)) / width);
      data[at + 1] = 128 + 100 * Math.cos((6.3 * y) / height);
      data[at + 2] = (index * 5) % 256;
      data[at + 3] = 255;
    }
  }
  return { width, height, data };
}

export function testFrames(count: number, width: number, height: number): RgbaFrame[] {
  return Array.from({ length: count }, (_, index) => testFrame(index, width, height));
}

/** A frame of one grey. */
export function evenFrame(value: number, width: number, height: number): RgbaFrame {
  const data = new Uint8ClampedArray(width * height * 4).fill(value);
  for (let at = 3; at < data.length; at += 4) data[at] = 255;
  return { width, height, data };
}

/** Brightness of an even frame. */
export function grey(frame: RgbaFrame): number {
  return frame.data[0]!;
}
