import type { Picture } from '../../src/evaluation/picture.ts';

/** A picture from integer arithmetic alone, so that other languages can repeat it. */
export function makePicture(
  width: number,
  height: number,
  value: (x: number, y: number, channel: number) => number,
): Picture {
  const rgb = Uint8ClampedArray.from({ length: width * height * 3 }, (_, at) => {
    const pixel = Math.floor(at / 3);
    return value(pixel % width, Math.floor(pixel / width), at % 3);
  });
  return { width, height, rgb };
}
