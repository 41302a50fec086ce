import type { MaskPicture, RectangleKeyframe } from '../tasks/region-request.ts';

/** From this value on a pixel of a mask is to be repainted: masks that went through a video codec are not quite 0 and 255. */
const THRESHOLD = 128;

/**
 * The soft edge's width as a share of the picture's shorter side. It lies inside the mask, so that nothing outside changes.
 */
const SOFT_EDGE = 1 / 64;

/** Steps to a straight and to a slanting neighbour in units of a third of a pixel (Borgefors' 3-4 distance). */
const [STRAIGHT, SLANTING] = [3, 4];

/** Number of pixels that a mask covers. */
export function maskedPixels({ data }: MaskPicture): number {
  let count = 0;
  for (let at = 0; at < data.length; at++) if (data[at]! >= THRESHOLD) count++;
  return count;
}

/**
 * The tokens that a mask touches: those with any masked pixel in their part of the picture.
 * @returns [rows · columns], 1 each
 */
export function touchedTokens(mask: MaskPicture, grid: { rows: number; columns: number }): Uint8Array {
  const { width, height, data } = mask;
  const { rows, columns } = grid;
  const tokens = new Uint8Array(rows * columns);
  // The first and the last token that a pixel lies in, also where a token is no whole number of pixels.
  const spans = Array.from({ length: width }, (_, x) => span(x, width, columns));
  for (let y = 0; y < height; y++) {
    const [top, bottom] = span(y, height, rows);
    for (let x = 0; x < width; x++) {
      if (data[y * width + x]! < THRESHOLD) continue;
      const [left, right] = spans[x]!;
      for (let row = top; row <= bottom; row++)
        tokens.fill(1, row * columns + left, row * columns + right + 1);
    }
  }
  return tokens;
}

function span(pixel: number, pixels: number, tokens: number): [number, number] {
  return [Math.floor((pixel * tokens) / pixels), Math.ceil(((pixel + 1) * tokens) / pixels) - 1];
}

/**
 * How much of the new picture each pixel gets: 0 outside the mask, rising to 1 over the soft edge inside it. The picture's
 * own edges are no edges of the mask.
 * @returns [height, width], 0…1
 */
export function softened(mask: MaskPicture): Float32Array {
  const { width, height } = mask;
  const distance = distanceInside(mask);
  const reach = STRAIGHT * Math.max(1, Math.round(Math.min(width, height) * SOFT_EDGE));
  const weights = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const from = (y + 1) * (width + 2) + 1;
    // The outermost masked pixels, one step inside, already get a share.
    for (let x = 0; x < width; x++) {
      weights[y * width + x] = Math.min(1, distance[from + x]! / (reach + STRAIGHT));
    }
  }
  return weights;
}

/**
 * Distance of each masked pixel to the nearest one outside the mask, in thirds of a pixel; 0 outside.
 * @returns [height + 2, width + 2]: a frame of pixels that are far from everything spares the checks at the edges
 */
function distanceInside({ width, height, data }: MaskPicture): Uint16Array {
  const far = 0xffff - SLANTING;
  const pitch = width + 2;
  const distance = new Uint16Array(pitch * (height + 2)).fill(far);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[y * width + x]! < THRESHOLD) distance[(y + 1) * pitch + x + 1] = 0;
    }
  }
  /** The least of a pixel and its neighbours beside it and in the row towards `back`. */
  const settle = (at: number, back: number): void => {
    let least = distance[at]!;
    if (least === 0) return;
    const straight = Math.min(distance[at + back]!, distance[at + Math.sign(back)]!) + STRAIGHT;
    const slanting = Math.min(distance[at + back - 1]!, distance[at + back + 1]!) + SLANTING;
    if (straight < least) least = straight;
    if (slanting < least) least = slanting;
    distance[at] = least;
  };
  const [first, last] = [pitch + 1, pitch * (height + 1) - 2];
  for (let at = first; at <= last; at++) if (inside(at)) settle(at, -pitch);
  for (let at = last; at >= first; at--) if (inside(at)) settle(at, pitch);
  return distance;

  function inside(at: number): boolean {
    const column = at % pitch;
    return column > 0 && column <= width;
  }
}

/**
 * Lays new pixels over a frame.
 * @param weights as `softened` gives them; where they are 0 the result is the frame, bit for bit
 * @param fresh of the frame's size
 * @returns RGBA; the frame's own alpha
 */
export function composite(
  frame: Uint8ClampedArray,
  fresh: Uint8ClampedArray,
  weights: Float32Array,
): Uint8ClampedArray {
  const result = frame.slice();
  weights.forEach((weight, pixel) => {
    if (weight === 0) return;
    for (let at = 4 * pixel; at < 4 * pixel + 3; at++) {
      result[at] = frame[at]! + (fresh[at]! - frame[at]!) * weight;
    }
  });
  return result;
}

/**
 * The mask of one frame between keyframes: rectangles move evenly and rest before the first and after the last one.
 * @param keyframes by frame, at least one
 */
export function rectangleMask(
  keyframes: readonly RectangleKeyframe[],
  frame: number,
  size: { width: number; height: number },
): MaskPicture {
  const after = keyframes.findIndex((keyframe) => keyframe.frame >= frame);
  const b = keyframes[after === -1 ? keyframes.length - 1 : after]!;
  const a = after <= 0 ? b : keyframes[after - 1]!;
  const part = a === b ? 0 : (frame - a.frame) / (b.frame - a.frame);
  const between = (from: number, to: number): number => from + (to - from) * part;
  const inside = (value: number, side: number): number => Math.min(side, Math.max(0, Math.round(value)));
  const { width, height } = size;
  const [left, top] = [between(a.x, b.x), between(a.y, b.y)];
  const right = inside(left + between(a.width, b.width), width);
  const bottom = inside(top + between(a.height, b.height), height);
  const data = new Uint8Array(width * height);
  for (let y = inside(top, height); y < bottom; y++) {
    data.fill(255, y * width + inside(left, width), y * width + Math.max(inside(left, width), right));
  }
  return { width, height, data };
}
