import type { CameraPose, CameraTrack } from '../types.ts';

export type Quaternion = CameraPose['orientation'];
export type Vector = CameraPose['position'];

/** The pose that all others may be relative to. */
export const IDENTITY: CameraPose = { position: [0, 0, 0], orientation: [1, 0, 0, 0] };

/** A vector turned by a unit quaternion (w, x, y, z). */
export function rotate([w, x, y, z]: Quaternion, [a, b, c]: Vector): Vector {
  // v + 2w(u×v) + 2u×(u×v) with u = (x, y, z).
  const [p, q, r] = [y * c - z * b, z * a - x * c, x * b - y * a];
  return [a + 2 * (w * p + y * r - z * q), b + 2 * (w * q + z * p - x * r), c + 2 * (w * r + x * q - y * p)];
}

/** The pose `pose` as seen from `origin`: what turns `origin` into the identity. */
export function relativePose(pose: CameraPose, origin: CameraPose): CameraPose {
  const [w, x, y, z] = origin.orientation;
  const inverse: Quaternion = [w, -x, -y, -z];
  const offset = pose.position.map((value, axis) => value - origin.position[axis]!) as Vector;
  return { position: rotate(inverse, offset), orientation: multiply(inverse, pose.orientation) };
}

/** The pose that `origin` sees as `pose`: undoes `relativePose`. */
export function composePoses(origin: CameraPose, pose: CameraPose): CameraPose {
  const offset = rotate(origin.orientation, pose.position);
  return {
    position: origin.position.map((value, axis) => value + offset[axis]!) as Vector,
    orientation: normalised(multiply(origin.orientation, pose.orientation)),
  };
}

/** The pose between two: positions in a straight line, orientations along the shorter arc. `part` 0…1. */
export function blendPoses(a: CameraPose, b: CameraPose, part: number): CameraPose {
  const position = a.position.map((value, axis) => value + (b.position[axis]! - value) * part) as Vector;
  let cosine = a.orientation.reduce((sum, value, i) => sum + value * b.orientation[i]!, 0);
  const sign = cosine < 0 ? -1 : 1;
  cosine = Math.min(1, Math.abs(cosine));
  const angle = Math.acos(cosine);
  // Nearly parallel: the arc is a straight line, and dividing by its sine would lose all digits.
  const flat = angle < 1e-4;
  const [from, to] = flat
    ? [1 - part, part]
    : [Math.sin((1 - part) * angle) / Math.sin(angle), Math.sin(part * angle) / Math.sin(angle)];
  const mixed = a.orientation.map((value, i) => from * value + sign * to * b.orientation[i]!) as Quaternion;
  return { position, orientation: normalised(mixed) };
}

/**
 * Pose at a place of a track between or on its frames.
 * @param at index of a frame, may have a fraction; a place behind the end takes the last pose
 * @returns null where a neighbouring pose is unknown
 */
export function poseAt(poses: CameraTrack['poses'], at: number): CameraPose | null {
  const last = poses.length - 1;
  if (last < 0) return null;
  const place = Math.min(at, last);
  const low = Math.floor(place);
  const part = place - low;
  const a = poses[low] ?? null;
  if (part === 0 || !a) return a;
  const b = poses[low + 1] ?? null;
  return b && blendPoses(a, b, part);
}

export function normalised(q: Quaternion): Quaternion {
  const length = Math.hypot(...q);
  return q.map((value) => value / length) as Quaternion;
}

function multiply([a, b, c, d]: Quaternion, [e, f, g, h]: Quaternion): Quaternion {
  return [
    a * e - b * f - c * g - d * h,
    a * f + b * e + c * h - d * g,
    a * g - b * h + c * e + d * f,
    a * h + b * g - c * f + d * e,
  ];
}
