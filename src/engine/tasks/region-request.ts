import type { FrameEvent, Frames, RolloutProgress, RolloutSettings } from './extend-request.ts';

/** A mask at the clip's size: 8 bits a pixel, rows from the top. From 128 on a pixel is to be repainted. */
export interface MaskPicture {
  width: number;
  height: number;
  data: Uint8Array | Uint8ClampedArray;
}

/** A rectangle in the clip's pixels at one frame; parts outside the picture do not count. */
export interface RectangleKeyframe {
  /** Frame to be repainted, counted from 0. */
  frame: number;
  x: number;
  y: number;
  /** Above 0. */
  width: number;
  height: number;
}

/**
 * What is to be repainted: a mask picture for every frame, or a rectangle that moves evenly from keyframe to keyframe and
 * rests before the first and after the last one.
 */
export type RegionMask =
  | { kind: 'pictures'; pictures: AsyncIterable<MaskPicture> | Iterable<MaskPicture> }
  | { kind: 'rectangles'; keyframes: readonly RectangleKeyframe[] };

/** What `repaintRegion` needs. The camera track runs over the prefix and the frames to repaint. */
export interface RepaintRequest extends RolloutSettings {
  /** Frames before those to repaint; the model sees them as they are. May be empty. */
  prefix: Frames;
  /** The frames to repaint, `frameCount` of them. */
  frames: Frames;
  mask: RegionMask;
}

/**
 * Delivered while frames are repainted, chunk by chunk, in time order. Pixels outside the mask are those of the request; a
 * frame whose mask is empty is the very object that was given.
 */
export type RepaintEvent = RolloutProgress | FrameEvent | { kind: 'done'; report: RepaintReport };

/** Figures of a finished repainting. */
export interface RepaintReport {
  model: string;
  backend: string;
  frames: number;
  prefixFrames: number;
  msPerFrame: number;
  /** Frames in which anything was to be repainted. */
  repaintedFrames: number;
  /** Share of all pixels of the frames that the masks cover, 0…1. */
  maskedShare: number;
}
