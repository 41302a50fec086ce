import type { CameraTrack, Rational, RgbaFrame } from '../types.ts';

export type Profile = 'draft' | 'preview' | 'final';
export type Direction = 'forward' | 'backward';

/** Frames of a clip in time order, RGBA at the clip's own size and rate. */
export type Frames = AsyncIterable<RgbaFrame> | Iterable<RgbaFrame>;

/** What every task needs. Frames are at the clip's own size and rate; the engine resamples to the model's and back. */
export interface RolloutSettings {
  size: { width: number; height: number };
  rate: Rational;
  /** Frames to make, at the clip's rate. At least 1. */
  frameCount: number;
  profile: Profile;
  /** Overrides the profile's number of denoise passes. */
  steps?: number;
  camera?: CameraTrack;
  /** 32-bit seed. */
  seed: number;
  signal?: AbortSignal;
}

/** What `extendClip` needs. */
export interface ExtendRequest extends RolloutSettings {
  /** Frames before the cut, in time order (for `backward`: frames after the cut, in time order). Empty = cold start. */
  prefix: Frames;
  /** Known length of the prefix, for progress; may be an estimate. */
  prefixLength?: number;
  /**
   * From an earlier rollout of the same model: starts from its state, so that a variation (other seed, length, steps or
   * camera of the continuation) need not read the prefix again. `prefix` is then not read; size and rate must be as before.
   */
  primed?: PrimedPrefix;
  /**
   * What the `chunk` events of an earlier run of the same request brought, from the first one on: these chunks are moved
   * past, not made again. The frames are the same as if nothing had come between.
   */
  madeChunks?: readonly Float32Array[];
  /** Asks for a `chunk` event for every chunk that is made. */
  keepChunks?: boolean;
  /** Asks for a `primed` event. It costs a copy of the state, so leave it out where no variations are wanted. */
  keepPrimed?: boolean;
  /**
   * In place of profile and steps: as many denoise passes, up to those of `final`, as leave the rollout done in this many
   * seconds, counted from the request and with the prefix's reading. The speed of the machine is measured first where it
   * is not known, and corrected from chunk to chunk; the number of passes only ever falls.
   */
  fitSeconds?: number;
  direction?: Direction;
}

/**
 * A prefix that was read and committed: the state after it and its last frames. Opaque to callers; in browsers only a
 * handle leaves the engine's worker.
 */
export interface PrimedPrefix {
  readonly prefixFrames: number;
  readonly direction: Direction;
}

/** Delivered while a task reads the user's frames and moves the state past them. */
export type RolloutProgress =
  { kind: 'reading'; framesRead: number } | { kind: 'priming'; chunksDone: number; chunks: number };

/** One finished frame, at the clip's size. */
export interface FrameEvent {
  kind: 'frame';
  /** Counted from 0 in the order of delivery. */
  index: number;
  frame: RgbaFrame;
  secondsLeft: number;
}

/** A chunk that was made, before its frames. */
export interface ChunkEvent {
  kind: 'chunk';
  /** Of the whole chunk [F, S, c]; to be read, not changed. */
  latents: Float32Array;
}

/** Delivered while a rollout runs. Frames come in time order for `forward`, in reversed time order for `backward`. */
export type ExtendEvent =
  | RolloutProgress
  | { kind: 'primed'; primed: PrimedPrefix }
  | ChunkEvent
  | FrameEvent
  | { kind: 'done'; report: ExtendReport };

/** Figures of a finished rollout. */
export interface ExtendReport {
  model: string;
  backend: string;
  frames: number;
  prefixFrames: number;
  msPerFrame: number;
  seam: SeamFigures | null;
  /** Where the request had `fitSeconds`: the passes of the last chunk, and whether the rollout was done in time. */
  fit?: { steps: number; inTime: boolean };
  /** Gaps and loops alone: the cut from the last new frame to the frame that follows it. */
  seamAfter?: SeamFigures;
}

/**
 * The cut (last prefix frame → first new frame) against the steps between neighbouring prefix frames.
 * PSNR in dB; colour step = distance of the frames' mean RGB, 0…255. `null` for a cold start.
 * "Within" is the mean of those steps; "roughest" the largest single one, which a turn or a passing wall makes far larger
 * than the mean: a cut no rougher than that is not seen as a jump.
 */
export interface SeamFigures {
  psnrAcrossCut: number;
  psnrWithinPrefix: number;
  psnrRoughestStep: number;
  colourStepAcrossCut: number;
  colourStepWithinPrefix: number;
  colourStepRoughest: number;
  /** Fine detail of the new frame at the cut over that of the clip's frame: 1 = as sharp, below 1 = softer. */
  detailRatio: number;
}
