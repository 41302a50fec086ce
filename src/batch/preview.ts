import type { SeamFigures } from '../engine/tasks/extend-request.ts';
import { LongtakeError, type CameraTrack, type RgbaFrame } from '../engine/types.ts';
import type { SheetTile } from '../media/contact-sheet.ts';
import type { ClipRange, ExtensionOutput } from '../media/extension.ts';
import type { ClipSettings } from './clip-settings.ts';

export type Content = ExtensionOutput['content'];

/** A clip of a batch, opened. */
export interface OpenedClip extends ClipRange {
  notices: string[];
  camera?: CameraTrack;
}

/** One clip of a batch. */
export interface BatchItem {
  /** Position in the project, from 1. */
  index: number;
  name: string;
  settings: ClipSettings;
  /** Opens the clip and finds the part to extend. The caller disposes the clip. @throws LongtakeError 'input' */
  open(signal: AbortSignal): Promise<OpenedClip>;
}

/** One continuation of one clip. */
export interface Preview {
  item: BatchItem;
  /** From 1. */
  variation: number;
  seed: number;
}

/** What is kept of a preview that was made. */
export interface FinishedPreview {
  model: string;
  backend: string;
  profile: ClipSettings['profile'];
  direction: ClipSettings['direction'];
  frames: number;
  prefixFrames: number;
  size: { width: number; height: number };
  /** As `rateToText` writes it. */
  rate: string;
  msPerFrame: number;
  seam: SeamFigures | null;
  /** Video files, in the order of the store's content. */
  files: string[];
  /** File name of a picture: the new frame at the cut. */
  poster: string;
  notices: string[];
  tiles: SheetTile[];
}

/** Files of one preview while it is made. */
export interface OpenPreview {
  outputs: ExtensionOutput[];
  /** Latents of its first chunks, where an earlier run was broken off while it made the preview. */
  madeChunks: readonly Float32Array[];
  /** Keeps the next chunk, for a run that has to go on with the preview. @throws LongtakeError 'output' */
  keepChunk(latents: Float32Array): Promise<void>;
  /** Puts the finished files in their places and remembers the preview as finished. */
  commit(result: Omit<FinishedPreview, 'files' | 'poster'>, poster: RgbaFrame): Promise<FinishedPreview>;
  /** Throws away what is not committed, but not the chunks. */
  discard(): Promise<void>;
}

/** Where a batch keeps its results: a folder (`src/batch/node`), or storage of a browser. */
export interface BatchStore {
  /** A result of an earlier run with the same clip and settings, or null. */
  finished(preview: Preview): Promise<FinishedPreview | null>;
  begin(preview: Preview): Promise<OpenPreview>;
}

/** `kept`: finished by an earlier run. A clip that fails has one outcome, whatever the number of its variations. */
export type BatchOutcome =
  | { preview: Preview; status: 'done' | 'kept'; result: FinishedPreview }
  | { preview: Preview; status: 'failed'; error: LongtakeError };

/** The previews that a batch makes of its clips, in order. */
export function previewsOf(items: readonly BatchItem[], variations: number): Preview[] {
  return items.flatMap((item) =>
    Array.from({ length: variations }, (_, i) => ({
      item,
      variation: i + 1,
      seed: (item.settings.seed + i) >>> 0,
    })),
  );
}

/** Outcomes in the order of the project's clips and their variations; they come as they are made. */
export function inOrder(outcomes: readonly BatchOutcome[]): BatchOutcome[] {
  return [...outcomes].sort(
    ({ preview: a }, { preview: b }) => a.item.index - b.item.index || a.variation - b.variation,
  );
}

/** How people tell an outcome from others: `2. Kitchen`, `2. Kitchen, variation 3`; a fault is the whole clip's. */
export function titleOf({ preview, status }: BatchOutcome, variations: number): string {
  const { item, variation } = preview;
  const which = variations > 1 && status !== 'failed' ? `, variation ${variation}` : '';
  return `${item.index}. ${item.name}${which}`;
}
