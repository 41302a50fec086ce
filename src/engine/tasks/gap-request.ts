import type {
  ExtendReport,
  FrameEvent,
  Frames,
  RolloutProgress,
  RolloutSettings,
  SeamFigures,
} from './extend-request.ts';

/**
 * What `fillGap` needs. `frameCount` frames are missing between the two parts; the camera track runs in time order over the
 * part before, the gap and the part after.
 */
export interface GapRequest extends RolloutSettings {
  /** Frames before the gap, at least one. All of them are read. */
  before: Frames;
  /** Frames after the gap, at least one. No more are read than the model takes as anchors. */
  after: Frames;
}

/**
 * What `makeLoop` needs: `frameCount` new frames lead from the clip's end back to its beginning. The camera track runs over
 * the clip and the new frames.
 */
export interface LoopRequest extends RolloutSettings {
  /** The clip, at least one frame. */
  prefix: Frames;
}

/** Delivered while a gap is filled; frames come in time order. */
export type GapEvent = RolloutProgress | FrameEvent | { kind: 'done'; report: GapReport };

/** Figures of a filled gap: `prefixFrames` and `seam` are of the part before it. */
export interface GapReport extends ExtendReport {
  /** Frames after the gap that were read. */
  afterFrames: number;
  seam: SeamFigures;
  seamAfter: SeamFigures;
}
