import { throwIfCancelled } from '../engine/cancel.ts';
import type { PrimedPrefix } from '../engine/tasks/extend-request.ts';
import type { LongtakeError } from '../engine/types.ts';
import type { ExtensionPlan, ExtensionProgress, ExtensionStart } from '../media/extension.ts';
import { framesIn } from '../media/rational.ts';
import { atOnce } from './at-once.ts';
import { costOf, type BatchClock, type ClockedPreview } from './batch-clock.ts';
import { asClipFault } from './clip-fault.ts';
import { ClipProgress, type PreviewProgress } from './clip-progress.ts';
import type { EngineInUse } from './engine-in-use.ts';
import { makePreview, planPreview } from './make-preview.ts';
import type { BatchStore, FinishedPreview, OpenedClip, OpenPreview, Preview } from './preview.ts';

/** A clip's fault: the first of its previews, in their order, that could not be made. */
export interface ClipFailure {
  preview: Preview;
  error: LongtakeError;
}

export interface ClipPreviewsOptions {
  store: BatchStore;
  clock: BatchClock;
  engine: EngineInUse;
  signal: AbortSignal;
  release?: ((primed: PrimedPrefix) => void) | undefined;
  onProgress(progress: PreviewProgress): void;
  onMade(preview: Preview, result: FinishedPreview): void;
}

/**
 * Makes the previews that are missing of one clip, which is read once. Where rollouts share passes, all that follow the
 * first begin as soon as it has read the clip, and are made at the same time; elsewhere each begins when the one before has
 * ended. Runs once.
 */
export class ClipPreviews {
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly #waiting: Preview[];
  readonly #progress: ClipProgress;
  readonly #underWay = new Set<Promise<void>>();
  readonly #failures: ClipFailure[] = [];
  /** What every clip would meet. */
  #fault: { cause: unknown } | null = null;
  #start: ExtensionStart | null = null;
  /** How many may be under way, as things are now. */
  #most = () => 1;

  /** @param previews at least one */
  constructor(
    private readonly opened: OpenedClip,
    previews: readonly Preview[],
    private readonly options: ClipPreviewsOptions,
  ) {
    this.#signal = AbortSignal.any([options.signal, this.#abort.signal]);
    this.#waiting = [...previews];
    const [{ item }] = previews as [Preview, ...Preview[]];
    const frames = framesIn(item.settings.seconds, opened.clip.facts.rate);
    this.#progress = new ClipProgress(previews.length, frames);
  }

  /**
   * @returns what failed; the others were made all the same where they had begun
   * @throws LongtakeError 'cancelled', or what would meet every clip; nothing is under way any more then
   */
  async make(): Promise<ClipFailure | null> {
    try {
      this.#fill();
      while (this.#underWay.size > 0) await Promise.race(this.#underWay);
    } finally {
      if (this.#start !== null) this.options.release?.(this.#start.primed);
    }
    if (this.#fault !== null) throw this.#fault.cause;
    for (const { item } of this.#waiting) this.options.clock.skip(costOf(item));
    return this.#failures.sort((a, b) => a.preview.variation - b.preview.variation)[0] ?? null;
  }

  /** Begins as many as may be under way. */
  #fill(): void {
    while (this.#mayBegin()) {
      const preview = this.#waiting.shift()!;
      const made = this.#make(preview).then(() => {
        this.#underWay.delete(made);
        this.#fill();
      });
      this.#underWay.add(made);
    }
  }

  #mayBegin(): boolean {
    // What has not begun would most likely meet a clip's fault too.
    if (this.#waiting.length === 0 || this.#failures.length > 0 || this.#fault !== null) return false;
    const { size } = this.#underWay;
    return size === 0 || (this.#start !== null && size < this.#most());
  }

  /** Makes one preview, whatever becomes of it; never rejects. */
  async #make(preview: Preview): Promise<void> {
    const { store, clock, engine, onMade } = this.options;
    const clocked = clock.begin(costOf(preview.item));
    try {
      const plan = planPreview(this.opened, preview, this.#start, this.#waiting.length > 0);
      throwIfCancelled(this.#signal);
      const open = await store.begin(preview);
      this.#most = () => atOnce(engine.sharesPasses, plan, open.outputs);
      const result = await this.#run(preview, plan, open, clocked);
      engine.finishedOn(result.backend);
      clocked.end(true);
      onMade(preview, result);
    } catch (cause) {
      clocked.end(false);
      this.#failed(preview, cause);
    }
  }

  #run(
    preview: Preview,
    plan: ExtensionPlan,
    open: OpenPreview,
    clocked: ClockedPreview,
  ): Promise<FinishedPreview> {
    return makePreview(this.options.engine.extend, plan, open, this.opened.notices, {
      signal: this.#signal,
      onProgress: (progress) => {
        clocked.advance(...shareOf(progress));
        this.options.onProgress(this.#progress.told(preview, progress, this.#underWay.size > 1));
      },
      onStart: (start) => {
        this.#start = start;
        this.#fill();
      },
    });
  }

  #failed(preview: Preview, cause: unknown): void {
    try {
      this.#failures.push({ preview, error: asClipFault(cause) });
    } catch (fault) {
      // Those that it ends are cancelled, which is no fault of theirs.
      this.#fault ??= { cause: fault };
      this.#abort.abort();
    }
  }
}

/** Share of a preview that is done, and seconds until its last frame where they are known. */
function shareOf({ phase, done, total, secondsLeft }: ExtensionProgress): [number, number | null] {
  if (phase === 'writing') return [1, 0];
  return [phase === 'generating' ? done / total : 0, secondsLeft ?? null];
}
