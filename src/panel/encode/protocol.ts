import type { LongtakeErrorCode, RgbaFrame } from '../../engine/types.ts';
import type { EncodeJob } from '../services.ts';

/** Page → worker: the one job of a worker. It is stopped by ending the worker. */
export interface ToEncoder {
  job: EncodeJob;
}

/** Worker → page; `done` or `failed` is the last. */
export type FromEncoder =
  | { kind: 'progress'; fraction: number }
  | { kind: 'done'; blob: Blob }
  | { kind: 'failed'; code: LongtakeErrorCode; message: string };

/** Page → worker that turns frames into pictures and files. */
export interface ToKeeper {
  id: number;
  frame: RgbaFrame;
  /** Longest side of the picture, in pixels; left out: the panel's usual one. */
  side?: number;
}

/** Every frame is answered with its picture and then its file, or with `message`, why they can not be made. */
export type FromKeeper =
  { id: number; picture: ImageBitmap } | { id: number; blob: Blob } | { id: number; message: string };
