import type { Direction, ExtendEvent, ExtendRequest, PrimedPrefix } from '../engine/tasks/extend-request.ts';
import type { GapEvent, GapRequest, LoopRequest } from '../engine/tasks/gap-request.ts';
import type { RepaintEvent, RepaintRequest } from '../engine/tasks/region-request.ts';
import type { ModelJson } from '../engine/package/model-json.ts';
import type { FrameCost } from '../engine/scheduler/frame-cost.ts';
import type { Speed } from '../engine/scheduler/speed.ts';
import type { CameraTrack, Rational, RgbaFrame } from '../engine/types.ts';
import type { KeyValueStore, RegionToRepaint } from './hosts/host-adapter.ts';
import type { ClipStore } from './clips/clip-store.ts';
import type { EngineInfo } from './state/panel-state.ts';

/** The engine as the panel uses it: behind it is a worker. */
export interface PanelEngine {
  /** The description of the world model and the backend that the page asks for, before anything is loaded. */
  describe(signal: AbortSignal): Promise<{ model: ModelJson; backend: string | null }>;
  /** Loads the world model unless it is loaded or being loaded. `onProgress` gets 0…1. */
  load(signal: AbortSignal, onProgress: (fraction: number) => void): Promise<EngineInfo>;
  /**
   * Measures this machine once the engine is at rest; a rollout that begins meanwhile ends it. Tells the backend that was
   * measured, which after a failure of the device is another one than at first.
   * @param size of the clip, pixels
   * @throws LongtakeError `cancelled` where a rollout came first
   */
  measure(
    size: { width: number; height: number },
    signal: AbortSignal,
  ): Promise<{ speed: Speed; frames: FrameCost; backend: string }>;
  /** Runs one rollout; the engine must be loaded. */
  extend(request: ExtendRequest): AsyncIterable<ExtendEvent>;
  /** Fills a gap; the engine must be loaded. */
  fillGap(request: GapRequest): AsyncIterable<GapEvent>;
  /** Closes a loop; the engine must be loaded. */
  makeLoop(request: LoopRequest): AsyncIterable<GapEvent>;
  /** Repaints a part of the picture; the engine must be loaded. */
  repaint(request: RepaintRequest): AsyncIterable<RepaintEvent>;
  /** Whether a primed prefix can still be used. */
  holds(primed: PrimedPrefix): boolean;
  release(primed: PrimedPrefix): void;
  dispose(): void;
}

/** What a finished clip is written from. */
export interface EncodeJob {
  content: 'continuation' | 'extended';
  direction: Direction;
  /** The clip that is continued; null for a cold start. Its colours are kept; `extended` also takes frames and sound. */
  source: { blob: Blob; label: string; range: { startFrame: number; frameCount: number } } | null;
  /** The new frames take the place of these, and differ from them inside the mask alone. */
  within?: Pick<RegionToRepaint, 'range' | 'mask'>;
  /** The new frames as image files, in the order of time. */
  frames: readonly Blob[];
  size: { width: number; height: number };
  rate: Rational;
}

/** Writing of finished clips. */
export interface PanelMedia {
  /** Whether this browser writes H.264. */
  canEncode(): Promise<boolean>;
  /**
   * A new frame as a picture to show and as an image file of the best quality, to keep it until the clip is written. The
   * frame's memory is given away.
   * @param side longest side of the picture, in pixels; left out: the panel's usual one
   * @throws LongtakeError `output`, from both
   */
  keepFrame(frame: RgbaFrame, side?: number): { picture: Promise<ImageBitmap>; file: Promise<Blob> };
  /** A finished clip as an H.264 `video/mp4`. `onProgress` gets 0…1. */
  encode(job: EncodeJob, signal: AbortSignal, onProgress: (fraction: number) => void): Promise<Blob>;
}

/** What the panel needs beside its host; tests put their own in. */
export interface PanelServices {
  engine: PanelEngine;
  media: PanelMedia;
  clips: ClipStore;
  values: KeyValueStore;
  /** The graphics device that the engine would run on, in a few words; null where there is none. */
  graphicsDevice(): Promise<string | null>;
  /** @throws LongtakeError `input` where the text is no camera track */
  parseCameraTrack(text: string, name: string): CameraTrack;
}
