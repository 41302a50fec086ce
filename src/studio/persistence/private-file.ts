import { LongtakeError } from '../../engine/types.ts';

/** A file that is being written. `take` gives what was written, once the stream is closed. */
export interface Scratch {
  stream: WritableStream;
  take(): Promise<File>;
  remove(): Promise<void>;
}

/** A file of the browser's private storage; null where there is none of this name. */
export async function readFile(folder: FileSystemDirectoryHandle, name: string): Promise<File | null> {
  try {
    return await (await folder.getFileHandle(name)).getFile();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotFoundError') return null;
    throw error;
  }
}

/**
 * Writes a file whole: the browser writes to a copy and puts it in place on close, so nobody ever sees half a file.
 * @param words what the editor reads where there is no room
 * @throws LongtakeError `output`
 */
export async function writeFile(
  folder: FileSystemDirectoryHandle,
  name: string,
  blob: Blob,
  words: string,
): Promise<void> {
  const handle = await folder.getFileHandle(name, { create: true });
  try {
    await blob.stream().pipeTo(await handle.createWritable());
  } catch (cause) {
    throw told(cause, words);
  }
}

/**
 * Begins a file, emptied. What goes wrong while it is written comes out of its stream as a LongtakeError `output` where
 * there is no room.
 */
export async function beginFile(
  folder: FileSystemDirectoryHandle,
  name: string,
  words: string,
): Promise<Scratch> {
  try {
    const handle = await folder.getFileHandle(name, { create: true });
    const file = await handle.createWritable();
    const stream = new WritableStream<FileSystemWriteChunkType>({
      write: (chunk) => file.write(chunk).catch((cause: unknown) => Promise.reject(told(cause, words))),
      close: () => file.close().catch((cause: unknown) => Promise.reject(told(cause, words))),
      abort: (reason) => file.abort(reason),
    });
    return {
      stream,
      take: () => handle.getFile(),
      remove: () => folder.removeEntry(name).catch(() => undefined),
    };
  } catch (cause) {
    throw told(cause, words);
  }
}

/** An error of the disk in words, where it is that there is no room. */
function told(cause: unknown, words: string): unknown {
  const full = cause instanceof DOMException && cause.name === 'QuotaExceededError';
  return full ? new LongtakeError('output', words, { cause }) : cause;
}
