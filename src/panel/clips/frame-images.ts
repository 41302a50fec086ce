import type { RgbaFrame } from '../../engine/types.ts';

/** Longest side of the pictures the panel shows, in pixels. */
const PREVIEW_SIDE = 480;

const imageData = (frame: RgbaFrame) =>
  new ImageData(frame.data as Uint8ClampedArray<ArrayBuffer>, frame.width, frame.height);

/** A picture small enough to keep hundreds of. `side` is the longest one, in pixels. */
export async function preview(frame: RgbaFrame, side = PREVIEW_SIDE): Promise<ImageBitmap> {
  const scale = Math.min(1, side / Math.max(frame.width, frame.height));
  return createImageBitmap(opaque(imageData(frame)), {
    resizeWidth: Math.max(1, Math.round(frame.width * scale)),
    resizeHeight: Math.max(1, Math.round(frame.height * scale)),
    resizeQuality: 'medium',
  });
}

/** A frame as a JPEG at the highest quality: 4:4:4, about a fifth of the pixels' bytes. */
export async function encodeFrame(frame: RgbaFrame): Promise<Blob> {
  const canvas = new OffscreenCanvas(frame.width, frame.height);
  context(canvas).putImageData(opaque(imageData(frame)), 0, 0);
  return canvas.convertToBlob({ type: 'image/jpeg', quality: 1 });
}

/** The frame in an image file, at the image's own size. */
export async function decodeFrame(blob: Blob): Promise<RgbaFrame> {
  const bitmap = await createImageBitmap(blob);
  const { width, height } = bitmap;
  const drawing = context(new OffscreenCanvas(width, height));
  drawing.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { width, height, data: drawing.getImageData(0, 0, width, height).data };
}

/** A bitmap as a small JPEG file. */
export async function encodePicture(bitmap: ImageBitmap): Promise<Blob> {
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  context(canvas).drawImage(bitmap, 0, 0);
  return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.9 });
}

/** The small picture of an image file of any size. */
export async function decodePicture(blob: Blob): Promise<ImageBitmap> {
  const bitmap = await createImageBitmap(blob);
  const scale = PREVIEW_SIDE / Math.max(bitmap.width, bitmap.height);
  if (scale >= 1) return bitmap;
  const small = await createImageBitmap(bitmap, {
    resizeWidth: Math.max(1, Math.round(bitmap.width * scale)),
    resizeHeight: Math.max(1, Math.round(bitmap.height * scale)),
    resizeQuality: 'medium',
  });
  bitmap.close();
  return small;
}

function context(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const drawing = canvas.getContext('2d', { willReadFrequently: true });
  if (!drawing) throw new DOMException('No 2D canvas.', 'NotSupportedError');
  return drawing;
}

/** Frames' alpha means nothing: without this a transparent one would come out black. */
function opaque(image: ImageData): ImageData {
  const { data } = image;
  for (let i = 3; i < data.length; i += 4) data[i] = 255;
  return image;
}
