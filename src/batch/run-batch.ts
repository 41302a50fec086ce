import { throwIfCancelled } from '../engine/cancel.ts';
import type { PrimedPrefix } from '../engine/tasks/extend-request.ts';
import { LongtakeError, type RgbaFrame } from '../engine/types.ts';
import { framesIn, rateToText } from '../media/rational.ts';
import {
  runExtension,
  type ExtendTask,
  type ExtensionPlan,
  type ExtensionProgress,
  type ExtensionStart,
} from '../media/extension.ts';
import { BatchClock, costOf } from './batch-clock.ts';
import {
  previewsOf,
  type BatchItem,
  type BatchOutcome,
  type BatchStore,
  type FinishedPreview,
  type OpenedClip,
  type Preview,
} from './preview.ts';

/** How far a batch is. */
export interface BatchProgress extends ExtensionProgress {
  preview: Preview;
  /** Of the whole batch, 0…1. */
  fraction: number;
  /** Of the whole batch; null while nothing is known. */
  batchSecondsLeft: number | null;
}

export interface BatchOptions {
  store: BatchStore;
  /** Loads the model; called once, when the first clip needs it. */
  load(): Promise<ExtendTask>;
  /** Lets go of a prefix whose variations are made, where the engine holds it. */
  release?(primed: PrimedPrefix): void;
  /** Continuations of each clip, at least 1. They start from one snapshot: the model reads a clip once. */
  variations: number;
  signal: AbortSignal;
  onProgress?: (progress: BatchProgress) => void;
  onOutcome?: (outcome: BatchOutcome) => void;
}

/** Faults of one clip; any other error would meet every clip and ends the batch. */
const CLIP_FAULTS = new Set(['input', 'usage', 'internal']);

/**
 * Extends clips one after the other. A clip that fails is reported and the rest goes on; finished previews are not made
 * again.
 * @throws LongtakeError 'cancelled', or 'package', 'backend', 'output' for faults that meet every clip
 */
export async function runBatch(items: readonly BatchItem[], options: BatchOptions): Promise<BatchOutcome[]> {
  return new Batch(items, options).run();
}

class Batch {
  private readonly outcomes: BatchOutcome[] = [];
  private readonly clock: BatchClock;
  private extend: ExtendTask | null = null;

  constructor(
    private readonly items: readonly BatchItem[],
    private readonly options: BatchOptions,
  ) {
    this.clock = new BatchClock(previewsOf(items, options.variations).map(({ item }) => costOf(item)));
  }

  async run(): Promise<BatchOutcome[]> {
    for (const item of this.items) await this.takeClip(item);
    const place = ({ preview }: BatchOutcome): number =>
      this.items.indexOf(preview.item) * this.options.variations + preview.variation;
    return this.outcomes.sort((a, b) => place(a) - place(b));
  }

  private async takeClip(item: BatchItem): Promise<void> {
    const cost = costOf(item);
    const missing: Preview[] = [];
    for (const preview of previewsOf([item], this.options.variations)) {
      throwIfCancelled(this.options.signal);
      const result = await this.options.store.finished(preview);
      if (result === null) {
        missing.push(preview);
      } else {
        this.clock.settle(cost, null);
        this.tell({ preview, status: 'kept', result });
      }
    }
    if (missing.length === 0) return;
    let made = 0;
    try {
      for await (const { preview, result, seconds } of this.make(item, missing)) {
        made++;
        this.clock.settle(cost, seconds);
        this.tell({ preview, status: 'done', result });
      }
    } catch (cause) {
      const error = asClipFault(cause);
      this.clock.settle(cost * (missing.length - made), null);
      this.tell({ preview: missing[made]!, status: 'failed', error });
    }
  }

  private tell(outcome: BatchOutcome): void {
    this.outcomes.push(outcome);
    this.options.onOutcome?.(outcome);
  }

  /** Makes the variations of a clip that are not there yet. */
  private async *make(
    item: BatchItem,
    previews: readonly Preview[],
  ): AsyncGenerator<{ preview: Preview; result: FinishedPreview; seconds: number }> {
    const opened = await item.open(this.options.signal);
    let start: ExtensionStart | null = null;
    try {
      this.extend ??= await this.options.load();
      for (const [i, preview] of previews.entries()) {
        const began = performance.now();
        const plan = planPreview(opened, preview, start, i + 1 < previews.length);
        const result = await this.makePreview(preview, plan, opened, this.extend, (made) => (start = made));
        yield { preview, result, seconds: (performance.now() - began) / 1000 };
      }
    } finally {
      if (start !== null) this.options.release?.((start as ExtensionStart).primed);
      opened.clip.dispose();
    }
  }

  private async makePreview(
    preview: Preview,
    plan: ExtensionPlan,
    opened: OpenedClip,
    extend: ExtendTask,
    onStart: (start: ExtensionStart) => void,
  ): Promise<FinishedPreview> {
    const { profile, direction } = preview.item.settings;
    const began = performance.now();
    let poster: RgbaFrame | null = null;
    const open = await this.options.store.begin(preview);
    try {
      const { report, tiles, notices } = await runExtension(extend, plan, open.outputs, {
        signal: this.options.signal,
        onProgress: (progress) => this.progress(preview, progress, (performance.now() - began) / 1000),
        onFrame: (frame) => (poster ??= frame),
        onStart,
      });
      const result = {
        model: report.model,
        backend: report.backend,
        profile,
        direction,
        frames: report.frames,
        prefixFrames: report.prefixFrames,
        size: plan.size,
        rate: rateToText(plan.rate),
        msPerFrame: report.msPerFrame,
        seam: report.seam,
        notices: [...opened.notices, ...notices],
        tiles,
      };
      return await open.commit(result, poster!);
    } finally {
      await open.discard();
    }
  }

  private progress(preview: Preview, progress: ExtensionProgress, elapsed: number): void {
    const { phase, done, total, secondsLeft } = progress;
    const share = phase === 'generating' ? done / total : phase === 'writing' ? 1 : 0;
    const left = phase === 'writing' ? 0 : (secondsLeft ?? null);
    const reading = this.clock.reading({ cost: costOf(preview.item), share, elapsed, left });
    this.options.onProgress?.({
      ...progress,
      preview,
      fraction: reading.fraction,
      batchSecondsLeft: reading.secondsLeft,
    });
  }
}

/** The error as one clip's, or thrown on where every clip would meet it. */
function asClipFault(cause: unknown): LongtakeError {
  const known =
    cause instanceof LongtakeError
      ? cause
      : new LongtakeError('internal', `Something went wrong with this clip: ${String(cause)}`, { cause });
  if (!CLIP_FAULTS.has(known.code)) throw known;
  return known;
}

/** @param keep whether other variations of the same prefix follow */
function planPreview(
  opened: OpenedClip,
  { item, seed }: Preview,
  start: ExtensionStart | null,
  keep: boolean,
): ExtensionPlan {
  const { size, rate } = opened.clip.facts;
  const { seconds, profile, direction, steps } = item.settings;
  return {
    prefix: opened,
    size,
    rate,
    request: {
      frameCount: framesIn(seconds, rate),
      profile,
      direction,
      seed,
      ...(steps === null ? {} : { steps }),
      ...(opened.camera === undefined ? {} : { camera: opened.camera }),
      ...(keep && start === null ? { keepPrimed: true } : {}),
    },
    ...(start === null ? {} : { start }),
  };
}
