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

/** Page → worker that turns frames into files; every message is answered once. */
export interface ToKeeper {
  id: number;
  frame: RgbaFrame;
}

export type FromKeeper = { id: number; blob: Blob } | { id: number; message: string };
