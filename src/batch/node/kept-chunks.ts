import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LongtakeError } from '../../engine/types.ts';
import { writeWhole } from '../../media/node/pending-file.ts';

/** File that says of which preview the chunks are. */
const OWNER = 'preview.txt';

/**
 * The latents of a preview that is being made, a file a chunk, each whole or not there: a run that is broken off at any
 * moment is gone on with after its last whole chunk.
 */
export class KeptChunks {
  private constructor(
    private readonly folder: string,
    readonly chunks: readonly Float32Array[],
    private count: number,
  ) {}

  /**
   * Reads what was kept in a folder; chunks of another preview are removed.
   * @param owner identifies the preview with everything that decides its pictures
   * @throws LongtakeError 'output'
   */
  static async open(folder: string, owner: string): Promise<KeptChunks> {
    const chunks: Float32Array[] = [];
    const known = await readFile(join(folder, OWNER), 'utf8').catch(() => null);
    if (known === owner) {
      for (;;) {
        const bytes = await readFile(fileOf(folder, chunks.length)).catch(() => null);
        if (!bytes || bytes.length === 0 || bytes.length % 4 !== 0) break;
        if (chunks.length > 0 && bytes.length !== chunks[0]!.byteLength) break;
        chunks.push(new Float32Array(new Uint8Array(bytes).buffer));
      }
    } else {
      try {
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder, { recursive: true });
      } catch (cause) {
        throw new LongtakeError('output', `The folder “${folder}” can not be written.`, { cause });
      }
      await writeWhole(join(folder, OWNER), owner);
    }
    return new KeptChunks(folder, chunks, chunks.length);
  }

  /** @throws LongtakeError 'output', for instance when the disk is full */
  keep(latents: Float32Array): Promise<void> {
    const { buffer, byteOffset, byteLength } = latents;
    return writeWhole(fileOf(this.folder, this.count++), new Uint8Array(buffer, byteOffset, byteLength));
  }

  /** Removes them: the preview is finished. */
  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

function fileOf(folder: string, index: number): string {
  return join(folder, `${String(index).padStart(5, '0')}.f32`);
}
