import { StreamTarget } from 'mediabunny';
import { defaultTemplate, posterName, previewName, videoNames } from '../../batch/names.ts';
import type { BatchStore, FinishedPreview, OpenPreview, Preview } from '../../batch/preview.ts';
import { cutTiles, factsOf, joinTiles, type TileFacts } from '../../batch/tile-strip.ts';
import { decodeFrame } from '../../panel/clips/frame-images.ts';
import type { BatchFolder } from './batch-folder.ts';
import { pngFile } from './png-file.ts';
import type { ResultSink } from './result-sink.ts';

/** What is kept of a finished preview beside its files. */
interface Memo {
  result: Omit<FinishedPreview, 'tiles'>;
  tiles: TileFacts[];
}

/** Ends the names of memos; what counts them need not read them. */
export const MEMO = '.memo.json';

/**
 * Keeps the previews of a batch in the browser's private storage and hands them to the sink. A finished one has a memo, so
 * that another page can go on after it.
 */
export class PageStore implements BatchStore {
  private readonly template: string;

  constructor(
    private readonly folder: BatchFolder,
    private readonly sink: ResultSink,
  ) {
    this.template = defaultTemplate(folder.plan.variations);
  }

  async finished(preview: Preview): Promise<FinishedPreview | null> {
    const name = previewName(this.template, preview);
    const [memo, strip] = await Promise.all([
      this.folder.read(name + MEMO),
      this.folder.read(`${name}.tiles.png`),
    ]);
    if (!memo || !strip) return null;
    const { result, tiles } = JSON.parse(await memo.text()) as Memo;
    for (const file of [...result.files, result.poster]) {
      const kept = await this.folder.read(file);
      if (!kept) return null;
      await this.sink.put(file, kept);
    }
    return { ...result, tiles: cutTiles(await decodeFrame(strip), tiles) };
  }

  async begin(preview: Preview): Promise<OpenPreview> {
    const { folder, sink } = this;
    const name = previewName(this.template, preview);
    const [file] = videoNames(name, ['extended']);
    const poster = posterName(name);
    const scratch = await folder.begin(file!);
    let committed = false;
    return {
      outputs: [{ content: 'extended', format: 'mp4', target: new StreamTarget(scratch.stream) }],
      commit: async (result, picture) => {
        const still = await pngFile(picture);
        await sink.put(file!, await scratch.take());
        await sink.put(poster, still);
        await folder.write(poster, still);
        await folder.write(`${name}.tiles.png`, await pngFile(joinTiles(result.tiles)));
        const { tiles, ...rest } = result;
        const memo: Memo = { result: { ...rest, files: [file!], poster }, tiles: factsOf(tiles) };
        // Written last: a preview counts as finished only when everything else is in place.
        await folder.write(name + MEMO, new Blob([JSON.stringify(memo)]));
        committed = true;
        return { ...memo.result, tiles };
      },
      discard: async () => {
        if (committed) return;
        await scratch.stream.abort().catch(() => undefined);
        await scratch.remove();
      },
    };
  }
}
