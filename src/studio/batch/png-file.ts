import type { RgbaFrame } from '../../engine/types.ts';

/** A picture as a PNG file. */
export async function pngFile({ width, height, data }: RgbaFrame): Promise<Blob> {
  const opaque = new Uint8ClampedArray(data);
  for (let at = 3; at < opaque.length; at += 4) opaque[at] = 255;
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d')!.putImageData(new ImageData(opaque, width, height), 0, 0);
  return canvas.convertToBlob({ type: 'image/png' });
}
