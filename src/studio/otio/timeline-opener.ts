import { LongtakeError } from '../../engine/types.ts';
import type { MediaLibrary } from '../media/library.ts';
import { knownMedia } from '../store/state.ts';
import type { StudioStore } from '../store/store.ts';
import type { MediaItem } from '../timeline/project.ts';
import { buildProject, inFrames } from './build-project.ts';
import { fileNameOf, readTimeline, type OtioTimeline, type OtioTimelineClip } from './otio-timeline.ts';

/** A timeline that is being opened: what was found of its media so far. */
interface Opening {
  timeline: OtioTimeline;
  /** By the address in the timeline. */
  found: Map<string, MediaItem>;
}

/** Whether a file is a timeline rather than a clip. */
export function isTimeline(file: File): boolean {
  return /\.otio$/i.test(file.name);
}

/**
 * Opens OpenTimelineIO files. Media are those chosen with the file, or that Studio has already; where some are missing the
 * editor is asked (state `missing`), and nothing changes before the answer.
 */
export class TimelineOpener {
  private opening: Opening | null = null;

  /** @param report tells the editor of an error */
  constructor(
    private readonly store: StudioStore,
    private readonly library: MediaLibrary,
    private readonly report: (error: unknown) => void,
  ) {}

  /** Opens a timeline from a choice of files: the timeline itself and its clips. Problems become notices. */
  async open(files: readonly File[]): Promise<void> {
    try {
      const timelines = files.filter(isTimeline);
      const [file] = timelines;
      if (!file || timelines.length > 1) {
        throw new LongtakeError(
          'input',
          'Choose one timeline (.otio), together with the clips that it uses.',
        );
      }
      const timeline = readTimeline(await file.text(), file.name);
      this.opening = { timeline, found: this.present(timeline) };
      await this.relink(files.filter((other) => !isTimeline(other)));
    } catch (error) {
      this.cancel();
      this.report(error);
    }
  }

  /** Takes files for media that are missing, by their names; opens the timeline when nothing is missing any more. */
  async relink(files: readonly File[]): Promise<void> {
    const { opening } = this;
    if (!opening) return;
    for (const [url, name] of missingOf(opening)) {
      const file = files.find((candidate) => sameName(candidate.name, name));
      if (!file) continue;
      const label = `Opening ${file.name}`;
      this.store.dispatch({ type: 'task', task: { kind: 'import', label, progress: 0 } });
      try {
        opening.found.set(url, (await this.library.import(crypto.randomUUID(), file, file.name)).item);
      } catch (error) {
        this.report(error);
      }
    }
    this.store.dispatch({ type: 'task', task: null });
    const names = [...new Set(missingOf(opening).values())];
    if (names.length === 0) this.finish();
    else this.store.dispatch({ type: 'missing', missing: { name: opening.timeline.name, files: names } });
  }

  /** Opens the timeline with what is there; the places of missing clips stay empty. */
  finish(): void {
    const { opening } = this;
    if (!opening) return;
    try {
      const { project, notices } = buildProject(opening.timeline, opening.found, () => crypto.randomUUID());
      const missing = [...new Set(missingOf(opening).values())];
      this.store.dispatch({ type: 'open-project', project, label: 'Open timeline' });
      const words = missing.length > 0 ? [`Left out, because they are missing: ${missing.join(', ')}.`] : [];
      const text = [...words, ...notices].join(' ');
      if (text !== '') this.store.dispatch({ type: 'notice', tone: 'info', text });
    } catch (error) {
      this.report(error);
    } finally {
      this.cancel();
    }
  }

  /** Leaves everything as it was. */
  cancel(): void {
    this.opening = null;
    this.store.dispatch({ type: 'missing', missing: null });
  }

  /** Media of this visit that the timeline means: same name and length. */
  private present(timeline: OtioTimeline): Opening['found'] {
    const known = knownMedia(this.store.state).filter(({ id }) => this.library.has(id));
    const found: Opening['found'] = new Map();
    for (const clip of clipsOf(timeline)) {
      const item = known.find((candidate) => fits(candidate, clip));
      if (item) found.set(clip.url, item);
    }
    return found;
  }
}

function fits(item: MediaItem, { url, available }: OtioTimelineClip): boolean {
  const name = fileNameOf(url);
  if (!sameName(item.name, name) && !sameName(`${item.name}.mp4`, name)) return false;
  if (available === null) return false;
  return Math.round(inFrames(available.duration, item.rate)) === item.frameCount;
}

/** Names of the files that are still missing, by the address in the timeline. */
function missingOf({ timeline, found }: Opening): Map<string, string> {
  const urls = clipsOf(timeline).map(({ url }) => url);
  return new Map(urls.filter((url) => !found.has(url)).map((url) => [url, fileNameOf(url)]));
}

function clipsOf(timeline: OtioTimeline): OtioTimelineClip[] {
  return timeline.tracks.flatMap(({ items }) => items.flatMap(({ clip }) => (clip ? [clip] : [])));
}

function sameName(a: string, b: string): boolean {
  return a.normalize().toLowerCase() === b.normalize().toLowerCase();
}
