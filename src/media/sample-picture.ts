import type { VideoSample } from 'mediabunny';
import { LongtakeError } from '../engine/types.ts';
import type { ColourTags } from './colour.ts';
import { allocatePicture, chromaSize, pictureOver, type YuvPicture } from './picture.ts';
import { rgbaToPicture } from './rgb.ts';

/** Layout of a planar format: how often chroma is subsampled, and how many bits a value has. */
interface PlanarFormat {
  shiftX: 0 | 1;
  shiftY: 0 | 1;
  bits: 8 | 10 | 12;
}

function planarFormat(format: string): PlanarFormat | null {
  const match = /^I(420|422|444)A?(?:P(10|12))?$/.exec(format);
  if (match === null) return null;
  return {
    shiftX: match[1] === '444' ? 0 : 1,
    shiftY: match[1] === '420' ? 1 : 0,
    bits: match[2] === '10' ? 10 : match[2] === '12' ? 12 : 8,
  };
}

/**
 * A decoded sample's visible pixels as 8-bit 4:2:0, untouched where the codec had that form already. The sample's
 * rotation is not applied. The caller closes the sample.
 */
export async function samplePicture(sample: VideoSample, tags: ColourTags): Promise<YuvPicture> {
  const planar = sample.format === null ? null : planarFormat(sample.format);
  if (planar !== null) return planarPicture(sample, planar);
  if (sample.format === 'NV12') return biplanarPicture(sample);
  return rgbPicture(sample, tags);
}

async function planes(sample: VideoSample): Promise<{ data: Uint8Array; layout: PlaneLayout[] }> {
  const data = new Uint8Array(sample.allocationSize());
  const layout = await sample.copyTo(data);
  return { data, layout };
}

async function planarPicture(sample: VideoSample, format: PlanarFormat): Promise<YuvPicture> {
  const { width, height } = sample.visibleRect;
  const { data, layout } = await planes(sample);
  const chroma = chromaSize(width, height);
  if (format.bits === 8 && liesAsPicture(layout, data.length, width, height))
    return pictureOver(data, width, height);
  const picture = allocatePicture(width, height);
  const read = reader(data, format.bits);
  const targets = [picture.y, picture.u, picture.v];
  for (let plane = 0; plane < 3; plane++) {
    const { offset, stride } = layout[plane]!;
    const isLuma = plane === 0;
    const size = isLuma ? { width, height } : chroma;
    const target = targets[plane]!;
    const stepX = isLuma || format.shiftX === 1 ? 1 : 2;
    const stepY = isLuma || format.shiftY === 1 ? 1 : 2;
    // `copyTo` leaves out the last chroma column of a picture of odd width (WebCodecs rounds down); it is repeated here.
    const sourceWidth = stride / (format.bits === 8 ? 1 : 2);
    const sourceHeight = isLuma || format.shiftY === 0 ? height : chroma.height;
    for (let row = 0; row < size.height; row++) {
      const top = offset + row * stepY * stride;
      if (format.bits === 8 && stepX === 1 && stepY === 1 && stride >= size.width) {
        target.set(data.subarray(top, top + size.width), row * size.width);
        continue;
      }
      const below = row * stepY + stepY - 1 < sourceHeight ? top + (stepY - 1) * stride : top;
      for (let column = 0; column < size.width; column++) {
        const left = Math.min(column * stepX, sourceWidth - 1);
        const right = Math.min(left + stepX - 1, sourceWidth - 1);
        const sum = read(top, left) + read(top, right) + read(below, left) + read(below, right);
        target[row * size.width + column] = Math.min(255, (sum + 2) / 4);
      }
    }
  }
  return picture;
}

/** Whether planes lie as `pictureOver` wants them: then a large frame needs no second copy. */
function liesAsPicture(
  layout: readonly PlaneLayout[],
  bytes: number,
  width: number,
  height: number,
): boolean {
  if (width % 2 !== 0 || height % 2 !== 0 || bytes !== (width * height * 3) / 2) return false;
  const [y, u, v] = layout;
  const luma = width * height;
  return (
    layout.length === 3 &&
    y!.offset === 0 &&
    u!.offset === luma &&
    v!.offset === luma + luma / 4 &&
    y!.stride === width &&
    u!.stride === width / 2 &&
    v!.stride === width / 2
  );
}

/** Reads one value, brought to 8 bits, at a byte offset plus a column. */
function reader(data: Uint8Array, bits: 8 | 10 | 12): (offset: number, column: number) => number {
  if (bits === 8) return (offset, column) => data[offset + column]!;
  const scale = 1 / (1 << (bits - 8));
  return (offset, column) => (data[offset + 2 * column]! + 256 * data[offset + 2 * column + 1]!) * scale;
}

async function biplanarPicture(sample: VideoSample): Promise<YuvPicture> {
  const { width, height } = sample.visibleRect;
  const { data, layout } = await planes(sample);
  const picture = allocatePicture(width, height);
  const chroma = chromaSize(width, height);
  for (let row = 0; row < height; row++) {
    const start = layout[0]!.offset + row * layout[0]!.stride;
    picture.y.set(data.subarray(start, start + width), row * width);
  }
  for (let row = 0; row < chroma.height; row++) {
    const start = layout[1]!.offset + row * layout[1]!.stride;
    const last = (layout[1]!.stride >> 1) - 1;
    for (let column = 0; column < chroma.width; column++) {
      const source = start + 2 * Math.min(column, last);
      picture.u[row * chroma.width + column] = data[source]!;
      picture.v[row * chroma.width + column] = data[source + 1]!;
    }
  }
  return picture;
}

/** RGB files and pictures that live on a GPU in a form of its own: the library turns them into RGBA. */
async function rgbPicture(sample: VideoSample, tags: ColourTags): Promise<YuvPicture> {
  const { width, height } = sample.visibleRect;
  const data = new Uint8ClampedArray(width * height * 4);
  try {
    await sample.copyTo(data, { format: 'RGBA' });
  } catch (cause) {
    throw new LongtakeError('input', 'The pixel format of this video is not supported.', { cause });
  }
  return rgbaToPicture({ width, height, data }, tags);
}
