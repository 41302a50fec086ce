import type { RgbaFrame } from '../../src/engine/types.ts';

const BITS = 8;

/**
 * A picture that says which frame it is: its number in black and white squares along the top, and below a soft pattern
 * that moves. The top left corner of the lower part is red, so that rotation shows.
 */
export function paintFrame(number: number, width: number, height: number): RgbaFrame {
  const data = new Uint8ClampedArray(width * height * 4);
  const cell = width / BITS;
  const band = height / 4;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 4;
      data[at + 3] = 255;
      if (y < band) {
        data.fill((number >> Math.floor(x / cell)) & 1 ? 235 : 20, at, at + 3);
      } else if (x < width / 4 && y < height / 2) {
        data.set([200, 40, 40], at);
      } else {
        const phase = ((x + 2 * number) / width + y / height) * Math.PI * 2;
        data.set([120 + 60 * Math.sin(phase), 120 + 60 * Math.cos(phase), 120], at);
      }
    }
  }
  return { width, height, data };
}

/** Reads the number that `paintFrame` put into a picture of any size. */
export function readNumber({ width, height, data }: RgbaFrame): number {
  let number = 0;
  for (let bit = 0; bit < BITS; bit++) {
    const x = Math.floor(((bit + 0.5) * width) / BITS);
    const y = Math.floor(height / 8);
    if (data[(y * width + x) * 4 + 1]! > 128) number |= 1 << bit;
  }
  return number;
}

/** PSNR in dB over the colours of two pictures of one size. */
export function psnr(a: RgbaFrame, b: RgbaFrame): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) if (i % 4 !== 3) sum += (a.data[i]! - b.data[i]!) ** 2;
  return 10 * Math.log10((255 * 255) / (sum / ((a.data.length / 4) * 3)));
}
