/** A place on a picture in parts of its width and height, from its middle: x to the right, y upwards, −0.5…0.5 inside. */
export interface PathPoint {
  x: number;
  y: number;
}

/** Where the middle of the view goes, on the frame at the cut. It starts in the middle of the picture, which is not listed. */
export type DrawnPath = readonly PathPoint[];

/**
 * How far the camera must have turned to look at a part of a path, which is followed at an even speed on the picture.
 * @param part 0…1 of the path's length
 * @param verticalFov of the picture, degrees
 * @param aspect width over height of the picture
 * @returns radians to the left and, from there, upwards
 */
export function pathTurn(
  path: DrawnPath,
  part: number,
  verticalFov: number,
  aspect: number,
): { left: number; up: number } {
  const { x, y } = pointAt(path, part, aspect);
  const tall = 2 * Math.tan((verticalFov * Math.PI) / 360);
  const [right, up] = [x * tall * aspect, y * tall];
  return { left: -Math.atan(right), up: Math.atan2(up, Math.hypot(right, 1)) };
}

/** The place on a path that lies at a part of its length, the middle of the picture at 0. */
function pointAt(path: DrawnPath, part: number, aspect: number): PathPoint {
  const points: PathPoint[] = [{ x: 0, y: 0 }, ...path];
  const lengths = points.map((point, index) => {
    const before = points[index - 1] ?? point;
    return Math.hypot((point.x - before.x) * aspect, point.y - before.y);
  });
  let rest = part * lengths.reduce((sum, length) => sum + length, 0);
  for (let index = 1; index < points.length; index++) {
    const length = lengths[index]!;
    const [from, to] = [points[index - 1]!, points[index]!];
    if (rest <= length && length > 0) {
      const along = rest / length;
      return { x: from.x + (to.x - from.x) * along, y: from.y + (to.y - from.y) * along };
    }
    rest -= length;
  }
  return points.at(-1)!;
}
