import { storedPrefix, type ClipRecord } from '../clips/clip-record.ts';
import { fillReel, keptPictures } from '../clips/kept-pictures.ts';
import type { PrefixSource } from '../hosts/host-adapter.ts';
import { fitOf, makesTogether } from '../state/estimate.ts';
import { framesToMake, purposeOf, type Settings } from '../state/panel-state.ts';
import { tellError, type PanelContext } from './panel-context.ts';
import type { RolloutRunner } from './rollout-runner.ts';
import { asSet, restOfSet, withoutSet } from './rollout-set.ts';
import type { SourceTaker } from './source-taker.ts';
import { againFrom, takeOverFrames } from './take-over.ts';
import { freshSeed } from './variations.ts';

/** Decides which clips are made: new ones, variations, the rest of one, or one that was cut short. */
export class ClipMaker {
  constructor(
    private readonly context: PanelContext,
    private readonly rollouts: RolloutRunner,
    private readonly sources: SourceTaker,
  ) {}

  /** Makes as many variations as the settings say of the present source. */
  async generate(): Promise<void> {
    const { store, variations } = this.context;
    const { source, settings } = store.state;
    if (source.status !== 'ready' || this.rollouts.running) return;
    const { prefix } = source;
    const records = Array.from({ length: settings.variations }, (_, index) =>
      this.#newRecord(prefix, (settings.seed + index) >>> 0, Date.now() + index),
    );
    if (records.length === 1) return this.rollouts.run(records[0]!, prefix);
    const set = asSet(records);
    variations.start(set);
    await this.#runSet(set, set, prefix);
  }

  /** Leaves the variations side by side; the clips stay in the list. */
  closeVariations(): void {
    this.#showVariations([]);
  }

  /** Makes a variation of a clip: same source and settings, the next seed that was not used for it. */
  async retry(record: ClipRecord): Promise<void> {
    const prefix = this.rollouts.primedPrefix(record.id) ?? (await this.sources.prefixOf(record));
    if (!prefix || this.rollouts.running) return;
    const seed = freshSeed(record, this.context.store.state.clips);
    const { profile, fit, direction, camera, move = null } = record;
    const fitSeconds = fit ? fit.seconds : null;
    const length = prefix.gap || prefix.region ? {} : { seconds: record.seconds };
    const purpose = record.purpose === 'loop' ? 'loop' : 'extend';
    this.#takeUp(prefix, { seed, ...length, profile, fitSeconds, direction, purpose, camera, move });
    const next = this.#newRecord(prefix, seed, Date.now());
    // One clip has the time that one had, not all variations together.
    await this.rollouts.run(fit ? { ...next, profile, fit } : next, prefix);
  }

  /**
   * Makes the rest of a clip again, with a seed that was not used for it.
   * @param kept new frames that stay, in the order of making: at least 1, fewer than the clip has
   */
  async makeAgain(record: ClipRecord, kept: number): Promise<void> {
    const prefix = await this.sources.prefixOf(record);
    if (!prefix || this.rollouts.running) return;
    const next = againFrom(record, kept, freshSeed(record, this.context.store.state.clips));
    try {
      await takeOverFrames(this.context.services, record, next);
    } catch (error) {
      return tellError(this.context, error);
    }
    this.#takeUp(prefix);
    await this.rollouts.run(next, prefix);
  }

  /** Goes on with a rollout that was cut short, and with what its page was to make together with it. */
  async resume(record: ClipRecord): Promise<void> {
    const { store, variations, services } = this.context;
    const prefix = await this.sources.prefixOf(record);
    if (!prefix || this.rollouts.running) return;
    const rest = restOfSet(record, store.state.clips).map((clip) => ({ ...clip, state: 'running' as const }));
    const all = [...store.state.clips.filter(({ set }) => !set), ...rest];
    const shown = record.set?.ids.flatMap((id) => all.find((clip) => clip.id === id) ?? []) ?? [];
    this.#takeUp(prefix);
    if (shown.length < 2) return this.rollouts.run({ ...record, state: 'running' }, prefix);
    variations.start(shown);
    for (const clip of shown) {
      const reel = variations.of(clip.id);
      if (reel && clip.framesMade > 0) fillReel(reel, clip, await keptPictures(services.clips, clip));
    }
    await this.#runSet(rest, shown, prefix);
  }

  /**
   * Begins a rollout that was cut short again from its first frame.
   * @returns whether the new one is complete, so that what the old one had can go
   */
  async restart(record: ClipRecord): Promise<boolean> {
    const prefix = await this.sources.prefixOf(record);
    if (!prefix || this.rollouts.running) return false;
    this.#takeUp(prefix);
    const id = crypto.randomUUID();
    const fresh: ClipRecord = { ...withoutSet(record), id, created: Date.now(), state: 'running' };
    await this.rollouts.run({ ...fresh, framesMade: 0, report: null }, prefix);
    return this.context.store.state.clips.find((clip) => clip.id === id)?.state === 'finished';
  }

  /**
   * Makes clips together, side by side.
   * @param shown the whole set, of which some may be finished
   */
  async #runSet(
    records: readonly ClipRecord[],
    shown: readonly ClipRecord[],
    prefix: PrefixSource,
  ): Promise<void> {
    const { store, variations } = this.context;
    store.dispatch({ type: 'variations', ids: shown.map(({ id }) => id) });
    await this.rollouts.runVariations(records, prefix, variations);
    // After an error or Cancel there may be fewer than were asked for.
    const made = shown.filter(({ id }) => store.state.clips.some((clip) => clip.id === id));
    if (made.length < shown.length) this.#showVariations(made.map(({ id }) => id));
  }

  #showVariations(ids: readonly string[]): void {
    this.context.store.dispatch({ type: 'variations', ids });
    if (ids.length === 0) this.context.variations.clear();
  }

  /** Makes a kept clip's prefix the present source. */
  #takeUp(prefix: PrefixSource, change: Partial<Settings> = {}): void {
    this.closeVariations();
    this.context.store.dispatch({ type: 'source', prefix });
    this.context.store.dispatch({ type: 'settings', change });
  }

  /** A clip that is yet to be made, with the present settings. */
  #newRecord(prefix: PrefixSource, seed: number, created: number): ClipRecord {
    const { settings } = this.context.store.state;
    const purpose = purposeOf(prefix, settings);
    const frameCount = framesToMake(prefix, settings);
    const fit = fitOf(this.context.store.state);
    const { fitSeconds } = settings;
    // Those made at the same time have the whole time each.
    const inTurn = makesTogether(this.context.store.state) ? 1 : settings.variations;
    return {
      id: crypto.randomUUID(),
      created,
      state: 'running',
      size: prefix.size,
      rate: prefix.rate,
      seconds:
        prefix.gap || prefix.region ? (frameCount * prefix.rate.den) / prefix.rate.num : settings.seconds,
      frameCount,
      framesMade: 0,
      direction: prefix.kind === 'none' || purpose !== 'extend' ? 'forward' : settings.direction,
      purpose,
      profile: fit?.profile ?? settings.profile,
      // Where nothing fits, Draft is made as it is.
      ...(fitSeconds === null || fit?.fits === false
        ? {}
        : { fit: { seconds: fitSeconds / inTurn, steps: fit?.steps ?? null } }),
      seed,
      camera: settings.camera,
      move: purpose === 'extend' ? settings.move : null,
      prefix: storedPrefix(prefix),
      report: null,
      inserted: false,
    };
  }
}
