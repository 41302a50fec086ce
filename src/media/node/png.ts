import { PNG } from 'pngjs';
import type { RgbaFrame } from '../../engine/types.ts';

/** A picture as the bytes of a PNG file. */
export function encodePng(frame: RgbaFrame): Uint8Array {
  const png = new PNG({ width: frame.width, height: frame.height });
  png.data.set(frame.data);
  return PNG.sync.write(png, { colorType: 2 });
}
