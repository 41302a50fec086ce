import { Subscription } from 'rxjs';
import { LongtakeError } from '../../engine/types.ts';
import { restoredPrefix, storedPrefix, type ClipRecord } from '../clips/clip-record.ts';
import { afterFile, edgeFile, frameFile, maskFile, sourceFile } from '../clips/clip-store.ts';
import { decodePicture } from '../clips/frame-images.ts';
import { FrameReel } from '../clips/frame-reel.ts';
import type { GeneratedClip, HostAdapter, PrefixRequest, PrefixSource } from '../hosts/host-adapter.ts';
import type { PanelServices } from '../services.ts';
import { parseTimings } from '../state/estimate.ts';
import { framesToMake, isNewPartOnly, purposeOf, type Settings } from '../state/panel-state.ts';
import { PanelStore } from '../state/store.ts';
import { encodeClip } from './encode-clip.ts';
import { errorNotice, isAbort } from './error-notice.ts';
import { liveRollouts } from './rollout-lock.ts';
import { RolloutRunner, TIMINGS } from './rollout-runner.ts';
import { pictureAtCut } from './picture-at-cut.ts';
import { againFrom, takeOverFrames } from './take-over.ts';
import { freshSeed, VariationReels } from './variations.ts';

const SETTINGS = 'longtake.settings';

/** Carries out what the editor asks for: the only place where the panel's state meets host, engine and storage. */
export class PanelController {
  readonly store = new PanelStore();
  readonly reel = new FrameReel();
  readonly variations = new VariationReels();
  readonly host: HostAdapter;
  readonly services: PanelServices;
  readonly #subscriptions = new Subscription();
  #acquiring: AbortController | null = null;
  readonly #rollouts: RolloutRunner;
  #delivering: AbortController | null = null;
  #opening = 0;
  /** The kept clip whose source file is the present source: it must not outlive that clip. */
  #borrowed: string | null = null;

  constructor(host: HostAdapter, services: PanelServices) {
    this.host = host;
    this.services = services;
    const { store, reel } = this;
    this.#rollouts = new RolloutRunner({ host, services, store, reel }, (error) => this.#fail(error));
  }

  /** Connects to the host and brings back what an earlier panel left. Errors end up in the state, never outside. */
  async open(): Promise<void> {
    const { store } = this;
    try {
      await this.host.ready();
      this.#subscriptions.add(
        this.host.theme$.subscribe((theme) => store.dispatch({ type: 'theme', theme })),
      );
      this.#subscriptions.add(
        this.host.locale$.subscribe((locale) => store.dispatch({ type: 'locale', locale })),
      );
      this.#subscriptions.add(
        this.host.selection$.subscribe((clip) =>
          store.dispatch({ type: 'selection', label: clip?.label ?? null }),
        ),
      );
      const [webgpu, h264] = await Promise.all([
        this.services.hasWebGpu(),
        this.services.media.canEncode().catch(() => false),
      ]);
      store.dispatch({ type: 'abilities', abilities: { webgpu, h264 } });
      store.dispatch({ type: 'timings', timings: parseTimings(await this.services.values.get(TIMINGS)) });
      const settings = await this.services.values.get(SETTINGS);
      if (typeof settings === 'object' && settings !== null) {
        store.dispatch({ type: 'settings', change: keptSettings(settings as Record<string, unknown>) });
      }
      await this.#restoreClips();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Takes a prefix. A request while another is under way replaces it. */
  async take(request: PrefixRequest): Promise<void> {
    const { store } = this;
    this.cancelTaking();
    const abort = new AbortController();
    this.#acquiring = abort;
    if (request.kind !== 'none') store.dispatch({ type: 'acquire', what: request.kind });
    else store.dispatch({ type: 'notice', notice: null });
    try {
      const prefix = await this.host.acquirePrefix(request, abort.signal, (fraction) => {
        if (!abort.signal.aborted) store.dispatch({ type: 'acquireProgress', fraction });
      });
      if (abort.signal.aborted) return;
      this.#borrowed = null;
      store.dispatch({ type: 'source', prefix });
      this.closeVariations();
      void this.#pictureOf(prefix, abort.signal);
    } catch (error) {
      if (abort.signal.aborted) return;
      store.dispatch({ type: 'source', prefix: null });
      this.#fail(error);
    } finally {
      if (this.#acquiring === abort) this.#acquiring = null;
    }
  }

  /** Stops a request for a prefix. */
  cancelTaking(): void {
    if (!this.#acquiring) return;
    this.#acquiring.abort();
    this.#acquiring = null;
    this.store.dispatch({ type: 'source', prefix: null });
  }

  clearSource(): void {
    this.#borrowed = null;
    this.#rollouts.forgetPrefix();
    this.store.dispatch({ type: 'settings', change: { purpose: 'extend' } });
    this.store.dispatch({ type: 'source', prefix: null });
  }

  change(change: Partial<Settings>): void {
    this.store.dispatch({ type: 'settings', change });
    const { seconds, profile, content } = this.store.state.settings;
    void this.services.values.set(SETTINGS, { seconds, profile, content }).catch(() => undefined);
  }

  /** Reads a camera track file; a bad one is told and the former choice stays. */
  async takeCamera(file: File): Promise<void> {
    try {
      const track = this.services.parseCameraTrack(await file.text(), file.name);
      this.change({ camera: { name: file.name, track } });
      this.store.dispatch({ type: 'notice', notice: null });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Makes as many variations as the settings say of the present source. */
  async generate(): Promise<void> {
    const { source, settings } = this.store.state;
    if (source.status !== 'ready' || this.#rollouts.running) return;
    const { prefix } = source;
    const records = Array.from({ length: settings.variations }, (_, index) =>
      this.#newRecord(prefix, (settings.seed + index) >>> 0, Date.now() + index),
    );
    if (records.length === 1) return this.#rollouts.run(records[0]!, prefix);
    const { store } = this;
    this.variations.start(records);
    store.dispatch({ type: 'variations', ids: records.map(({ id }) => id) });
    await this.#rollouts.runVariations(records, prefix, this.variations);
    // After an error or Cancel there may be fewer than were asked for.
    const made = records.filter(({ id }) => store.state.clips.some((clip) => clip.id === id));
    if (made.length < records.length) this.#showVariations(made.map(({ id }) => id));
  }

  /** Leaves the variations side by side; the clips stay in the list. */
  closeVariations(): void {
    this.#showVariations([]);
  }

  #showVariations(ids: readonly string[]): void {
    this.store.dispatch({ type: 'variations', ids });
    if (ids.length === 0) this.variations.clear();
  }

  /** A clip that is yet to be made, with the present settings. */
  #newRecord(prefix: PrefixSource, seed: number, created: number): ClipRecord {
    const { settings } = this.store.state;
    const purpose = purposeOf(prefix, settings);
    const frameCount = framesToMake(prefix, settings);
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
      profile: settings.profile,
      seed,
      camera: settings.camera,
      move: purpose === 'extend' ? settings.move : null,
      prefix: storedPrefix(prefix),
      report: null,
      inserted: false,
    };
  }

  /** Makes a variation of a clip: same source and settings, the next seed that was not used for it. */
  async retry(record: ClipRecord): Promise<void> {
    const prefix = this.#rollouts.primedPrefix(record.id) ?? (await this.#prefixOf(record));
    if (!prefix || this.#rollouts.running) return;
    const seed = freshSeed(record, this.store.state.clips);
    const { profile, direction, camera, move = null } = record;
    const length = prefix.gap || prefix.region ? {} : { seconds: record.seconds };
    const purpose = record.purpose === 'loop' ? 'loop' : 'extend';
    this.closeVariations();
    this.store.dispatch({ type: 'source', prefix });
    this.store.dispatch({
      type: 'settings',
      change: { seed, ...length, profile, direction, purpose, camera, move },
    });
    await this.#rollouts.run(this.#newRecord(prefix, seed, Date.now()), prefix);
  }

  /**
   * Makes the rest of a clip again, with a seed that was not used for it.
   * @param kept new frames that stay, in the order of making: at least 1, fewer than the clip has
   */
  async makeAgain(record: ClipRecord, kept: number): Promise<void> {
    const prefix = await this.#prefixOf(record);
    if (!prefix || this.#rollouts.running) return;
    const next = againFrom(record, kept, freshSeed(record, this.store.state.clips));
    try {
      await takeOverFrames(this.services, record, next);
    } catch (error) {
      return this.#fail(error);
    }
    this.closeVariations();
    this.store.dispatch({ type: 'source', prefix });
    await this.#rollouts.run(next, prefix);
  }

  /** Goes on with a rollout that was cut short. */
  async resume(record: ClipRecord): Promise<void> {
    const prefix = await this.#prefixOf(record);
    if (!prefix || this.#rollouts.running) return;
    this.closeVariations();
    this.store.dispatch({ type: 'source', prefix });
    await this.#rollouts.run({ ...record, state: 'running' }, prefix);
  }

  /** Begins a rollout that was cut short again from its first frame; what it had goes when the new one is complete. */
  async restart(record: ClipRecord): Promise<void> {
    const prefix = await this.#prefixOf(record);
    if (!prefix || this.#rollouts.running) return;
    this.closeVariations();
    this.store.dispatch({ type: 'source', prefix });
    const id = crypto.randomUUID();
    await this.#rollouts.run(
      { ...record, id, created: Date.now(), state: 'running', framesMade: 0, report: null },
      prefix,
    );
    const made = this.store.state.clips.find((clip) => clip.id === id);
    if (made?.state === 'finished') await this.discard(record);
  }

  /** Stops the rollout; the frames so far stay, to go on from. */
  cancel(): void {
    this.#rollouts.cancel();
  }

  /** Opens a clip of the list as the result on show. */
  async show(record: ClipRecord): Promise<void> {
    if (this.#rollouts.running) return;
    const turn = ++this.#opening;
    try {
      const edge: ImageBitmap[] = [];
      const made: ImageBitmap[] = [];
      for (let i = 0; ; i++) {
        const blob = await this.services.clips.read(record.id, edgeFile(i));
        if (!blob) break;
        edge.push(await decodePicture(blob));
      }
      for (let i = 0; i < record.framesMade; i++) {
        const blob = await this.services.clips.read(record.id, frameFile(i));
        if (blob) made.push(await decodePicture(blob));
      }
      if (turn !== this.#opening || this.#rollouts.running) return;
      this.reel.reset(record.direction);
      this.reel.setEdge(edge);
      for (const picture of made) this.reel.add(picture);
      this.store.dispatch({ type: 'open', id: record.id });
      this.store.dispatch({ type: 'reel' });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Leaves the result; the clip stays in the list. */
  close(): void {
    this.store.dispatch({ type: 'open', id: null });
  }

  /** The finished clip as a file. Also what a drag onto the document delivers. */
  async deliver(record: ClipRecord, content: Settings['content']): Promise<GeneratedClip> {
    const abort = new AbortController();
    this.#delivering = abort;
    const task = (fraction: number) =>
      this.store.dispatch({ type: 'clipTask', task: { clipId: record.id, kind: 'encoding', fraction } });
    task(0);
    try {
      const usable = isNewPartOnly(record) ? 'continuation' : content;
      return await encodeClip(this.services, record, usable, abort.signal, task);
    } finally {
      if (this.#delivering === abort) this.#delivering = null;
      this.store.dispatch({ type: 'clipTask', task: null });
    }
  }

  /** Puts a finished clip into the document. */
  async insert(record: ClipRecord): Promise<void> {
    const { store } = this;
    if (store.state.clipTask) return;
    store.dispatch({ type: 'notice', notice: null });
    try {
      const clip = await this.deliver(record, store.state.settings.content);
      const abort = new AbortController();
      this.#delivering = abort;
      store.dispatch({ type: 'clipTask', task: { clipId: record.id, kind: 'inserting', fraction: 1 } });
      await this.host.insert(clip, record.prefix.anchor ?? undefined, abort.signal);
      const inserted = { ...record, inserted: true };
      store.dispatch({ type: 'clip', record: inserted });
      store.dispatch({ type: 'notice', notice: { kind: 'done', text: { key: 'inserted' } } });
      await this.services.clips.saveRecord(inserted);
    } catch (error) {
      if (!isAbort(error)) this.#fail(error);
    } finally {
      this.#delivering = null;
      store.dispatch({ type: 'clipTask', task: null });
    }
  }

  /** Stops writing or inserting a clip. */
  cancelDelivery(): void {
    this.#delivering?.abort();
  }

  /** Throws a clip away. */
  async discard(record: ClipRecord): Promise<void> {
    try {
      await this.services.clips.remove(record.id);
      this.#rollouts.forget(record.id);
      if (this.#borrowed === record.id) this.clearSource();
      this.store.dispatch({ type: 'clipGone', id: record.id });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Removes all clips, measured times and kept settings from this browser. */
  async clearData(): Promise<void> {
    if (this.#rollouts.running) return;
    try {
      await this.services.clips.clear();
      this.clearSource();
      await this.services.values.remove(TIMINGS);
      await this.services.values.remove(SETTINGS);
      this.reel.reset('forward');
      this.closeVariations();
      this.store.dispatch({ type: 'open', id: null });
      this.store.dispatch({ type: 'clips', clips: [] });
      this.store.dispatch({ type: 'timings', timings: {} });
      this.store.dispatch({ type: 'notice', notice: { kind: 'done', text: { key: 'cleared' } } });
    } catch (error) {
      this.#fail(error);
    }
  }

  dismissNotice(): void {
    this.store.dispatch({ type: 'notice', notice: null });
  }

  /** Ends everything under way. Frames made so far stay in storage. */
  dispose(): void {
    this.#acquiring?.abort();
    this.#rollouts.cancel();
    this.#delivering?.abort();
    this.#subscriptions.unsubscribe();
    this.reel.reset('forward');
    this.variations.clear();
    this.services.engine.dispose();
  }

  /** Shows the frame that will be continued. */
  async #pictureOf(prefix: PrefixSource, signal: AbortSignal): Promise<void> {
    // A region is shown by the host, where it is painted.
    if (prefix.region) return;
    const picture = await pictureAtCut(this.host, prefix, 'forward', signal);
    if (picture) this.store.dispatch({ type: 'sourcePicture', prefix, picture });
  }

  /** Brings the list back. A rollout that nobody works on was cut short: what it made is counted by its files. */
  async #restoreClips(): Promise<void> {
    const { clips } = this.services;
    const [records, live] = await Promise.all([clips.list(), liveRollouts()]);
    const restored: ClipRecord[] = [];
    for (const record of records) {
      if (record.state !== 'running') restored.push(record);
      else if (!live.has(record.id)) {
        let framesMade = 0;
        while (framesMade < record.frameCount && (await clips.read(record.id, frameFile(framesMade))))
          framesMade++;
        restored.push({ ...record, state: 'interrupted', framesMade });
      }
    }
    this.store.dispatch({ type: 'clips', clips: restored });
  }

  async #prefixOf(record: ClipRecord): Promise<PrefixSource | null> {
    const blob = await this.services.clips.read(record.id, sourceFile);
    const after = await this.services.clips.read(record.id, afterFile);
    const mask = await this.services.clips.read(record.id, maskFile);
    const { kind, gap, region } = record.prefix;
    if ((!blob && kind !== 'none') || (!after && gap) || (!mask && region)) {
      this.#fail(
        new LongtakeError('input', 'The clip this one continues is no longer kept: choose it again above.'),
      );
      return null;
    }
    this.#borrowed = record.id;
    return restoredPrefix(record, blob, after, mask && new Uint8Array(await mask.arrayBuffer()));
  }

  #fail(error: unknown): void {
    this.store.dispatch({ type: 'notice', notice: errorNotice(error) });
  }
}

function keptSettings(value: Record<string, unknown>): Partial<Settings> {
  const kept: Partial<Settings> = {};
  if (typeof value['seconds'] === 'number') kept.seconds = value['seconds'];
  const profile = value['profile'];
  if (profile === 'draft' || profile === 'preview' || profile === 'final') kept.profile = profile;
  const content = value['content'];
  if (content === 'continuation' || content === 'extended') kept.content = content;
  return kept;
}
