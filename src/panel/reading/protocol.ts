import type { SentError } from '../../engine/worker/protocol.ts';
import type { RgbaFrame } from '../../engine/types.ts';

/** Frames the reader may be ahead of who asked for them. */
export const FRAMES_AHEAD = 2;

/** A stretch of a video file. */
export interface Stretch {
  blob: Blob;
  /** Name for messages. */
  label: string;
  range: { startFrame: number; frameCount: number };
}

/** Page → reader. `id` names one reading; several may be under way. */
export type ToReader =
  | { id: number; kind: 'read'; stretch: Stretch }
  /** One frame was used. */
  | { id: number; kind: 'taken' }
  /** No more frames are wanted. */
  | { id: number; kind: 'close' };

/** Reader → page; `end` or `failed` is the last of a reading, and none comes after `close`. */
export type FromReader =
  | { id: number; kind: 'frame'; frame: RgbaFrame }
  | { id: number; kind: 'end' }
  | { id: number; kind: 'failed'; error: SentError };
