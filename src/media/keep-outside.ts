import type { MaskPicture } from '../engine/tasks/region-request.ts';
import { chromaSize, type YuvPicture } from './picture.ts';

/** From this value on a pixel of a mask is new, as in the engine. */
const THRESHOLD = 128;

/**
 * A new picture inside a mask and the old one outside, value for value. A chroma sample is new where any of its pixels is.
 * @param original as decoded; @param fresh of the same size; @param mask of the same size
 */
export function keepOutside(original: YuvPicture, fresh: YuvPicture, mask: MaskPicture): YuvPicture {
  const { width, height } = original;
  const result = { ...original, y: original.y.slice(), u: original.u.slice(), v: original.v.slice() };
  const chroma = chromaSize(width, height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const pixel = row * width + column;
      if (mask.data[pixel]! < THRESHOLD) continue;
      result.y[pixel] = fresh.y[pixel]!;
      const cell = (row >> 1) * chroma.width + (column >> 1);
      result.u[cell] = fresh.u[cell]!;
      result.v[cell] = fresh.v[cell]!;
    }
  }
  return result;
}
