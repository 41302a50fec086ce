import { StreamTarget } from 'mediabunny';
import { LongtakeError } from '../engine/types.ts';
import { ZipWriter } from '../media/zip-writer.ts';
import { download } from './media/download.ts';
import { exportPngs } from './media/export-pngs.ts';
import { exportTimeline, type ExportProgress } from './media/export-timeline.ts';
import type { MediaLibrary } from './media/library.ts';
import { mediaFileNames, writeTimeline } from './otio/write-timeline.ts';
import type { ProjectStore } from './persistence/project-store.ts';
import { projectOf } from './store/state.ts';
import type { StudioStore } from './store/store.ts';
import { allClips, type Project } from './timeline/project.ts';

/** `png`: a zip of numbered pictures. */
export type ExportFormat = 'mp4' | 'webm' | 'png';

const TYPES = { mp4: 'video/mp4', webm: 'video/webm', png: 'application/zip' } as const;

/** What goes out of Studio: videos, pictures and timelines, as downloads. One at a time; with progress, and to be cancelled. */
export class Exporter {
  private running: AbortController | null = null;

  /**
   * @param files where an export is written before it is whole
   * @param report tells the editor of an error
   */
  constructor(
    private readonly store: StudioStore,
    private readonly library: MediaLibrary,
    private readonly files: () => Promise<ProjectStore>,
    private readonly report: (error: unknown) => void,
  ) {}

  /** Writes the whole timeline as a video or as pictures. */
  async export(format: ExportFormat): Promise<void> {
    const project = projectOf(this.store.state);
    const base = baseName(project);
    const name = format === 'png' ? `${base} PNG.zip` : `${base}.${format}`;
    await this.run(name, TYPES[format], async (stream, progress) => {
      if (format !== 'png') {
        await exportTimeline(project, this.library, {
          format,
          target: new StreamTarget(stream),
          ...progress,
        });
      } else {
        await toStream(stream, (write) => exportPngs(project, this.library, base, write, progress));
      }
      return (await this.hasSound(project)) ? 'It has pictures only: Studio does not carry sound yet.' : null;
    });
  }

  /** The timeline as an OpenTimelineIO file. */
  saveTimeline(): void {
    const project = projectOf(this.store.state);
    const name = `${baseName(project)}.otio`;
    const text = writeTimeline(project, mediaFileNames(project));
    download(new Blob([text], { type: 'application/json' }), name);
    const made = Object.values(project.media).some(({ provenance }) => provenance);
    const words = made
      ? 'Clips that Longtake made are not in it: save it with its clips to take them along.'
      : 'It names your clips; keep them with it.';
    this.store.dispatch({ type: 'notice', tone: 'positive', text: `${name} is in your downloads. ${words}` });
  }

  /** The timeline together with its clips, as a zip. */
  async saveWithClips(): Promise<void> {
    const project = projectOf(this.store.state);
    const base = baseName(project);
    const names = mediaFileNames(project);
    await this.run(`${base}.zip`, 'application/zip', async (stream, { signal, onProgress }) => {
      await toStream(stream, async (write) => {
        const zip = new ZipWriter(async (bytes) => {
          if (signal.aborted) throw new LongtakeError('cancelled', 'Saving was cancelled.');
          await write(bytes);
        });
        await zip.add(`${base}/${base}.otio`, new Blob([writeTimeline(project, names, true)]));
        let done = 0;
        for (const [id, name] of names) {
          await zip.add(`${base}/${name}`, this.library.blob(id));
          onProgress(++done, names.size);
        }
        await zip.finish();
      });
      return null;
    });
  }

  cancel(): void {
    this.running?.abort();
  }

  /**
   * Lets `work` write a file and hands it to the browser's downloads when it is whole; otherwise nothing is left.
   * `work` may return a sentence for the user.
   */
  private async run(
    name: string,
    type: string,
    work: (stream: WritableStream, progress: ExportProgress) => Promise<string | null>,
  ): Promise<void> {
    if (this.running) return;
    const abort = new AbortController();
    this.running = abort;
    const show = (progress: number): void =>
      this.store.dispatch({ type: 'task', task: { kind: 'export', label: `Exporting ${name}`, progress } });
    show(0);
    try {
      const files = await this.files();
      const scratch = await files.scratch(`export-${crypto.randomUUID()}`);
      let words: string | null;
      try {
        words = await work(scratch.stream, {
          signal: abort.signal,
          onProgress: (done, total) => show(done / total),
        });
      } catch (error) {
        await scratch.stream.abort().catch(() => undefined);
        await scratch.remove();
        throw error;
      }
      download(new Blob([await scratch.take()], { type }), name);
      const text = [`${name} is in your downloads.`, words].filter(Boolean).join(' ');
      this.store.dispatch({ type: 'notice', tone: words ? 'info' : 'positive', text });
    } catch (error) {
      if (!(error instanceof LongtakeError && error.code === 'cancelled')) this.report(error);
    } finally {
      this.running = null;
      this.store.dispatch({ type: 'task', task: null });
    }
  }

  /** Whether any clip on the timeline comes from a file with sound. */
  private async hasSound(project: Project): Promise<boolean> {
    const ids = new Set(project.tracks.flatMap((track) => track.clips.map((clip) => clip.mediaId)));
    for (const id of ids) if (await (await this.library.open(id)).sound()) return true;
    return false;
  }
}

/** Writes bytes to a stream and closes it; after an error the stream can still be aborted. */
async function toStream(
  stream: WritableStream,
  work: (write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>) => Promise<unknown>,
): Promise<void> {
  const writer = stream.getWriter();
  try {
    await work((bytes) => writer.write(bytes));
    await writer.close();
  } finally {
    writer.releaseLock();
  }
}

/** Named after the first clip, so that several exports can be told apart. */
function baseName(project: Project): string {
  const first = allClips(project)[0]?.label.replace(/\.[a-z0-9]{2,4}$/i, '') ?? project.name;
  return `${first.replace(/[\\/:*?"<>|]/g, '-')} (Studio)`;
}
