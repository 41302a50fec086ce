import { LongtakeError } from '../../engine/types.ts';
import { ZipWriter } from '../../media/zip-writer.ts';

/** Where the files of a batch go. A file appears whole or not at all. */
export interface ResultSink {
  /** Takes a finished file; it may go on referring to the blob. @throws LongtakeError 'output' */
  put(name: string, blob: Blob): Promise<void>;
  /** Everything is there. @returns a sentence for the editor */
  finish(): Promise<string>;
}

/** Keeps references to the files and hands them over as one archive. */
export class ZipSink implements ResultSink {
  private readonly files = new Map<string, Blob>();

  /** @param save hands a file to the browser's downloads */
  constructor(
    private readonly name: string,
    private readonly save: (blob: Blob, name: string) => void,
  ) {}

  async put(name: string, blob: Blob): Promise<void> {
    this.files.set(name, blob);
  }

  async finish(): Promise<string> {
    const parts: BlobPart[] = [];
    const take = async (part: BlobPart): Promise<void> => void parts.push(part);
    // The archive refers to the files: those on disk are read when it is saved.
    const zip = new ZipWriter(take, take);
    for (const [name, blob] of this.files) await zip.add(name, blob);
    await zip.finish();
    this.save(new Blob(parts, { type: 'application/zip' }), this.name);
    return `${this.name} is in your downloads.`;
  }
}

/** Writes into a folder that the editor chose. */
export class FolderSink implements ResultSink {
  constructor(private readonly folder: FileSystemDirectoryHandle) {}

  async put(name: string, blob: Blob): Promise<void> {
    try {
      const handle = await this.folder.getFileHandle(name, { create: true });
      // The browser writes to a copy, which takes the file's place when the stream is closed.
      await blob.stream().pipeTo(await handle.createWritable());
    } catch (cause) {
      const full = cause instanceof DOMException && cause.name === 'QuotaExceededError';
      const why = full ? 'there is no space left' : 'the browser may not write into this folder any more';
      throw new LongtakeError('output', `The file “${name}” could not be written: ${why}.`, { cause });
    }
  }

  async finish(): Promise<string> {
    return `Everything is in the folder “${this.folder.name}”.`;
  }
}
