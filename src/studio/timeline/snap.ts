/** A snapped position and the point it snapped to, for the guide line; `point` is null where nothing was near. */
export interface Snapped {
  frame: number;
  point: number | null;
}

/**
 * Snaps a moving range by its start or its end, whichever is nearer to a point.
 * @param start wanted first frame
 * @param length frames; 0 snaps a single position
 * @param points frames to snap to
 * @param reach largest distance, in frames
 */
export function snapRange(start: number, length: number, points: readonly number[], reach: number): Snapped {
  let best: Snapped = { frame: start, point: null };
  let distance = reach;
  for (const point of points) {
    for (const edge of length > 0 ? [0, length] : [0]) {
      const off = Math.abs(start + edge - point);
      if (off <= distance && (best.point === null || off < distance)) {
        best = { frame: point - edge, point };
        distance = off;
      }
    }
  }
  return best;
}
