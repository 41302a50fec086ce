import { poseAt, relativePose } from '../camera/poses.ts';
import { modelFramesFor, modelFramesWithin, modelToClip } from '../detail/rate.ts';
import type { RateMap } from '../detail/rate.ts';
import type { CameraPose, CameraTrack } from '../types.ts';
import type { Direction } from './extend-request.ts';

/**
 * Where the frames of one rollout stand. Sequence order is the order of generation: prefix, then continuation, both
 * reversed in time for `backward`. The shared frame, counted 0 both at the clip's and at the model's rate, is the prefix's
 * last frame of the sequence, or the first new one of a cold start.
 */
export class Timeline {
  /** Model frames in the prefix. */
  readonly prefixModelFrames: number;
  /** First and last new frame, counted from the shared frame at the clip's rate. */
  readonly firstNew: number;
  readonly lastNew: number;
  /** First and last new model frame, counted from the shared frame. */
  readonly firstModel: number;
  readonly lastModel: number;
  /** Sequence index, at the clip's rate, of the shared frame. */
  readonly #shared: number;
  readonly #poses: (CameraPose | null)[];

  constructor(
    readonly prefixFrames: number,
    frameCount: number,
    readonly map: RateMap,
    direction: Direction,
    track: CameraTrack | undefined,
  ) {
    const cold = prefixFrames === 0;
    this.prefixModelFrames = modelFramesWithin(prefixFrames, map);
    this.firstNew = cold ? 0 : 1;
    this.lastNew = this.firstNew + frameCount - 1;
    this.firstModel = this.firstNew;
    this.lastModel = modelFramesFor(this.lastNew, map);
    this.#shared = cold ? 0 : prefixFrames - 1;
    const total = prefixFrames + frameCount;
    const poses = track?.poses ?? [];
    this.#poses = Array.from(
      { length: track ? total : 0 },
      (_, index) => poses[direction === 'forward' ? index : total - 1 - index] ?? null,
    );
  }

  /**
   * The clip frames that make up one model frame of the prefix: one frame where the clip is the faster, a mix of two
   * neighbours where the model is.
   * @param index 0 … prefixModelFrames − 1
   */
  prefixSource(index: number): { low: number; high: number; part: number; whole: number } {
    const back = modelToClip(this.prefixModelFrames - 1 - index, this.map);
    if (this.map.clipFrames >= this.map.modelFrames || back.part === 0) {
      const frame = this.#shared - back.low - (2 * back.part >= back.whole ? 1 : 0);
      return { low: frame, high: frame, part: 0, whole: 1 };
    }
    const high = this.#shared - back.low;
    return { low: high - 1, high, part: back.whole - back.part, whole: back.whole };
  }

  /** First known pose of the sequence, which all others are made relative to. */
  origin(): CameraPose | null {
    return this.#poses.find((pose) => pose !== null) ?? null;
  }

  /** Time index of a model frame counted from the shared frame; the sequence's first has 0. */
  timeOf(modelFrame: number): number {
    return Math.max(0, this.prefixModelFrames - 1) + modelFrame;
  }

  /**
   * Pose of a model frame, relative to `origin`.
   * @param modelFrame counted from the shared frame; negative within the prefix
   */
  poseOf(modelFrame: number, origin: CameraPose | null): CameraPose | null {
    if (!origin || this.#poses.length === 0) return null;
    let at: number;
    if (modelFrame < 0) {
      const { low, part, whole } = this.prefixSource(this.prefixModelFrames - 1 + modelFrame);
      at = low + part / whole;
    } else {
      const { low, part, whole } = modelToClip(modelFrame, this.map);
      at = this.#shared + low + part / whole;
    }
    const pose = poseAt(this.#poses, at);
    return pose && relativePose(pose, origin);
  }
}
