import type { Projection } from '../camera/rays.ts';
import type { FrameStep } from '../seam.ts';
import { LongtakeError } from '../types.ts';
import type { CameraPose, Rational, RgbaFrame } from '../types.ts';
import type { WorldSnapshot } from '../world/world-model.ts';
import type { SequenceFrame } from './chunk-frames.ts';
import type { Direction, ExtendRequest, PrimedPrefix } from './extend-request.ts';

/** Where a rollout stands when its prefix is committed. */
export class Primed implements PrimedPrefix {
  readonly prefixFrames: number;
  readonly direction: Direction;

  constructor(
    readonly at: {
      prefixFrames: number;
      direction: Direction;
      /** sha256 of the weights that made the state. */
      weights: string;
      size: { width: number; height: number };
      rate: Rational;
      snapshot: WorldSnapshot;
      /** Prefix frames that no full chunk was left for: they start the first mixed chunk. */
      rest: readonly SequenceFrame[];
      atCut: RgbaFrame | null;
      steps: readonly FrameStep[];
      /** The pose that those of the prefix were made relative to; null when none was known. */
      origin: CameraPose | null;
      projection: Projection;
    },
  ) {
    this.prefixFrames = at.prefixFrames;
    this.direction = at.direction;
  }

  /**
   * The state behind an opaque handle.
   * @throws LongtakeError `usage` when it is not one of this engine's, or was made by another model or for another size, rate or
   *   direction
   */
  static of(handle: PrimedPrefix, request: ExtendRequest, weights: string): Primed['at'] {
    if (!(handle instanceof Primed) || handle.at.weights !== weights) {
      throw new LongtakeError('usage', 'The saved start of the variation was made by another world model.');
    }
    const { size, rate, direction } = handle.at;
    const same =
      size.width === request.size.width &&
      size.height === request.size.height &&
      rate.num * request.rate.den === rate.den * request.rate.num &&
      direction === (request.direction ?? 'forward');
    if (!same)
      throw new LongtakeError('usage', 'A variation must have the size, rate and direction of its original.');
    return handle.at;
  }
}
