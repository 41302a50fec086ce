import { LongtakeError } from '../../engine/types.ts';
import { beginFile, readFile, writeFile, type Scratch } from './private-file.ts';

const FULL =
  'The disk space that this browser allows is used up: the project stays open but is no longer saved.';

/** Where a project is kept between visits: the origin's private file system. */
export interface ProjectStore {
  readProject(): Promise<string | null>;
  /** Replaces the saved project in one step: a crash leaves the old one or the new one. */
  writeProject(json: string): Promise<void>;
  readMedia(id: string): Promise<Blob | null>;
  writeMedia(id: string, blob: Blob): Promise<void>;
  /** Removes the media that nothing refers to any more. */
  keepOnly(ids: ReadonlySet<string>): Promise<void>;
  /** A file to write an export into, emptied. `take` gives what was written. */
  scratch(name: string): Promise<Scratch>;
}

/**
 * Opens the store under a folder of the origin private file system.
 * @throws LongtakeError `output` where the browser has none (some private windows)
 */
export async function openProjectStore(folder = 'studio'): Promise<ProjectStore> {
  try {
    const root = await navigator.storage.getDirectory();
    const home = await root.getDirectoryHandle(folder, { create: true });
    const media = await home.getDirectoryHandle('media', { create: true });
    await sweep(home);
    return new OpfsProjectStore(home, media);
  } catch (cause) {
    throw new LongtakeError('output', 'This browser window keeps no files, so the project is not saved.', {
      cause,
    });
  }
}

/** Exports of earlier visits: their downloads have long taken what they need. */
async function sweep(home: FileSystemDirectoryHandle): Promise<void> {
  const old: string[] = [];
  for await (const name of home.keys()) if (name.startsWith('export-')) old.push(name);
  for (const name of old) await home.removeEntry(name).catch(() => undefined);
}

class OpfsProjectStore implements ProjectStore {
  constructor(
    private readonly home: FileSystemDirectoryHandle,
    private readonly media: FileSystemDirectoryHandle,
  ) {}

  async readProject(): Promise<string | null> {
    const file = await readFile(this.home, 'project.json');
    return file ? file.text() : null;
  }

  async writeProject(json: string): Promise<void> {
    await writeFile(this.home, 'project.json', new Blob([json]), FULL);
  }

  async readMedia(id: string): Promise<Blob | null> {
    return readFile(this.media, id);
  }

  async writeMedia(id: string, blob: Blob): Promise<void> {
    await writeFile(this.media, id, blob, FULL);
  }

  async keepOnly(ids: ReadonlySet<string>): Promise<void> {
    const gone: string[] = [];
    for await (const name of this.media.keys()) if (!ids.has(name)) gone.push(name);
    for (const name of gone) await this.media.removeEntry(name);
  }

  scratch(name: string): Promise<Scratch> {
    const words =
      'The disk space that this browser allows is used up: nothing was written, and your project is as it was.';
    return beginFile(this.home, name, words);
  }
}
