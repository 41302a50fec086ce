import { STREAM, uniforms } from './random.ts';

/** Share of the picture that the region task leaves to the model. */
export const REGION_SHARE = 0.25;

/** Tokens that the rectangle drifts a frame, along each axis. */
const DRIFT = 1 / 16;

/**
 * The tokens to be generated in the frames of the region task: a rectangle of a quarter of the grid, half as high and half
 * as wide, that starts at a random place, drifts a token in 16 frames along both axes and turns back at the edges.
 * @param grid tokens
 * @param index frame of the task, 0 …
 * @returns [rows · columns], 1 where the model is to fill
 */
export function regionMask(grid: { rows: number; columns: number }, index: number, seed: number): Uint8Array {
  const { rows, columns } = grid;
  const height = Math.max(1, Math.round(rows * Math.sqrt(REGION_SHARE)));
  const width = Math.min(columns, Math.max(1, Math.round((rows * columns * REGION_SHARE) / height)));
  const draw = uniforms(seed, STREAM.region);
  const [top, left] = [rows - height, columns - width].map((room) => {
    const start = draw() * 2 * room;
    return Math.round(reflected(start + index * DRIFT, room));
  }) as [number, number];
  const mask = new Uint8Array(rows * columns);
  for (let row = top; row < top + height; row++) {
    mask.fill(1, row * columns + left, row * columns + left + width);
  }
  return mask;
}

/** Where a point is that runs to and fro between 0 and `room`. */
function reflected(way: number, room: number): number {
  if (room === 0) return 0;
  const within = way % (2 * room);
  return within <= room ? within : 2 * room - within;
}

/**
 * The mask on pixels.
 * @param size of the picture, a whole multiple of the grid
 * @returns [height, width]
 */
export function pixelMask(
  mask: Uint8Array,
  { rows, columns }: { rows: number; columns: number },
  { width, height }: { width: number; height: number },
): Uint8Array {
  return Uint8Array.from({ length: width * height }, (_, at) => {
    const row = Math.floor((Math.floor(at / width) * rows) / height);
    return mask[row * columns + Math.floor(((at % width) * columns) / width)]!;
  });
}
