import { LongtakeError, type CameraPose, type CameraTrack } from '../types.ts';

/**
 * Reads a camera track: JSON `{"verticalFov": 75, "poses": [{"position": [x, y, z], "orientation": [w, x, y, z]}, null, …]}`,
 * one pose a frame over prefix and continuation at the clip's rate, null where it is not known.
 * @param name what the user calls the file; used in messages
 * @throws LongtakeError 'input'
 */
export function parseCameraTrack(text: string, name: string): CameraTrack {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new LongtakeError('input', `The camera file “${name}” is not valid JSON.`, { cause });
  }
  const { poses, verticalFov } = (content ?? {}) as { poses?: unknown; verticalFov?: unknown };
  if (!Array.isArray(poses))
    throw new LongtakeError('input', `The camera file “${name}” has no list “poses”.`);
  if (
    verticalFov !== undefined &&
    !(typeof verticalFov === 'number' && verticalFov > 0 && verticalFov < 180)
  ) {
    throw new LongtakeError(
      'input',
      `“verticalFov” in the camera file “${name}” must be between 0 and 180 degrees.`,
    );
  }
  return {
    poses: poses.map((pose, index) => readPose(pose, index, name)),
    ...(verticalFov === undefined ? {} : { verticalFov: verticalFov as number }),
  };
}

function readPose(value: unknown, index: number, name: string): CameraPose | null {
  if (value === null) return null;
  const { position, orientation } = (value ?? {}) as { position?: unknown; orientation?: unknown };
  if (isNumbers(position, 3) && isNumbers(orientation, 4)) {
    const length = Math.hypot(...orientation);
    if (length > 1e-6) {
      const [w, x, y, z] = orientation.map((part) => part / length) as CameraPose['orientation'];
      return { position: [position[0]!, position[1]!, position[2]!], orientation: [w, x, y, z] };
    }
  }
  throw new LongtakeError(
    'input',
    `Pose ${index + 1} in the camera file “${name}” must have a position of 3 numbers and an orientation of 4.`,
  );
}

function isNumbers(value: unknown, length: number): value is number[] {
  return Array.isArray(value) && value.length === length && value.every((part) => Number.isFinite(part));
}
