import { colourSpace, type ColourTags } from '../../media/colour.ts';
import { joinedMemory, wholeMemory, type YuvPicture } from '../../media/picture.ts';

/** TypeScript's own type lacks the newer `transfer`; browsers without it copy. */
interface MovingInit extends VideoFrameBufferInit {
  transfer: ArrayBuffer[];
}

/**
 * A decoded picture as something that a canvas draws, in the clip's own colours. It stays as the codec keeps it: less than
 * half the memory of RGBA, and turned into it only if it is drawn. The picture's memory is given away where that spares a
 * copy; the caller closes the frame.
 */
export function pictureFrame(picture: YuvPicture, colour: ColourTags): VideoFrame {
  const { width, height, y } = picture;
  const data = wholeMemory(picture) ?? joinedMemory(picture);
  const chromaStride = (width + 1) >> 1;
  const chromaSize = chromaStride * ((height + 1) >> 1);
  const init: MovingInit = {
    format: 'I420',
    codedWidth: width,
    codedHeight: height,
    timestamp: 0,
    colorSpace: colourSpace(colour),
    layout: [
      { offset: 0, stride: width },
      { offset: y.length, stride: chromaStride },
      { offset: y.length + chromaSize, stride: chromaStride },
    ],
    transfer: [data.buffer],
  };
  return new VideoFrame(data, init);
}
