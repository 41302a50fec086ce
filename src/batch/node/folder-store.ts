import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { LongtakeError } from '../../engine/types.ts';
import { targetOf } from '../../media/node/clip-file.ts';
import {
  beginFile,
  discardLeftovers,
  fillFile,
  sameFile,
  writeWhole,
  type PendingFile,
} from '../../media/node/pending-file.ts';
import { encodePng } from '../../media/node/png.ts';
import { posterName, previewName, videoNames } from '../names.ts';
import type { BatchStore, Content, FinishedPreview, OpenPreview, Preview } from '../preview.ts';
import { KeptChunks } from './kept-chunks.ts';
import { cutTiles, factsOf, joinTiles, type TileFacts } from '../tile-strip.ts';

/** Folder inside the results for what a later run needs to resume. */
const STATE_FOLDER = '.longtake';

/** What is written beside the pictures of a finished preview. */
interface Memo {
  result: Omit<FinishedPreview, 'tiles'>;
  fingerprint: string;
  /** Bytes of each video and of the poster, to notice files that were changed or replaced. */
  bytes: number[];
  tiles: TileFacts[];
}

export interface FolderStoreOptions {
  folder: string;
  content: readonly Content[];
  /** As `checkTemplate` takes it. */
  template: string;
  /** Files that must never be written over: the project and its media. */
  inputs: readonly string[];
  /** Identifies a preview with its media and all settings; a different one means: make it again. */
  fingerprint(preview: Preview): Promise<string>;
}

/** Keeps the previews of a batch in a folder, with a memo for each finished one, so that a later run can resume. */
export class FolderStore implements BatchStore {
  constructor(private readonly options: FolderStoreOptions) {}

  /** Makes the folder. @throws LongtakeError 'output' */
  async prepare(): Promise<void> {
    const state = join(this.options.folder, STATE_FOLDER);
    try {
      await mkdir(state, { recursive: true });
    } catch (cause) {
      throw new LongtakeError(
        'output',
        `The folder “${this.options.folder}” can not be made or written to.`,
        { cause },
      );
    }
    // Fails early where the folder is there but closed.
    const probe = await beginFile(join(state, 'probe'));
    await probe.discard();
  }

  async finished(preview: Preview): Promise<FinishedPreview | null> {
    try {
      const memo = JSON.parse(await readFile(this.memoPath(preview), 'utf8')) as Memo;
      if (memo.fingerprint !== (await this.fingerprint(preview))) return null;
      const { files, poster } = memo.result;
      for (const [i, file] of [...files, poster].entries()) {
        if ((await stat(join(this.options.folder, file))).size !== memo.bytes[i]) return null;
      }
      return {
        ...memo.result,
        tiles: cutTiles(PNG.sync.read(await readFile(this.tilesPath(preview))), memo.tiles),
      };
    } catch {
      // No memo, a damaged one or a file that went away: the preview is made again.
      return null;
    }
  }

  async begin(preview: Preview): Promise<OpenPreview> {
    const { folder, content, template } = this.options;
    await rm(this.memoPath(preview), { force: true });
    const name = previewName(template, preview);
    const files = videoNames(name, content);
    const poster = posterName(name);
    for (const file of [...files, poster]) {
      await this.protect(join(folder, file));
      await discardLeftovers(join(folder, file));
    }
    const kept = await KeptChunks.open(this.chunksPath(preview), await this.fingerprint(preview));
    const pending: PendingFile[] = [];
    for (const file of files) pending.push(await beginFile(join(folder, file)));
    return {
      outputs: pending.map((file, i) => ({ content: content[i]!, format: 'mp4', target: targetOf(file) })),
      madeChunks: kept.chunks,
      keepChunk: (latents) => kept.keep(latents),
      commit: async (result, picture) => {
        const still = await beginFile(join(folder, poster));
        pending.push(still);
        await fillFile(still, encodePng(picture));
        for (const file of pending) await file.commit();
        const finished = await this.remember(preview, { ...result, files, poster });
        await kept.remove();
        return finished;
      },
      discard: async () => {
        await Promise.all(pending.map((file) => file.discard()));
      },
    };
  }

  private async protect(path: string): Promise<void> {
    for (const input of this.options.inputs) {
      if (await sameFile(input, path)) {
        throw new LongtakeError(
          'input',
          `The preview “${path}” would overwrite the project’s own media; choose another folder.`,
        );
      }
    }
  }

  private async remember(preview: Preview, result: FinishedPreview): Promise<FinishedPreview> {
    const { folder } = this.options;
    const written = [...result.files, result.poster];
    const bytes = await Promise.all(written.map(async (file) => (await stat(join(folder, file))).size));
    await writeWhole(this.tilesPath(preview), encodePng(joinTiles(result.tiles)));
    const { tiles, ...rest } = result;
    const memo: Memo = {
      result: rest,
      fingerprint: await this.fingerprint(preview),
      bytes,
      tiles: factsOf(tiles),
    };
    // Written last: a preview counts as finished only when everything else is in place.
    await writeWhole(this.memoPath(preview), `${JSON.stringify(memo, null, 2)}\n`);
    return result;
  }

  /** A preview that would get another name now is made again under it. */
  private async fingerprint(preview: Preview): Promise<string> {
    const { template, content } = this.options;
    const names = videoNames(previewName(template, preview), content);
    return fingerprintOf([await this.options.fingerprint(preview), names]);
  }

  private memoPath(preview: Preview): string {
    return join(this.options.folder, STATE_FOLDER, `${memoName(preview)}.json`);
  }

  private chunksPath(preview: Preview): string {
    return join(this.options.folder, STATE_FOLDER, `${memoName(preview)}.chunks`);
  }

  private tilesPath(preview: Preview): string {
    return join(this.options.folder, STATE_FOLDER, `${memoName(preview)}.png`);
  }
}

/** A short name for anything that can be written as JSON. */
export function fingerprintOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
}

function memoName({ item, variation }: Preview): string {
  return `${String(item.index).padStart(3, '0')}-v${variation}`;
}
