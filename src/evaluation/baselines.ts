import { emptyPicture, type Picture } from './picture.ts';

/** Rounds of over-relaxation of the harmonic fill; a hole of 64 × 64 pixels is settled to well under one grey level. */
const ROUNDS = 200;

/**
 * A cross-fade between the frames at the edges of a gap.
 * @param part 0 … 1 on the way from `before` to `after`
 */
export function crossFade(before: Picture, after: Picture, part: number): Picture {
  const result = emptyPicture(before);
  for (let at = 0; at < result.rgb.length; at++) {
    result.rgb[at] = before.rgb[at]! + (after.rgb[at]! - before.rgb[at]!) * part;
  }
  return result;
}

/** `picture` with the pixels marked in `where` taken from `source`. */
export function patched(picture: Picture, source: Picture, where: Uint8Array): Picture {
  const result = { ...picture, rgb: picture.rgb.slice() };
  for (let at = 0; at < result.rgb.length; at++) {
    if (where[Math.floor(at / 3)] !== 0) result.rgb[at] = source.rgb[at]!;
  }
  return result;
}

/**
 * Fills a hole smoothly from its rim: every pixel in it becomes the mean of its neighbours (Laplace's equation per
 * channel; edges of the picture are mirrored). Stands for inpainting without a model, as Telea's.
 * @param where 1 in the hole, [height, width]
 */
export function harmonicFill(picture: Picture, where: Uint8Array): Picture {
  const { width, height } = picture;
  const result = { ...picture, rgb: picture.rgb.slice() };
  const hole: number[] = [];
  where.forEach((inside, at) => inside !== 0 && hole.push(at));
  if (hole.length === 0 || hole.length === where.length) return result;
  const neighbours = hole.map((at) => {
    const [row, column] = [Math.floor(at / width), at % width];
    return [
      row > 0 && at - width,
      row + 1 < height && at + width,
      column > 0 && at - 1,
      column + 1 < width && at + 1,
    ].filter((next) => next !== false);
  });
  // The best factor of over-relaxation for a square hole of this size.
  const factor = 2 / (1 + Math.sin(Math.PI / (Math.sqrt(hole.length) + 1)));
  for (let channel = 0; channel < 3; channel++) {
    const values = Float64Array.from(where, (_, at) => picture.rgb[at * 3 + channel]!);
    const start = rimMean(values, where, neighbours);
    for (const at of hole) values[at] = start;
    for (let round = 0; round < ROUNDS; round++) {
      hole.forEach((at, index) => {
        const around = neighbours[index]!;
        let sum = 0;
        for (const next of around) sum += values[next]!;
        values[at] = values[at]! + factor * (sum / around.length - values[at]!);
      });
    }
    for (const at of hole) result.rgb[at * 3 + channel] = values[at]!;
  }
  return result;
}

function rimMean(values: Float64Array, where: Uint8Array, neighbours: readonly number[][]): number {
  const rim = new Set(neighbours.flat().filter((at) => where[at] === 0));
  let sum = 0;
  for (const at of rim) sum += values[at]!;
  return rim.size === 0 ? 0 : sum / rim.size;
}
