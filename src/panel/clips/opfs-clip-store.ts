import { LongtakeError } from '../../engine/types.ts';
import type { ClipRecord } from './clip-record.ts';
import type { ClipStore } from './clip-store.ts';

const FOLDER = 'longtake-clips';
const RECORD = 'record.json';

/** Keeps clips in the origin's private file system: one folder a clip. */
export class OpfsClipStore implements ClipStore {
  readonly persistent = true;
  readonly #folder: FileSystemDirectoryHandle;

  private constructor(folder: FileSystemDirectoryHandle) {
    this.#folder = folder;
  }

  /** Opens the store. @throws DOMException where the browser has no private file system or denies it */
  static async open(): Promise<OpfsClipStore> {
    const root = await navigator.storage.getDirectory();
    if (!('createWritable' in FileSystemFileHandle.prototype)) {
      throw new DOMException('No writable files here.', 'NotSupportedError');
    }
    return new OpfsClipStore(await root.getDirectoryHandle(FOLDER, { create: true }));
  }

  async list(): Promise<ClipRecord[]> {
    const records: ClipRecord[] = [];
    for await (const [id, handle] of this.#folder.entries()) {
      if (handle.kind !== 'directory') continue;
      const blob = await this.read(id, RECORD);
      const record = blob ? parseRecord(await blob.text()) : null;
      if (record) records.push(record);
    }
    return records;
  }

  async saveRecord(record: ClipRecord): Promise<void> {
    await this.write(record.id, RECORD, new Blob([JSON.stringify(record)], { type: 'application/json' }));
  }

  async write(id: string, name: string, blob: Blob): Promise<void> {
    try {
      const folder = await this.#folder.getDirectoryHandle(id, { create: true });
      const file = await folder.getFileHandle(name, { create: true });
      // A writable keeps what it gets aside and replaces the file when it is closed.
      const writable = await file.createWritable();
      await blob.stream().pipeTo(writable);
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === 'QuotaExceededError') {
        throw new LongtakeError(
          'output',
          'The browser has no room left to keep generated clips: discard some under My clips, then try again.',
          { cause },
        );
      }
      throw cause;
    }
  }

  async read(id: string, name: string): Promise<Blob | undefined> {
    try {
      const folder = await this.#folder.getDirectoryHandle(id);
      const file = await (await folder.getFileHandle(name)).getFile();
      return file.size > 0 ? file : undefined;
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === 'NotFoundError') return undefined;
      throw cause;
    }
  }

  async remove(id: string): Promise<void> {
    try {
      await this.#folder.removeEntry(id, { recursive: true });
    } catch (cause) {
      if (!(cause instanceof DOMException && cause.name === 'NotFoundError')) throw cause;
    }
  }

  async clear(): Promise<void> {
    const ids: string[] = [];
    for await (const id of this.#folder.keys()) ids.push(id);
    for (const id of ids) await this.remove(id);
  }
}

function parseRecord(text: string): ClipRecord | null {
  try {
    const value: unknown = JSON.parse(text);
    const complete =
      typeof value === 'object' &&
      value !== null &&
      ['id', 'created', 'state', 'size', 'rate', 'frameCount', 'framesMade', 'prefix'].every(
        (key) => key in value,
      );
    return complete ? (value as ClipRecord) : null;
  } catch {
    return null;
  }
}
