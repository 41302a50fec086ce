import type { WorldSpec } from '../../package/model-json.ts';

/**
 * Cosines and sines for kernels/matmul-heads.wgsl, from angles in double precision: time indices grow without end.
 * @param times time index of each frame
 * @returns pairs (cos, sin): rows × row frequencies, columns × column frequencies, frames × time frequencies
 */
export function rotations(
  grid: WorldSpec['grid'],
  rope: WorldSpec['attention']['rope'],
  times: ArrayLike<number>,
): Float32Array {
  const pairs: number[] = [];
  const append = (position: number, frequencies: readonly number[]): void => {
    for (const frequency of frequencies) {
      pairs.push(Math.cos(frequency * position), Math.sin(frequency * position));
    }
  };
  for (let row = 0; row < grid.rows; row++) append(row, rope.row);
  for (let column = 0; column < grid.columns; column++) append(column, rope.column);
  for (let frame = 0; frame < times.length; frame++) append(times[frame]!, rope.time);
  return Float32Array.from(pairs);
}
