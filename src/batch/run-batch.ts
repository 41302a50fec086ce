import { throwIfCancelled } from '../engine/cancel.ts';
import type { SeamFigures } from '../engine/tasks/extend-request.ts';
import { LongtakeError } from '../engine/types.ts';
import type { SheetTile } from '../media/contact-sheet.ts';
import { rateToText } from '../media/rational.ts';
import {
  runExtension,
  type ClipRange,
  type ExtendTask,
  type ExtensionOutput,
  type ExtensionPlan,
  type ExtensionProgress,
} from '../media/extension.ts';

/** One clip of a batch. */
export interface BatchItem {
  /** Position in the project, from 1. */
  index: number;
  name: string;
  /** Opens the clip and finds the part to extend. The caller disposes the clip. @throws LongtakeError 'input' */
  open(signal: AbortSignal): Promise<ClipRange & { notices: string[] }>;
}

/** What is kept of a clip that was made. */
export interface FinishedClip {
  model: string;
  backend: string;
  frames: number;
  prefixFrames: number;
  size: { width: number; height: number };
  /** As `rateToText` writes it. */
  rate: string;
  msPerFrame: number;
  seam: SeamFigures | null;
  files: string[];
  notices: string[];
  tiles: SheetTile[];
}

/** Files of one clip while it is made. */
export interface OpenItem {
  outputs: ExtensionOutput[];
  /** Puts the finished files in their places and remembers the clip as finished. */
  commit(result: Omit<FinishedClip, 'files'>): Promise<FinishedClip>;
  discard(): Promise<void>;
}

/** Where a batch keeps its results: a folder (`src/batch/node`), or storage of a browser. */
export interface BatchStore {
  /** A result of an earlier run with the same clip and settings, or null. */
  finished(item: BatchItem): Promise<FinishedClip | null>;
  begin(item: BatchItem): Promise<OpenItem>;
}

export interface BatchOptions {
  store: BatchStore;
  /** Loads the model; called once, when the first clip needs it. */
  load(): Promise<ExtendTask>;
  /** What to make of a part of a clip. */
  plan(range: ClipRange): ExtensionPlan;
  signal: AbortSignal;
  onProgress?: (item: BatchItem, progress: ExtensionProgress) => void;
  onOutcome?: (outcome: BatchOutcome) => void;
}

/** `kept`: finished by an earlier run. */
export type BatchOutcome =
  | { item: BatchItem; status: 'done' | 'kept'; result: FinishedClip }
  | { item: BatchItem; status: 'failed'; error: LongtakeError };

/** Faults of one clip; any other error would meet every clip and ends the batch. */
const CLIP_FAULTS = new Set(['input', 'usage', 'internal']);

/**
 * Extends clips one after the other. A clip that fails is reported and the rest goes on; finished clips are not made again.
 * @throws LongtakeError 'cancelled', or 'package', 'backend', 'output' for faults that meet every clip
 */
export async function runBatch(items: readonly BatchItem[], options: BatchOptions): Promise<BatchOutcome[]> {
  const outcomes: BatchOutcome[] = [];
  let extend: ExtendTask | null = null;
  for (const item of items) {
    throwIfCancelled(options.signal);
    const kept = await options.store.finished(item);
    let outcome: BatchOutcome;
    if (kept !== null) {
      outcome = { item, status: 'kept', result: kept };
    } else {
      outcome = await attempt(item, async () => {
        const range = await item.open(options.signal);
        try {
          extend ??= await options.load();
          return await makeClip(item, range, extend, options);
        } finally {
          range.clip.dispose();
        }
      });
    }
    outcomes.push(outcome);
    options.onOutcome?.(outcome);
  }
  return outcomes;
}

async function attempt(item: BatchItem, make: () => Promise<FinishedClip>): Promise<BatchOutcome> {
  try {
    return { item, status: 'done', result: await make() };
  } catch (error) {
    const known =
      error instanceof LongtakeError
        ? error
        : new LongtakeError('internal', `Something went wrong with this clip: ${String(error)}`, {
            cause: error,
          });
    if (!CLIP_FAULTS.has(known.code)) throw known;
    return { item, status: 'failed', error: known };
  }
}

async function makeClip(
  item: BatchItem,
  range: ClipRange & { notices: string[] },
  extend: ExtendTask,
  options: BatchOptions,
): Promise<FinishedClip> {
  const plan = options.plan(range);
  const open = await options.store.begin(item);
  try {
    const { report, tiles, notices } = await runExtension(extend, plan, open.outputs, {
      signal: options.signal,
      onProgress: (progress) => options.onProgress?.(item, progress),
    });
    return await open.commit({
      model: report.model,
      backend: report.backend,
      frames: report.frames,
      prefixFrames: report.prefixFrames,
      size: plan.size,
      rate: rateToText(plan.rate),
      msPerFrame: report.msPerFrame,
      seam: report.seam,
      notices: [...range.notices, ...notices],
      tiles,
    });
  } finally {
    await open.discard();
  }
}
