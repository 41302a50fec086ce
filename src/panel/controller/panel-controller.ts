import { Subscription } from 'rxjs';
import type { ClipRecord } from '../clips/clip-record.ts';
import { FrameReel } from '../clips/frame-reel.ts';
import { fillReel, keptPictures } from '../clips/kept-pictures.ts';
import type { GeneratedClip, HostAdapter, PrefixRequest } from '../hosts/host-adapter.ts';
import type { PanelServices } from '../services.ts';
import type { Settings } from '../state/panel-state.ts';
import { PanelStore } from '../state/store.ts';
import { ClipMaker } from './clip-maker.ts';
import { findClips, removeDiscarded } from './cut-short.ts';
import { Delivery } from './delivery.ts';
import { DiscardedClip } from './discarded-clip.ts';
import { originalsOf } from './originals.ts';
import { forgetSettings, loadSettings, saveSettings } from './kept-settings.ts';
import { tellError, type PanelContext } from './panel-context.ts';
import { withoutMember } from './rollout-set.ts';
import { RolloutRunner } from './rollout-runner.ts';
import { SourceTaker } from './source-taker.ts';
import { Speedometer } from './speedometer.ts';
import { VariationReels } from './variations.ts';

/**
 * Carries out what the editor asks for: the only place where the panel's state meets host, engine and storage. The work is
 * done by its parts; what they share is the context.
 */
export class PanelController {
  readonly store = new PanelStore();
  readonly reel = new FrameReel();
  readonly variations = new VariationReels();
  readonly host: HostAdapter;
  readonly services: PanelServices;
  readonly #context: PanelContext;
  readonly #subscriptions = new Subscription();
  readonly #rollouts: RolloutRunner;
  readonly #sources: SourceTaker;
  readonly #maker: ClipMaker;
  readonly #delivery: Delivery;
  readonly #discarded: DiscardedClip;
  readonly #speedometer: Speedometer;
  #opening = 0;

  constructor(host: HostAdapter, services: PanelServices) {
    this.host = host;
    this.services = services;
    const { store, reel, variations } = this;
    this.#context = { host, services, store, reel, variations };
    this.#speedometer = new Speedometer(this.#context);
    this.#rollouts = new RolloutRunner(this.#context, (error) => this.#fail(error), this.#speedometer);
    this.#sources = new SourceTaker(this.#context);
    this.#maker = new ClipMaker(this.#context, this.#rollouts, this.#sources);
    this.#delivery = new Delivery(this.#context);
    this.#discarded = new DiscardedClip(store, services.clips, (error) => this.#fail(error));
  }

  /** Connects to the host and brings back what an earlier panel left. Errors end up in the state, never outside. */
  async open(): Promise<void> {
    const { store } = this;
    const { values, media, clips, graphicsDevice } = this.services;
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
      if (this.host.placed$) {
        this.#subscriptions.add(
          this.host.placed$.subscribe((ids) => store.dispatch({ type: 'placed', ids })),
        );
      }
      const [device, h264, page] = await Promise.all([
        graphicsDevice(),
        media.canEncode().catch(() => false),
        // What is wrong with the model is told when it is needed.
        this.services.engine.describe(AbortSignal.timeout(10_000)).catch(() => null),
      ]);
      const backend = page?.backend ?? null;
      const webgpu = device !== null;
      store.dispatch({ type: 'abilities', abilities: { webgpu, adapter: device ?? '', backend, h264 } });
      if (page) store.dispatch({ type: 'model', model: page.model });
      store.dispatch({ type: 'settings', change: await loadSettings(values) });
      await this.#speedometer.open();
      await removeDiscarded(clips);
      store.dispatch({ type: 'clips', clips: (await findClips(clips)).records });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Takes a prefix. A request while another is under way replaces it. */
  take(request: PrefixRequest): Promise<void> {
    return this.#sources.take(request);
  }

  /** Stops a request for a prefix. */
  cancelTaking(): void {
    this.#sources.cancel();
  }

  clearSource(): void {
    this.#rollouts.forgetPrefix();
    this.#sources.clear();
  }

  change(change: Partial<Settings>): void {
    this.store.dispatch({ type: 'settings', change });
    void saveSettings(this.services.values, this.store.state.settings);
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
  generate(): Promise<void> {
    return this.#maker.generate();
  }

  /** Leaves the variations side by side; the clips stay in the list. */
  closeVariations(): void {
    this.#maker.closeVariations();
  }

  /** Makes a variation of a clip: same source and settings, the next seed that was not used for it. */
  retry(record: ClipRecord): Promise<void> {
    return this.#maker.retry(record);
  }

  /**
   * Makes the rest of a clip again, with a seed that was not used for it.
   * @param kept new frames that stay, in the order of making: at least 1, fewer than the clip has
   */
  makeAgain(record: ClipRecord, kept: number): Promise<void> {
    return this.#maker.makeAgain(record, kept);
  }

  /** Goes on with a rollout that was cut short. */
  resume(record: ClipRecord): Promise<void> {
    return this.#maker.resume(record);
  }

  /** Begins a rollout that was cut short again from its first frame; what it had goes when the new one is complete. */
  async restart(record: ClipRecord): Promise<void> {
    if (await this.#maker.restart(record)) await this.#putAway(record, (gone) => this.#remove(gone));
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
      const pictures = await keptPictures(this.services.clips, record);
      if (turn !== this.#opening || this.#rollouts.running) return;
      fillReel(this.reel, record, pictures);
      this.store.dispatch({ type: 'open', id: record.id });
      this.store.dispatch({ type: 'reel' });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The clip's own pictures that a repainted region takes the place of; none where they cannot be read. */
  originals(record: ClipRecord, signal: AbortSignal): Promise<ImageBitmap[]> {
    return originalsOf(this.host, this.services.clips, record, signal).catch(() => []);
  }

  /** Leaves the result; the clip stays in the list. */
  close(): void {
    this.store.dispatch({ type: 'open', id: null });
  }

  /** The finished clip as a file. Also what a drag onto the document delivers. */
  deliver(record: ClipRecord, content: Settings['content']): Promise<GeneratedClip> {
    return this.#delivery.deliver(record, content);
  }

  /** Puts a finished clip into the document. */
  insert(record: ClipRecord): Promise<void> {
    return this.#delivery.insert(record);
  }

  /** Stops writing or inserting a clip. */
  cancelDelivery(): void {
    this.#delivery.cancel();
  }

  /** Throws a clip away; until something else is told, `bringBack` undoes it. */
  discard(record: ClipRecord): Promise<void> {
    return this.#putAway(record, (gone) =>
      gone.state === 'running' ? this.#remove(gone) : this.#discarded.hide(gone),
    );
  }

  /** Undoes the last `discard`. */
  async bringBack(): Promise<void> {
    try {
      const shown = await this.#discarded.bringBack();
      if (shown) await this.show(shown);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #remove({ id }: ClipRecord): Promise<void> {
    await this.services.clips.remove(id);
    this.store.dispatch({ type: 'clipGone', id });
  }

  async #putAway(record: ClipRecord, away: (record: ClipRecord) => Promise<void>): Promise<void> {
    try {
      this.#rollouts.forget(record.id);
      if (this.#sources.borrows(record.id)) this.clearSource();
      await away(record);
      for (const clip of withoutMember(record, this.store.state.clips)) {
        // One that is being made now saves itself.
        if (clip.state !== 'interrupted') continue;
        this.store.dispatch({ type: 'clip', record: clip });
        // In the store it is still under way: after a reload it goes on by itself.
        await this.services.clips.saveRecord({ ...clip, state: 'running' });
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Removes all clips, measured times and kept settings from this browser. */
  async clearData(): Promise<void> {
    if (this.#rollouts.running) return;
    const { clips, values } = this.services;
    try {
      await clips.clear();
      this.clearSource();
      await this.#speedometer.forget();
      await forgetSettings(values);
      this.reel.reset('forward');
      this.closeVariations();
      this.store.dispatch({ type: 'clips', clips: [] });
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
    this.#sources.dispose();
    this.#speedometer.dispose();
    this.#discarded.dispose();
    this.#rollouts.cancel();
    this.#delivery.cancel();
    this.#subscriptions.unsubscribe();
    this.reel.reset('forward');
    this.variations.clear();
    this.services.engine.dispose();
  }

  #fail(error: unknown): void {
    tellError(this.#context, error);
  }
}
