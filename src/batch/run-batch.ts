import { throwIfCancelled } from '../engine/cancel.ts';
import type { PrimedPrefix } from '../engine/tasks/extend-request.ts';
import { BatchClock, costOf } from './batch-clock.ts';
import { asClipFault } from './clip-fault.ts';
import { ClipPreviews, type ClipFailure } from './clip-previews.ts';
import type { PreviewProgress } from './clip-progress.ts';
import { EngineInUse, type BatchEngine } from './engine-in-use.ts';
import {
  inOrder,
  previewsOf,
  type BatchItem,
  type BatchOutcome,
  type BatchStore,
  type OpenedClip,
  type Preview,
} from './preview.ts';

/** How far a batch is. */
export interface BatchProgress extends PreviewProgress {
  /** Of the whole batch, 0…1. */
  fraction: number;
  /** Of the whole batch; null while nothing is known. */
  batchSecondsLeft: number | null;
}

export interface BatchOptions {
  store: BatchStore;
  /** Loads the model; called once, when the first clip needs it. */
  load(): Promise<BatchEngine>;
  /** Lets go of a prefix whose variations are made, where the engine holds it. */
  release?(primed: PrimedPrefix): void;
  /** Continuations of each clip, at least 1. They start from one snapshot: the model reads a clip once. */
  variations: number;
  signal: AbortSignal;
  onProgress?: (progress: BatchProgress) => void;
  /** Told as they come: variations that are made at the same time in any order, a clip's fault when it has no other to come. */
  onOutcome?: (outcome: BatchOutcome) => void;
}

/**
 * Extends clips one after the other; the variations of a clip at the same time where that costs little more than one. A
 * clip that fails is reported and the rest goes on; finished previews are not made again.
 * @returns outcomes in the order of clips and variations
 * @throws LongtakeError 'cancelled', or 'package', 'backend', 'output' for faults that meet every clip
 */
export async function runBatch(items: readonly BatchItem[], options: BatchOptions): Promise<BatchOutcome[]> {
  return new Batch(items, options).run();
}

class Batch {
  private readonly outcomes: BatchOutcome[] = [];
  private readonly clock: BatchClock;
  private engine: EngineInUse | null = null;

  constructor(
    private readonly items: readonly BatchItem[],
    private readonly options: BatchOptions,
  ) {
    this.clock = new BatchClock(previewsOf(items, options.variations).map(({ item }) => costOf(item)));
  }

  async run(): Promise<BatchOutcome[]> {
    for (const item of this.items) await this.takeClip(item);
    return inOrder(this.outcomes);
  }

  private async takeClip(item: BatchItem): Promise<void> {
    const missing: Preview[] = [];
    for (const preview of previewsOf([item], this.options.variations)) {
      throwIfCancelled(this.options.signal);
      const result = await this.options.store.finished(preview);
      if (result === null) {
        missing.push(preview);
      } else {
        this.clock.skip(costOf(item));
        this.tell({ preview, status: 'kept', result });
      }
    }
    if (missing.length === 0) return;
    const failure = await this.make(item, missing);
    if (failure !== null) this.tell({ ...failure, status: 'failed' });
  }

  private tell(outcome: BatchOutcome): void {
    this.outcomes.push(outcome);
    this.options.onOutcome?.(outcome);
  }

  /** Opens a clip and makes the variations that are not there yet. */
  private async make(item: BatchItem, previews: readonly Preview[]): Promise<ClipFailure | null> {
    try {
      const opened = await item.open(this.options.signal);
      try {
        this.engine ??= new EngineInUse(await this.options.load());
        return await this.makeFrom(opened, previews, this.engine);
      } finally {
        opened.clip.dispose();
      }
    } catch (cause) {
      const error = asClipFault(cause);
      for (const preview of previews) this.clock.skip(costOf(preview.item));
      return { preview: previews[0]!, error };
    }
  }

  private async makeFrom(
    opened: OpenedClip,
    previews: readonly Preview[],
    engine: EngineInUse,
  ): Promise<ClipFailure | null> {
    const { clock } = this;
    const { store, signal, release } = this.options;
    const clip = new ClipPreviews(opened, previews, {
      ...{ store, clock, engine, signal, release },
      onProgress: (progress) => this.progress(progress),
      onMade: (preview, result) => this.tell({ preview, status: 'done', result }),
    });
    const { sharesPasses } = engine;
    const failure = await clip.make();
    if (engine.sharesPasses !== sharesPasses) clock.forgetPace();
    return failure;
  }

  private progress(progress: PreviewProgress): void {
    const { fraction, secondsLeft } = this.clock.reading();
    this.options.onProgress?.({ ...progress, fraction, batchSecondsLeft: secondsLeft });
  }
}
