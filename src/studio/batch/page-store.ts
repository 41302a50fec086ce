import { StreamTarget } from 'mediabunny';
import { defaultTemplate, posterName, previewName, videoNames } from '../../batch/names.ts';
import type { BatchStore, FinishedPreview, OpenPreview, Preview } from '../../batch/preview.ts';
import { cutTiles, factsOf, joinTiles, type TileFacts } from '../../batch/tile-strip.ts';
import { decodeFrame } from '../../panel/clips/frame-images.ts';
import type { BatchFolder } from './batch-folder.ts';
import type { ResultSink } from './result-sink.ts';
import type { PngEncoder } from '../media/png-encoder.ts';

/** What is kept of a finished preview beside its files. */
interface Memo {
  result: Omit<FinishedPreview, 'tiles'>;
  tiles: TileFacts[];
}

/** In the names of memos and of kept chunks; what counts them need not read them. */
export const MEMO = '.memo.json';
export const CHUNK = '.chunk-';

/**
 * Keeps the previews of a batch in the browser's private storage and hands them to the sink. A finished one has a memo, one
 * that is being made its chunks so far, so that another page can go on after them.
 */
export class PageStore implements BatchStore {
  private readonly template: string;

  constructor(
    private readonly folder: BatchFolder,
    private readonly sink: ResultSink,
    private readonly png: PngEncoder,
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
    const made = await this.chunks(name);
    let committed = false;
    let next = made.length;
    return {
      outputs: [{ content: 'extended', format: 'mp4', target: new StreamTarget(scratch.stream) }],
      madeChunks: made,
      keepChunk: (latents) =>
        folder.write(chunkFile(name, next++), new Blob([latents as Float32Array<ArrayBuffer>])),
      commit: async (result, picture) => {
        const still = await this.png.frame(picture);
        await sink.put(file!, await scratch.take());
        await sink.put(poster, still);
        await folder.write(poster, still);
        await folder.write(`${name}.tiles.png`, await this.png.frame(joinTiles(result.tiles)));
        const { tiles, ...rest } = result;
        const memo: Memo = { result: { ...rest, files: [file!], poster }, tiles: factsOf(tiles) };
        // Written last: a preview counts as finished only when everything else is in place.
        await folder.write(name + MEMO, new Blob([JSON.stringify(memo)]));
        committed = true;
        for (let index = 0; index < next; index++) await folder.remove(chunkFile(name, index));
        return { ...memo.result, tiles };
      },
      discard: async () => {
        if (committed) return;
        await scratch.stream.abort().catch(() => undefined);
        await scratch.remove();
      },
    };
  }

  /** What a page that went away had made of a preview. */
  private async chunks(name: string): Promise<Float32Array[]> {
    const chunks: Float32Array[] = [];
    for (;;) {
      const file = await this.folder.read(chunkFile(name, chunks.length));
      if (!file || file.size === 0 || file.size % 4 !== 0) return chunks;
      chunks.push(new Float32Array(await file.arrayBuffer()));
    }
  }
}

function chunkFile(name: string, index: number): string {
  return `${name}${CHUNK}${index}`;
}
