import { colourSpace, type ColourTags } from '../../media/colour.ts';
import type { YuvPicture } from '../../media/picture.ts';

/**
 * A decoded picture as something a canvas draws, in the clip's own colours. Pictures larger than `longestSide` are made
 * smaller: the viewer has no more pixels to show them with.
 */
export async function pictureBitmap(
  picture: YuvPicture,
  colour: ColourTags,
  longestSide: number,
): Promise<ImageBitmap> {
  const { width, height, y, u, v } = picture;
  const data = new Uint8Array(y.length + u.length + v.length);
  data.set(y);
  data.set(u, y.length);
  data.set(v, y.length + u.length);
  const chromaStride = (width + 1) >> 1;
  const frame = new VideoFrame(data, {
    format: 'I420',
    codedWidth: width,
    codedHeight: height,
    timestamp: 0,
    colorSpace: colourSpace(colour),
    layout: [
      { offset: 0, stride: width },
      { offset: y.length, stride: chromaStride },
      { offset: y.length + u.length, stride: chromaStride },
    ],
  });
  try {
    const scale = Math.min(1, longestSide / Math.max(width, height));
    if (scale === 1) return await createImageBitmap(frame);
    const resizeWidth = Math.max(1, Math.round(width * scale));
    const resizeHeight = Math.max(1, Math.round(height * scale));
    return await createImageBitmap(frame, { resizeWidth, resizeHeight, resizeQuality: 'medium' });
  } finally {
    frame.close();
  }
}
