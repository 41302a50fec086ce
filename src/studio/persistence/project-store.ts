import { LongtakeError } from '../../engine/types.ts';

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
  scratch(name: string): Promise<{ stream: WritableStream; take(): Promise<File>; remove(): Promise<void> }>;
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
    const file = await read(this.home, 'project.json');
    return file ? file.text() : null;
  }

  async writeProject(json: string): Promise<void> {
    await write(this.home, 'project.json', new Blob([json]));
  }

  async readMedia(id: string): Promise<Blob | null> {
    return read(this.media, id);
  }

  async writeMedia(id: string, blob: Blob): Promise<void> {
    await write(this.media, id, blob);
  }

  async keepOnly(ids: ReadonlySet<string>): Promise<void> {
    const gone: string[] = [];
    for await (const name of this.media.keys()) if (!ids.has(name)) gone.push(name);
    for (const name of gone) await this.media.removeEntry(name);
  }

  async scratch(name: string): ReturnType<ProjectStore['scratch']> {
    const handle = await this.home.getFileHandle(name, { create: true });
    const stream = await handle.createWritable();
    return {
      stream,
      take: () => handle.getFile(),
      remove: () => this.home.removeEntry(name).catch(() => undefined),
    };
  }
}

async function read(folder: FileSystemDirectoryHandle, name: string): Promise<File | null> {
  try {
    return await (await folder.getFileHandle(name)).getFile();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotFoundError') return null;
    throw error;
  }
}

/** The browser writes to a copy and puts it in place on close, so nobody ever sees half a file. */
async function write(folder: FileSystemDirectoryHandle, name: string, blob: Blob): Promise<void> {
  const handle = await folder.getFileHandle(name, { create: true });
  const stream = await handle.createWritable();
  try {
    await blob.stream().pipeTo(stream);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'QuotaExceededError') {
      throw new LongtakeError(
        'output',
        'The disk space that this browser allows is used up: the project stays open but is no longer saved.',
        { cause },
      );
    }
    throw cause;
  }
}
