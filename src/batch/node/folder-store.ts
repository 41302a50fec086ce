import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { LongtakeError, type RgbaFrame } from '../../engine/types.ts';
import type { SheetTile } from '../../media/contact-sheet.ts';
import type { ClipFormat } from '../../media/clip-writer.ts';
import { targetOf } from '../../media/node/clip-file.ts';
import { beginFile, sameFile, writeWhole, type PendingFile } from '../../media/node/pending-file.ts';
import { encodePng } from '../../media/node/png.ts';
import type { BatchItem, BatchStore, FinishedClip, OpenItem } from '../run-batch.ts';

/** Folder inside the results for what a later run needs to resume. */
const STATE_FOLDER = '.longtake';

/** What is written beside the pictures of a finished clip. */
interface Memo {
  result: Omit<FinishedClip, 'tiles'>;
  fingerprint: string;
  /** Bytes of each file, to notice files that were changed or replaced. */
  bytes: number[];
  tiles: { kind: SheetTile['kind']; label: string; width: number; height: number }[];
}

export interface FolderStoreOptions {
  folder: string;
  content: readonly ('continuation' | 'extended')[];
  format: ClipFormat;
  /** Files that must never be written over: the project and its media. */
  inputs: readonly string[];
  /** Identifies a clip with its media and all settings; a different one means: make it again. */
  fingerprint(item: BatchItem): Promise<string>;
}

/** Keeps the previews of a batch in a folder, with a memo for each finished clip, so that a later run can resume. */
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

  async finished(item: BatchItem): Promise<FinishedClip | null> {
    try {
      const memo = JSON.parse(await readFile(this.memoPath(item), 'utf8')) as Memo;
      if (memo.fingerprint !== (await this.options.fingerprint(item))) return null;
      for (const [i, file] of memo.result.files.entries()) {
        if ((await stat(join(this.options.folder, file))).size !== memo.bytes[i]) return null;
      }
      return { ...memo.result, tiles: cutTiles(await readFile(this.tilesPath(item)), memo.tiles) };
    } catch {
      // No memo, a damaged one or a file that went away: the clip is made again.
      return null;
    }
  }

  async begin(item: BatchItem): Promise<OpenItem> {
    const { folder, content, format } = this.options;
    await rm(this.memoPath(item), { force: true });
    const names = content.map((kind) => fileName(item, kind, format, content.length > 1));
    for (const name of names) await this.protect(join(folder, name));
    const pending: PendingFile[] = [];
    for (const name of names) pending.push(await beginFile(join(folder, name)));
    return {
      outputs: pending.map((file, i) => ({ content: content[i]!, format, target: targetOf(file) })),
      commit: async (result) => {
        for (const file of pending) await file.commit();
        return this.remember(item, { ...result, files: names });
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

  private async remember(item: BatchItem, result: FinishedClip): Promise<FinishedClip> {
    const { folder } = this.options;
    const bytes = await Promise.all(result.files.map(async (file) => (await stat(join(folder, file))).size));
    await writeWhole(this.tilesPath(item), encodePng(joinTiles(result.tiles)));
    const { tiles, ...rest } = result;
    const memo: Memo = {
      result: rest,
      fingerprint: await this.options.fingerprint(item),
      bytes,
      tiles: tiles.map(({ kind, label, frame }) => ({
        kind,
        label,
        width: frame.width,
        height: frame.height,
      })),
    };
    // Written last: a clip counts as finished only when everything else is in place.
    await writeWhole(this.memoPath(item), `${JSON.stringify(memo, null, 2)}\n`);
    return result;
  }

  private memoPath(item: BatchItem): string {
    return join(this.options.folder, STATE_FOLDER, `${number(item)}.json`);
  }

  private tilesPath(item: BatchItem): string {
    return join(this.options.folder, STATE_FOLDER, `${number(item)}.png`);
  }
}

/** A short name for anything that can be written as JSON. */
export function fingerprintOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
}

function number(item: BatchItem): string {
  return String(item.index).padStart(3, '0');
}

/** `003-kitchen-door.mp4`, and `003-kitchen-door-continuation.mp4` where both are made. */
function fileName(item: BatchItem, content: string, format: ClipFormat, both: boolean): string {
  const plain = item.name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\.[a-z0-9]{2,4}$/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  const ending = both && content === 'continuation' ? '-continuation' : '';
  return `${number(item)}${plain === '' ? '' : `-${plain}`}${ending}.${format}`;
}

/** Tiles side by side in one picture. */
function joinTiles(tiles: readonly SheetTile[]): RgbaFrame {
  const width = Math.max(
    1,
    tiles.reduce((sum, { frame }) => sum + frame.width, 0),
  );
  const height = Math.max(1, ...tiles.map(({ frame }) => frame.height));
  const data = new Uint8ClampedArray(width * height * 4);
  let left = 0;
  for (const { frame } of tiles) {
    for (let row = 0; row < frame.height; row++) {
      const line = frame.data.subarray(row * frame.width * 4, (row + 1) * frame.width * 4);
      data.set(line, (row * width + left) * 4);
    }
    left += frame.width;
  }
  return { width, height, data };
}

function cutTiles(png: Uint8Array, tiles: Memo['tiles']): SheetTile[] {
  const picture = PNG.sync.read(Buffer.from(png));
  let left = 0;
  return tiles.map(({ kind, label, width, height }) => {
    const data = new Uint8ClampedArray(width * height * 4);
    for (let row = 0; row < height; row++) {
      const at = (row * picture.width + left) * 4;
      data.set(picture.data.subarray(at, at + width * 4), row * width * 4);
    }
    left += width;
    return { kind, label, frame: { width, height, data } };
  });
}
