import { nextTask } from '../engine/next-task.ts';
import type { RgbaFrame } from '../engine/types.ts';
import { lumaWeights, type ColourTags } from './colour.ts';
import { allocatePicture, chromaSize, type YuvPicture } from './picture.ts';

/** Fixed point: 16 bits behind the point keep the error of a conversion under 0.01 levels. */
const ONE = 65536;
/** Pixels converted at a stretch where others are to have their turn: a few milliseconds. */
const SLICE = 150_000;

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
  const { frame, convert } = conversion(picture, tags);
  await inSlices(picture, convert);
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
  const { picture, convert } = reduction(frame, tags);
  convert(0, frame.height);
  return picture;
}

/** As `rgbaToPicture`, but in slices with room for other tasks, as `pictureToRgbaInSlices` is. */
export async function rgbaToPictureInSlices(frame: RgbaFrame, tags: ColourTags): Promise<YuvPicture> {
  const { picture, convert } = reduction(frame, tags);
  await inSlices(frame, convert);
  return picture;
}

/** The picture that a frame becomes, empty at first, and what fills rows of it, beginning with an even one. */
function reduction(
  { width, height, data }: RgbaFrame,
  tags: ColourTags,
): { picture: YuvPicture; convert: (from: number, until: number) => void } {
  const { red, blue } = lumaWeights(tags.matrix);
  const green = 1 - red - blue;
  const lumaScale = tags.fullRange ? 1 : 219 / 255;
  const chromaScale = tags.fullRange ? 1 : 224 / 255;
  const black = tags.fullRange ? 0 : 16;
  const forBlue = chromaScale / (2 * (1 - blue));
  const forRed = chromaScale / (2 * (1 - red));
  const picture = allocatePicture(width, height);
  const { y, u, v } = picture;
  const chromaWidth = chromaSize(width, height).width;
  const convert = (from: number, until: number): void => {
    for (let pixel = from * width, at = 4 * pixel; pixel < until * width; pixel++, at += 4) {
      const grey = red * data[at]! + green * data[at + 1]! + blue * data[at + 2]!;
      y[pixel] = black + lumaScale * grey + 0.5;
    }
    for (let row = from; row < until; row += 2) {
      let index = (row >> 1) * chromaWidth;
      const down = row + 1 < height ? width * 4 : 0;
      for (let column = 0; column < width; column += 2, index++) {
        const at = (row * width + column) * 4;
        const right = at + (column + 1 < width ? 4 : 0);
        const [below, across] = [at + down, right + down];
        const r = (data[at]! + data[right]! + data[below]! + data[across]!) / 4;
        const g = (data[at + 1]! + data[right + 1]! + data[below + 1]! + data[across + 1]!) / 4;
        const b = (data[at + 2]! + data[right + 2]! + data[below + 2]! + data[across + 2]!) / 4;
        const grey = red * r + green * g + blue * b;
        u[index] = clampByte(128 + forBlue * (b - grey));
        v[index] = clampByte(128 + forRed * (r - grey));
      }
    }
  };
  return { picture, convert };
}

/**
 * Converts a picture's rows a few at a time, each time in a task of its own: of small pictures many may come one after the
 * other.
 */
async function inSlices(
  { width, height }: { width: number; height: number },
  convert: (from: number, until: number) => void,
): Promise<void> {
  const rows = Math.max(2, 2 * Math.floor(SLICE / width / 2));
  for (let row = 0; row < height; row += rows) {
    await nextTask();
    convert(row, Math.min(height, row + rows));
  }
}

function clampByte(value: number): number {
  return Math.max(0, Math.min(255, Math.round(value)));
}
