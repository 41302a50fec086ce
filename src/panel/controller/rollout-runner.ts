import type { Direction, PrimedPrefix } from '../../engine/tasks/extend-request.ts';
import type { ClipRecord } from '../clips/clip-record.ts';
import { afterFile, maskFile, sourceFile } from '../clips/clip-store.ts';
import { fillReel, keptPictures } from '../clips/kept-pictures.ts';
import type { PrefixSource } from '../hosts/host-adapter.ts';
import { makesTogether, secondsOf } from '../state/estimate.ts';
import { prefixCamera } from './clip-camera.ts';
import { isAbort } from './error-notice.ts';
import { holdRollout } from './rollout-lock.ts';
import { withoutSet } from './rollout-set.ts';
import type { Speedometer } from './speedometer.ts';
import { VARIATION_SIDE, type VariationReels } from './variations.ts';
import { runRollout, type FinishedRollout, type PrimedStart, type RolloutContext } from './run-rollout.ts';

/** The state after the prefix read last, and the clips made from it: variations need not read the prefix again. */
interface KeptPrefix {
  prefix: PrefixSource;
  direction: Direction;
  /** What the model was told of the prefix's camera. */
  camera: string;
  state: PrimedPrefix;
  clipIds: Set<string>;
}

/** Why the rollouts made together end when one of them fails. */
const FAILED = new DOMException('Another variation failed.', 'AbortError');

interface Part {
  record: ClipRecord;
  context: RolloutContext;
}

/** Runs one rollout, or a set of variations, at a time and keeps what it makes, whatever becomes of it. */
export class RolloutRunner {
  readonly #context: RolloutContext;
  readonly #fail: (error: unknown) => void;
  readonly #speedometer: Speedometer;
  #running: AbortController | null = null;
  #primed: KeptPrefix | null = null;
  /** When the first of several at the same time had read the clip; null while there is one at a time. */
  #together: number | null = null;

  /**
   * @param fail tells the editor of an error
   * @param speedometer learns from what whole rollouts took
   */
  constructor(context: RolloutContext, fail: (error: unknown) => void, speedometer: Speedometer) {
    this.#context = context;
    this.#fail = fail;
    this.#speedometer = speedometer;
  }

  get running(): boolean {
    return this.#running !== null;
  }

  /** The prefix of a clip, where the state after it is still at hand. */
  primedPrefix(clipId: string): PrefixSource | null {
    return this.#primed?.clipIds.has(clipId) ? this.#primed.prefix : null;
  }

  /** A clip is gone, and with it the pictures that a variation would take over. */
  forget(clipId: string): void {
    this.#primed?.clipIds.delete(clipId);
  }

  /** Lets go of the state after the last prefix. */
  forgetPrefix(): void {
    if (this.#primed) this.#context.services.engine.release(this.#primed.state);
    this.#primed = null;
  }

  /** Stops the rollout; the frames so far stay, to go on from. */
  cancel(): void {
    this.#running?.abort();
  }

  /** Makes the frames that a record asks for. Errors end up in the state. Does nothing while another rollout runs. */
  async run(record: ClipRecord, prefix: PrefixSource): Promise<void> {
    await this.#runAll([{ record, context: this.#context }], prefix, true);
  }

  /**
   * As `run`, with the pictures of each in a reel of its own: at the same time where the backend makes several rollouts for
   * little more than one, else one after another. An error or Cancel ends all.
   */
  async runVariations(
    records: readonly ClipRecord[],
    prefix: PrefixSource,
    reels: VariationReels,
  ): Promise<void> {
    const parts = records.map((record) => {
      const reel = reels.of(record.id) ?? this.#context.reel;
      return { record, context: { ...this.#context, reel, side: VARIATION_SIDE } };
    });
    await this.#runAll(parts, prefix, false);
  }

  /** @param open whether what was made is opened as the result */
  async #runAll(parts: readonly Part[], prefix: PrefixSource, open: boolean): Promise<void> {
    if (this.#running) return;
    const abort = new AbortController();
    this.#running = abort;
    this.#together = null;
    try {
      await this.#runFrom(parts, prefix, abort, open);
      const whole = parts.every(({ record }) => record.framesMade === 0) && !abort.signal.aborted;
      if (whole && this.#together !== null) {
        const took = (performance.now() - this.#together) / 1000;
        void this.#speedometer.learnTogether(parts[0]!.record, parts.length, took);
      }
    } finally {
      this.#running = null;
      this.#context.store.dispatch({ type: 'rolloutEnd' });
    }
  }

  /**
   * Runs parts: the second begins when the first is finished or, where they are made at the same time, when nothing is left
   * to be read for the first; and so on.
   * @param others how many began before
   */
  async #runFrom(
    parts: readonly Part[],
    prefix: PrefixSource,
    abort: AbortController,
    open: boolean,
    others = { begun: 0, running: false },
  ): Promise<void> {
    const [part, ...rest] = parts;
    if (!part || abort.signal.aborted) return;
    let meanwhile: Promise<void> | null = null;
    const begun = others.begun + 1;
    const finished = await this.#runOne(part, prefix, abort, others.begun > 0, () => {
      if (makesTogether(this.#context.store.state) && rest.length > 0) {
        this.#together ??= performance.now();
        meanwhile ??= this.#runFrom(rest, prefix, abort, open, { begun, running: true });
      }
    });
    if (finished && open) part.context.store.dispatch({ type: 'open', id: finished.record.id });
    // Rollouts at the same time say little about one.
    const whole = finished && part.record.framesMade === 0 && !meanwhile && !others.running;
    if (whole) this.#speedometer.learn(finished);
    if (meanwhile) await meanwhile;
    else if (finished) await this.#runFrom(rest, prefix, abort, open, { begun, running: false });
  }

  /**
   * @param after whether others were begun before it
   * @param hasRead told when nothing is left to be read of the prefix
   * @returns null where an error or Cancel came first
   */
  async #runOne(
    { context, record }: Part,
    prefix: PrefixSource,
    abort: AbortController,
    after: boolean,
    hasRead: () => void,
  ): Promise<FinishedRollout | null> {
    const { store, reel, services } = context;
    const { signal } = abort;
    const from = this.#primedFor(record, prefix);
    const reads = from === null || !services.engine.holds(from.primed);
    store.dispatch({ type: 'rolloutStart', record, seconds: secondsOf(store.state, record, reads) });
    let release = () => {};
    try {
      release = await holdRollout(record.id);
      fillReel(reel, record, await keptPictures(services.clips, record));
      store.dispatch({ type: 'reel' });
      await services.clips.saveRecord(record);
      if (prefix.blob && !(await services.clips.read(record.id, sourceFile))) {
        await services.clips.write(record.id, sourceFile, prefix.blob);
      }
      if (prefix.gap && !(await services.clips.read(record.id, afterFile))) {
        await services.clips.write(record.id, afterFile, prefix.gap.after.blob);
      }
      if (prefix.region && !(await services.clips.read(record.id, maskFile))) {
        const mask = new Uint8Array(prefix.region.mask.data);
        await services.clips.write(record.id, maskFile, new Blob([mask]));
      }
      const rollout = await runRollout(context, record, prefix, signal, {
        from,
        keep: (state) => {
          const { direction } = record;
          const clipIds = new Set([record.id]);
          this.#keepPrimed({ prefix, direction, camera: prefixCamera(record), state, clipIds });
        },
        hasRead,
      });
      if (this.#primed?.prefix === prefix) this.#primed.clipIds.add(rollout.record.id);
      store.dispatch({ type: 'clip', record: rollout.record });
      return rollout;
    } catch (error) {
      const failed = !signal.aborted && !isAbort(error);
      // The engine may be gone with it, and what others of the set still wait for.
      if (failed) abort.abort(FAILED);
      await this.#keepInterrupted(record.id);
      if (failed) {
        this.#fail(error);
      } else if (signal.reason !== FAILED) {
        const kept = after || store.state.clips.some((clip) => clip.id === record.id);
        const key = kept ? 'cancelled' : 'cancelledEmpty';
        store.dispatch({ type: 'notice', notice: { kind: 'info', text: { key } } });
      }
      return null;
    } finally {
      release();
    }
  }

  #primedFor(record: ClipRecord, prefix: PrefixSource): PrimedStart | null {
    const kept = this.#primed;
    const [clipId] = kept?.clipIds ?? [];
    const fits =
      kept?.prefix === prefix &&
      (record.purpose ?? 'extend') === 'extend' &&
      kept.direction === record.direction &&
      record.framesMade === 0 &&
      kept.camera === prefixCamera(record);
    return fits && clipId !== undefined ? { primed: kept.state, clipId } : null;
  }

  #keepPrimed(next: KeptPrefix): void {
    this.forgetPrefix();
    this.#primed = next;
  }

  /** A rollout that made frames stays in the list as interrupted; one that made none leaves nothing behind. */
  async #keepInterrupted(id: string): Promise<void> {
    const { store, services } = this.#context;
    const framesMade = store.state.rollouts.find(({ clipId }) => clipId === id)?.framesMade ?? 0;
    const record = store.state.clips.find((clip) => clip.id === id);
    if (!record) return;
    try {
      if (framesMade === 0) {
        this.forget(id);
        await services.clips.remove(id);
        store.dispatch({ type: 'clipGone', id });
      } else {
        const kept: ClipRecord = { ...withoutSet(record), state: 'interrupted', framesMade };
        store.dispatch({ type: 'clip', record: kept });
        await services.clips.saveRecord(kept);
      }
    } catch (error) {
      this.#fail(error);
    }
  }
}
