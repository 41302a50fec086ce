import type { RgbaFrame } from '../engine/types.ts';
import type { ColourTags } from './colour.ts';
import { chromaSize, type YuvPicture } from './picture.ts';
import { pictureToRgba, rgbaToPicture } from './rgb.ts';

/**
 * A picture in which a part was changed after it had been turned to RGB: what did not change keeps its own Y'CbCr values, so
 * that the detour through RGB costs it nothing.
 * @param original before the detour
 * @param changed the frame that `pictureToRgba` made of it, with changes
 */
export function mergePicture(original: YuvPicture, changed: RgbaFrame, tags: ColourTags): YuvPicture {
  const before = new Uint32Array(pictureToRgba(original, tags).data.buffer);
  const { data } = changed;
  const after = new Uint32Array(data.buffer, data.byteOffset, data.length / 4);
  const fresh = rgbaToPicture(changed, tags);
  const { width, height } = original;
  const result = { ...original, y: original.y.slice(), u: original.u.slice(), v: original.v.slice() };
  const chroma = chromaSize(width, height);
  for (let pixel = 0; pixel < after.length; pixel++) {
    if (before[pixel] === after[pixel]) continue;
    result.y[pixel] = fresh.y[pixel]!;
    const cell = (Math.floor(pixel / width) >> 1) * chroma.width + ((pixel % width) >> 1);
    result.u[cell] = fresh.u[cell]!;
    result.v[cell] = fresh.v[cell]!;
  }
  return result;
}
