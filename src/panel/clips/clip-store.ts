import type { ClipRecord } from './clip-record.ts';

/** Where generated clips live until they are discarded: a record and named files for each. */
export interface ClipStore {
  /** Whether clips outlive the page. */
  readonly persistent: boolean;
  /** All records, in no order. A record that cannot be read is left out. */
  list(): Promise<ClipRecord[]>;
  saveRecord(record: ClipRecord): Promise<void>;
  /** Writes a file whole or not at all. @throws LongtakeError `output` where there is no room */
  write(id: string, name: string, blob: Blob): Promise<void>;
  /** The file, or undefined where it does not exist. */
  read(id: string, name: string): Promise<Blob | undefined>;
  remove(id: string): Promise<void>;
  /** Removes every clip. */
  clear(): Promise<void>;
}

/** Name of the file that holds a new frame; `index` counts in the order of making. */
export const frameFile = (index: number) => `frame-${String(index).padStart(5, '0')}.jpg`;
/** Name of the file that holds a small picture of a prefix frame beside the cut, in time order. */
export const edgeFile = (index: number) => `edge-${String(index).padStart(3, '0')}.jpg`;
/** The file the clip continues. */
export const sourceFile = 'source';
/** The clip after the gap that is filled. */
export const afterFile = 'after';
/** The mask of the region that is repainted: 8 bits a pixel, rows from the top. */
export const maskFile = 'mask';
/** Small picture of the first new frame. */
export const posterFile = 'poster.jpg';
/** The encoded result. */
export const resultFile = (content: 'continuation' | 'extended') => `${content}.mp4`;

/**
 * Id of the clip whose files tell what a clip continues: its own, or that of one made together with it where its page went
 * away before it had copies.
 */
export async function holderOfSource(clips: ClipStore, { id, set, prefix }: ClipRecord): Promise<string> {
  // Of the files of a source the one that is written last.
  const last = prefix.region ? maskFile : prefix.gap ? afterFile : sourceFile;
  for (const other of [id, ...(set?.ids ?? [])]) {
    if (await clips.read(other, last)) return other;
  }
  return id;
}

/** Keeps clips as long as the page lives: for browsers without a private file system. */
export class MemoryClipStore implements ClipStore {
  readonly persistent = false;
  readonly #records = new Map<string, ClipRecord>();
  readonly #files = new Map<string, Blob>();

  async list(): Promise<ClipRecord[]> {
    return [...this.#records.values()];
  }

  async saveRecord(record: ClipRecord): Promise<void> {
    this.#records.set(record.id, structuredClone(record));
  }

  async write(id: string, name: string, blob: Blob): Promise<void> {
    this.#files.set(`${id}/${name}`, blob);
  }

  async read(id: string, name: string): Promise<Blob | undefined> {
    return this.#files.get(`${id}/${name}`);
  }

  async remove(id: string): Promise<void> {
    this.#records.delete(id);
    for (const key of this.#files.keys()) if (key.startsWith(`${id}/`)) this.#files.delete(key);
  }

  async clear(): Promise<void> {
    this.#records.clear();
    this.#files.clear();
  }
}
