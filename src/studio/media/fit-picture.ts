import { nextTask } from '../../engine/next-task.ts';
import type { ColourTags } from '../../media/colour.ts';
import type { YuvPicture } from '../../media/picture.ts';
import { allocatePicture, chromaSize, scalePicture } from '../../media/picture.ts';
import { pictureToRgbaInSlices, rgbaToPictureInSlices } from '../../media/rgb.ts';

/** A black picture in the given colours. */
export function blackPicture(size: { width: number; height: number }, colour: ColourTags): YuvPicture {
  const picture = allocatePicture(size.width, size.height);
  picture.y.fill(colour.fullRange ? 0 : 16);
  picture.u.fill(128);
  picture.v.fill(128);
  return picture;
}

/**
 * Brings a picture to a size and to colour tags. What already fits passes through untouched; a picture of another shape
 * keeps its proportions between black bars. Clicks have their turn meanwhile.
 */
export async function fitPicture(
  picture: YuvPicture,
  from: ColourTags,
  size: { width: number; height: number },
  to: ColourTags,
): Promise<YuvPicture> {
  const coloured = sameColour(from, to)
    ? picture
    : await rgbaToPictureInSlices(await pictureToRgbaInSlices(picture, from), to);
  const { width, height } = size;
  if (coloured.width === width && coloured.height === height) return coloured;
  await nextTask();
  // H.264 stores odd sizes with the edge repeated once: that row or column is cut off again, nothing is scaled.
  const padded =
    coloured.width === width + (width & 1) && coloured.height === height + (height & 1) ? coloured : null;
  const scale = Math.min(width / coloured.width, height / coloured.height);
  const inner =
    padded ?? scalePicture(coloured, fitted(coloured.width * scale), fitted(coloured.height * scale));
  const result = blackPicture(size, to);
  // Chroma samples are shared by 2 × 2 pixels, so the picture starts on an even one.
  const left = evenOffset(width - inner.width);
  const top = evenOffset(height - inner.height);
  paste(inner.y, inner.width, inner.height, result.y, width, height, left, top);
  const chroma = chromaSize(inner.width, inner.height);
  const whole = chromaSize(width, height);
  paste(inner.u, chroma.width, chroma.height, result.u, whole.width, whole.height, left / 2, top / 2);
  paste(inner.v, chroma.width, chroma.height, result.v, whole.width, whole.height, left / 2, top / 2);
  return result;
}

function sameColour(a: ColourTags, b: ColourTags): boolean {
  return (
    a.primaries === b.primaries &&
    a.transfer === b.transfer &&
    a.matrix === b.matrix &&
    a.fullRange === b.fullRange
  );
}

function fitted(length: number): number {
  return Math.max(1, Math.round(length));
}

function evenOffset(room: number): number {
  return Math.max(0, Math.floor(room / 4) * 2);
}

function paste(
  from: Uint8Array,
  fromWidth: number,
  fromHeight: number,
  to: Uint8Array,
  toWidth: number,
  toHeight: number,
  left: number,
  top: number,
): void {
  const columns = Math.min(fromWidth, toWidth - left);
  const rows = Math.min(fromHeight, toHeight - top);
  for (let row = 0; row < rows; row += 1) {
    const source = row * fromWidth;
    to.set(from.subarray(source, source + columns), (top + row) * toWidth + left);
  }
}
