import { constants } from 'node:fs';
import { access, open, stat, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { FilePathSource, StreamTarget, type StreamTargetChunk } from 'mediabunny';
import { LongtakeError } from '../../engine/types.ts';
import { openClip, type Clip } from '../open-clip.ts';
import type { PendingFile } from './pending-file.ts';
import { registerMediaCodecs } from './register.ts';

/**
 * Opens a video by its path.
 * @throws LongtakeError 'input' with a sentence for a missing, unreadable, empty or unusable file
 */
export async function openClipFile(path: string, signal?: AbortSignal): Promise<Clip> {
  registerMediaCodecs();
  const name = basename(path);
  let facts;
  try {
    await access(path, constants.R_OK);
    facts = await stat(path);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const message = missing ? `There is no file “${path}”.` : `The file “${path}” can not be read.`;
    throw new LongtakeError('input', message, { cause });
  }
  if (facts.isDirectory()) throw new LongtakeError('input', `“${path}” is a folder, not a video file.`);
  if (facts.size === 0) throw new LongtakeError('input', `The file “${name}” is empty.`);
  return openClip(new FilePathSource(path), name, signal);
}

/**
 * Where a video goes that is to become a pending file. Every byte is accounted for: a full disk is an error, not a file that
 * ends early.
 */
export function targetOf(file: PendingFile): StreamTarget {
  registerMediaCodecs();
  let handle: FileHandle | null = null;
  const opened = async (): Promise<FileHandle> => (handle ??= await open(file.temporaryPath, 'w'));
  const stream = new WritableStream<StreamTargetChunk>({
    async write({ data, position }) {
      const target = await opened();
      for (let done = 0; done < data.byteLength;) {
        const { bytesWritten } = await target.write(data, done, data.byteLength - done, position + done);
        done += bytesWritten;
      }
    },
    async close() {
      const target = await opened();
      try {
        await target.sync();
      } finally {
        await target.close();
      }
    },
    async abort() {
      await handle?.close();
    },
  });
  return new StreamTarget(stream, { chunked: true });
}
