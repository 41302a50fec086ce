import { LongtakeError } from '../engine/types.ts';
import { StudioBatch } from './batch/studio-batch.ts';
import { Exporter } from './exporter.ts';
import { FrameStore } from './media/frame-store.ts';
import { MaskPainting } from './media/mask-painting.ts';
import { MediaLibrary } from './media/library.ts';
import { Thumbnails } from './media/thumbnails.ts';
import { Transport } from './media/transport.ts';
import { framesIn } from '../media/rational.ts';
import type { PlaceCut, PlaceSide } from '../panel/hosts/studio.ts';
import { SECONDS_RANGE } from '../panel/state/panel-state.ts';
import { defaultRegion } from './timeline/region.ts';
import { trainedTasks } from '../panel/package-config.ts';
import { isTimeline, TimelineOpener } from './otio/timeline-opener.ts';
import { Autosave } from './persistence/autosave.ts';
import type { ProjectStore } from './persistence/project-store.ts';
import { openProjectStore } from './persistence/project-store.ts';
import { recallRollout } from './recall-rollout.ts';
import { knownMedia, projectOf } from './store/state.ts';
import { StudioStore } from './store/store.ts';
import type { Clip, MediaItem, Provenance } from './timeline/project.ts';
import { allClips, emptyProject } from './timeline/project.ts';

/** What Studio does beyond changing its state: files in, files out, storage. The elements call it; it draws nothing. */
export class Studio {
  readonly store = new StudioStore();
  readonly library = new MediaLibrary();
  readonly frames = new FrameStore(this.library);
  readonly thumbnails = new Thumbnails(this.library);
  readonly opener = new TimelineOpener(this.store, this.library, (error) => this.report(error));
  readonly exporter = new Exporter(
    this.store,
    this.library,
    async () => this.files ?? openProjectStore(),
    (error) => this.report(error),
  );
  readonly batch = new StudioBatch(this);
  /** What is painted over to be made anew; null while nothing is to be repainted. */
  mask: MaskPainting | null = null;
  private readonly transport = new Transport(this.store);
  /** Media that some step of the history has had. */
  private readonly known = new Set<string>();
  private autosave: Autosave | null = null;
  private files: ProjectStore | null = null;

  /** Brings back the project of the last visit and starts to save. Problems become notices. */
  async open(): Promise<void> {
    const theme = localStorage.getItem('studio.theme') === 'light' ? 'light' : 'dark';
    this.store.dispatch({ type: 'theme', theme });
    this.store.select((state) => state.theme).subscribe((now) => localStorage.setItem('studio.theme', now));
    this.store.select(({ history }) => history).subscribe(() => this.letGoOfMedia());
    void this.askWhatIsTrained();
    try {
      await holdProject();
      this.files = await openProjectStore();
      this.autosave = new Autosave(this.store, this.library, this.files, (error) => this.report(error));
      const { project, lost } = await this.autosave.restore();
      this.store.dispatch({ type: 'restore', project });
      if (lost.length > 0) this.report(lostMedia(lost));
      this.autosave.start();
      await recallRollout(this.store);
      await this.batch.recall();
    } catch (error) {
      this.store.dispatch({ type: 'restore', project: null });
      this.report(error);
    }
  }

  /** Finds out what the world model can do, so that menus offer no more. A model that cannot be read is told when it is needed. */
  private async askWhatIsTrained(): Promise<void> {
    try {
      this.store.dispatch({ type: 'trained-for', tasks: await trainedTasks(AbortSignal.timeout(10_000)) });
    } catch {
      return;
    }
  }

  /** Takes files onto the end of the first track, in order; a timeline among them is opened with them. A file that can not be used is told and left out. */
  async importFiles(files: readonly File[]): Promise<void> {
    if (files.some(isTimeline)) return this.opener.open(files);
    const items: { media: MediaItem; clipId: string }[] = [];
    const refusals: unknown[] = [];
    const notices: string[] = [];
    for (const [i, file] of files.entries()) {
      const label =
        files.length > 1 ? `Opening ${file.name} (${i + 1} of ${files.length})` : `Opening ${file.name}`;
      this.store.dispatch({ type: 'task', task: { kind: 'import', label, progress: i / files.length } });
      try {
        const { item, notices: told } = await this.library.import(crypto.randomUUID(), file, file.name);
        if (this.putBack(item, file)) continue;
        items.push({ media: item, clipId: crypto.randomUUID() });
        notices.push(...told);
      } catch (error) {
        refusals.push(error);
      }
    }
    this.store.dispatch({ type: 'task', task: null });
    this.store.dispatch({ type: 'import', items });
    if (notices[0]) this.store.dispatch({ type: 'notice', tone: 'info', text: notices[0] });
    if (refusals[0]) this.report(refusals[0]);
  }

  /** What was undone and then edited over can not come back: its file need not be held. */
  private letGoOfMedia(): void {
    const now = new Set(knownMedia(this.store.state).map(({ id }) => id));
    for (const id of this.known) {
      if (now.has(id)) continue;
      this.known.delete(id);
      this.library.forget(id);
      this.frames.forget(id);
      this.thumbnails.forget(id);
    }
    for (const id of now) this.known.add(id);
    this.frames.keepDecoders(new Set(allClips(projectOf(this.store.state)).map(({ mediaId }) => mediaId)));
  }

  /** Gives a file back to the clips that have lost it. @returns whether there are some */
  private putBack(item: MediaItem, file: File): boolean {
    const { media } = projectOf(this.store.state);
    const lost = Object.values(media).find(
      ({ id, name, frameCount }) =>
        !this.library.has(id) && name === item.name && frameCount === item.frameCount,
    );
    if (!lost) return false;
    this.library.add(lost.id, file, file.name);
    this.thumbnails.retry(lost.id);
    this.store.dispatch({ type: 'notice', tone: 'positive', text: `“${lost.name}” is in its place again.` });
    void this.autosave?.flush();
    return true;
  }

  /** Opens the panel to repaint a part of a clip's picture; a mask that was painted on it before is there again. */
  repaint(clip: Clip): void {
    const { playhead, history } = this.store.state;
    const { media, format } = history.present;
    const item = media[clip.mediaId];
    if (!item || !format) return;
    if (this.mask?.clipId !== clip.id) this.mask = new MaskPainting(clip.id, item.width, item.height);
    const region = defaultRegion(clip, playhead, framesIn(SECONDS_RANGE.max, format.rate));
    this.store.dispatch({
      type: 'panel-open',
      clipId: clip.id,
      direction: 'forward',
      purpose: 'region',
      region,
    });
    const first = clip.start + region.from - clip.in;
    if (playhead < first || playhead >= first + region.length)
      this.store.dispatch({ type: 'seek', frame: first });
  }

  /** Starts over with an empty timeline; one undo step, so nothing is lost by mistake. */
  newProject(): void {
    this.store.dispatch({ type: 'open-project', project: emptyProject(), label: 'New project' });
  }

  /**
   * Puts a generated clip on the timeline, one undo step.
   * @param side where it goes, seen from the anchor clip; `replace` takes the anchor's place, `over` that of frames of it
   * @param cut cuts the clip to this length on the timeline
   * @returns id of the new clip
   */
  async place(
    file: { blob: Blob; title: string; data: Provenance },
    anchorId: string | null,
    side: PlaceSide,
    signal: AbortSignal,
    cut?: PlaceCut,
  ): Promise<string> {
    const { item } = await this.library.import(crypto.randomUUID(), file.blob, file.title);
    if (signal.aborted) throw new LongtakeError('cancelled', 'Inserting was cancelled.');
    const clip = { id: crypto.randomUUID(), label: file.title };
    const media = { ...item, provenance: file.data };
    const restId = crypto.randomUUID();
    this.store.dispatch({ type: 'place', media, clip, anchorId, side, cut, restId });
    if (side === 'over') this.mask = null;
    return clip.id;
  }

  /** Tells an error in words. */
  report(error: unknown): void {
    const text =
      error instanceof LongtakeError
        ? error.message
        : `Something went wrong and nothing was changed (${error instanceof Error ? error.message : String(error)}).`;
    this.store.dispatch({ type: 'notice', tone: 'negative', text });
  }

  dispose(): void {
    this.exporter.cancel();
    this.batch.dispose();
    this.autosave?.dispose();
    this.transport.dispose();
    this.frames.dispose();
    this.thumbnails.dispose();
    this.library.dispose();
  }
}

function lostMedia(names: readonly string[]): LongtakeError {
  const which = names.map((name) => `“${name}”`).join(', ');
  return new LongtakeError(
    'input',
    `Gone from the browser’s storage: ${which}. Everything else is here; open the file again, and its clips show it again.`,
  );
}

/**
 * Two windows must not save over each other: the project belongs to the first one until it closes. The wait lets a
 * reloaded page get past the one it replaces.
 */
function holdProject(): Promise<void> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(1500);
    const held = navigator.locks.request('longtake-studio-project', { signal }, () => {
      resolve();
      // Held until the page goes away.
      return new Promise<never>(() => undefined);
    });
    held.catch((cause: unknown) => {
      const words = 'Studio is open in another window; what you do in this one is not saved.';
      reject(new LongtakeError('output', words, { cause }));
    });
  });
}
