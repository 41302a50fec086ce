import type { CameraPose } from '../types.ts';
import { rotate } from './poses.ts';

/** How a picture is projected onto the token grid. */
export interface Projection {
  rows: number;
  columns: number;
  /** Vertical field of view of the whole picture, degrees. */
  verticalFov: number;
  /** Width over height of the picture as it is shown; the grid may be squeezed. */
  aspect: number;
}

/**
 * Writes the rays of one frame's tokens: camera position and unit direction through the token's centre
 * (docs/model.md, Camera), row by row.
 * @param rays receives rows·columns·6 values from index `at` on
 */
export function writeRays(pose: CameraPose, projection: Projection, rays: Float32Array, at: number): void {
  const { rows, columns, verticalFov, aspect } = projection;
  const tall = Math.tan((verticalFov * Math.PI) / 360);
  const wide = tall * aspect;
  let index = at;
  for (let row = 0; row < rows; row++) {
    const y = tall * (1 - (2 * (row + 0.5)) / rows);
    for (let column = 0; column < columns; column++) {
      const x = wide * ((2 * (column + 0.5)) / columns - 1);
      const length = Math.hypot(x, y, 1);
      rays.set(pose.position, index);
      rays.set(rotate(pose.orientation, [x / length, y / length, -1 / length]), index + 3);
      index += 6;
    }
  }
}
