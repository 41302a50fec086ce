/** A frame in memory: RGBA, 8 bits, rows from the top, no padding. Alpha is ignored. */
export interface RgbaFrame {
  width: number;
  height: number;
  data: Uint8ClampedArray;
}

/** Frames per second as a fraction; never a float. */
export interface Rational {
  num: number;
  den: number;
}

/** Pose of one frame: docs/model.md, Camera. */
export interface CameraPose {
  position: [number, number, number];
  /** Unit quaternion w, x, y, z. */
  orientation: [number, number, number, number];
}

/**
 * Per-frame poses over prefix and continuation, at the clip's rate, in time order (backward: the continuation's come
 * first); null = unknown. The engine makes them relative to the first known pose in the order of generation.
 */
export interface CameraTrack {
  /** Vertical field of view, degrees. */
  verticalFov?: number;
  poses: (CameraPose | null)[];
}

/** Base of every error that a user can meet: `message` is one sentence an editor understands. */
export class LongtakeError extends Error {
  readonly code: LongtakeErrorCode;
  constructor(code: LongtakeErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'LongtakeError';
    this.code = code;
  }
}

/** usage → exit 2, input → 3, backend → 4, package → 5, cancelled → 130; output and internal → 1. */
export type LongtakeErrorCode =
  'usage' | 'input' | 'backend' | 'package' | 'cancelled' | 'output' | 'internal';
