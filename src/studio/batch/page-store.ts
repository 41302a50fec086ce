import { StreamTarget } from 'mediabunny';
import { posterName, previewName, videoNames } from '../../batch/names.ts';
import type { BatchStore, OpenPreview, Preview } from '../../batch/preview.ts';
import type { ProjectStore } from '../persistence/project-store.ts';
import { pngFile } from './png-file.ts';
import type { ResultSink } from './result-sink.ts';

type Scratch = Awaited<ReturnType<ProjectStore['scratch']>>;

/** Keeps the previews of a batch in a page: each is written to a file of its own on disk, then handed to the sink. */
export class PageStore implements BatchStore {
  private readonly taken: Scratch[] = [];

  constructor(
    private readonly template: string,
    /** Begins a file in the browser's private storage. */
    private readonly scratch: () => Promise<Scratch>,
    private readonly sink: ResultSink,
  ) {}

  async finished(): Promise<null> {
    // A batch of a page begins with nothing.
    return null;
  }

  async begin(preview: Preview): Promise<OpenPreview> {
    const name = previewName(this.template, preview);
    const [file] = videoNames(name, ['extended']);
    const poster = posterName(name);
    const scratch = await this.scratch();
    let committed = false;
    return {
      outputs: [{ content: 'extended', format: 'mp4', target: new StreamTarget(scratch.stream) }],
      commit: async (result, picture) => {
        await this.sink.put(file!, await scratch.take());
        await this.sink.put(poster, await pngFile(picture));
        committed = true;
        this.taken.push(scratch);
        return { ...result, files: [file!], poster };
      },
      discard: async () => {
        if (committed) return;
        await scratch.stream.abort().catch(() => undefined);
        await scratch.remove();
      },
    };
  }

  /** Removes the files that were handed over; for sinks that keep copies. */
  async clear(): Promise<void> {
    await Promise.all(this.taken.splice(0).map((scratch) => scratch.remove()));
  }
}
