import { nextTask } from '../engine/next-task.ts';
import type { RgbaFrame } from '../engine/types.ts';
import { lumaWeights, type ColourTags } from './colour.ts';
import { allocatePicture, chromaSize, type YuvPicture } from './picture.ts';

/** Fixed point: 16 bits behind the point keep the error of a conversion under 0.01 levels. */
const ONE = 65536;
/** Pixels converted at a stretch where others are to have their turn: a few milliseconds. */
const SLICE = 300_000;

/**
 * Y'CbCr → RGB by the clip's own matrix and range; chroma is repeated over its 2×2 pixels, which makes
 * `rgbaToPicture` an inverse as far as 8 bits allow (no drift when a frame is taken through again).
 */
export function pictureToRgba(picture: YuvPicture, tags: ColourTags): RgbaFrame {
  const { frame, convert } = conversion(picture, tags);
  convert(0, picture.height);
  return frame;
}

/**
 * As `pictureToRgba`, but a large picture is taken in slices with room for other tasks between them: in a page an editor's
 * clicks and keys do not wait for it.
 */
export async function pictureToRgbaInSlices(picture: YuvPicture, tags: ColourTags): Promise<RgbaFrame> {
  const { width, height } = picture;
  const { frame, convert } = conversion(picture, tags);
  const rows = Math.max(1, Math.floor(SLICE / width));
  for (let row = 0; row < height; row += rows) {
    if (row > 0) await nextTask();
    convert(row, Math.min(height, row + rows));
  }
  return frame;
}

/** The frame that a picture becomes, empty at first, and what fills rows of it. */
function conversion(
  picture: YuvPicture,
  tags: ColourTags,
): { frame: RgbaFrame; convert: (from: number, until: number) => void } {
  const { width, height, y, u, v } = picture;
  const { red, blue } = lumaWeights(tags.matrix);
  const green = 1 - red - blue;
  const lumaScale = tags.fullRange ? 1 : 255 / 219;
  const chromaScale = tags.fullRange ? 1 : 255 / 224;
  const black = tags.fullRange ? 0 : 16;
  const luma = Math.round(lumaScale * ONE);
  const redFromV = Math.round(2 * (1 - red) * chromaScale * ONE);
  const blueFromU = Math.round(2 * (1 - blue) * chromaScale * ONE);
  const greenFromU = Math.round(((2 * (1 - blue) * blue) / green) * chromaScale * ONE);
  const greenFromV = Math.round(((2 * (1 - red) * red) / green) * chromaScale * ONE);

  const data = new Uint8ClampedArray(width * height * 4);
  const chromaWidth = chromaSize(width, height).width;
  const convert = (from: number, until: number): void => {
    let pixel = from * width;
    for (let row = from; row < until; row++) {
      const chromaRow = (row >> 1) * chromaWidth;
      for (let column = 0; column < width; column++, pixel++) {
        const chroma = chromaRow + (column >> 1);
        const cb = u[chroma]! - 128;
        const cr = v[chroma]! - 128;
        const grey = (y[pixel]! - black) * luma + ONE / 2;
        const at = pixel * 4;
        data[at] = (grey + redFromV * cr) >> 16;
        data[at + 1] = (grey - greenFromU * cb - greenFromV * cr) >> 16;
        data[at + 2] = (grey + blueFromU * cb) >> 16;
        data[at + 3] = 255;
      }
    }
  };
  return { frame: { width, height, data }, convert };
}

/** RGB → Y'CbCr 4:2:0 by the given matrix and range; chroma is the mean over its pixels. Alpha is ignored. */
export function rgbaToPicture(frame: RgbaFrame, tags: ColourTags): YuvPicture {
  const { width, height, data } = frame;
  const { red, blue } = lumaWeights(tags.matrix);
  const green = 1 - red - blue;
  const lumaScale = tags.fullRange ? 1 : 219 / 255;
  const chromaScale = tags.fullRange ? 1 : 224 / 255;
  const black = tags.fullRange ? 0 : 16;

  const picture = allocatePicture(width, height);
  for (let pixel = 0, at = 0; pixel < picture.y.length; pixel++, at += 4) {
    const grey = red * data[at]! + green * data[at + 1]! + blue * data[at + 2]!;
    picture.y[pixel] = black + lumaScale * grey + 0.5;
  }

  const chroma = chromaSize(width, height);
  const forBlue = chromaScale / (2 * (1 - blue));
  const forRed = chromaScale / (2 * (1 - red));
  for (let row = 0; row < chroma.height; row++) {
    const below = 2 * row + 1 < height ? width * 4 : 0;
    for (let column = 0; column < chroma.width; column++) {
      const at = (2 * row * width + 2 * column) * 4;
      const right = 2 * column + 1 < width ? 4 : 0;
      const mean = (channel: number): number =>
        (data[at + channel]! +
          data[at + right + channel]! +
          data[at + below + channel]! +
          data[at + below + right + channel]!) /
        4;
      const [r, g, b] = [mean(0), mean(1), mean(2)];
      const grey = red * r + green * g + blue * b;
      const index = row * chroma.width + column;
      picture.u[index] = clampByte(128 + forBlue * (b - grey));
      picture.v[index] = clampByte(128 + forRed * (r - grey));
    }
  }
  return picture;
}

function clampByte(value: number): number {
  return Math.max(0, Math.min(255, Math.round(value)));
}
