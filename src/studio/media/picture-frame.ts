import { colourSpace, type ColourTags } from '../../media/colour.ts';
import type { YuvPicture } from '../../media/picture.ts';

/**
 * A decoded picture as something that a canvas draws, in the clip's own colours. It stays as the codec keeps it: less than
 * half the memory of RGBA, and turned into it only if it is drawn. The caller closes it.
 */
export function pictureFrame(picture: YuvPicture, colour: ColourTags): VideoFrame {
  const { width, height, y, u, v } = picture;
  const data = new Uint8Array(y.length + u.length + v.length);
  data.set(y);
  data.set(u, y.length);
  data.set(v, y.length + u.length);
  const chromaStride = (width + 1) >> 1;
  return new VideoFrame(data, {
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
}
