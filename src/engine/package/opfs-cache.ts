/**
 * Files kept in the browser's origin-private file system. A cache only: every failure (no such file system, no room left,
 * private window) counts as “not there”, and callers go on without it.
 */
export class OpfsCache {
  readonly #path: Promise<FileSystemDirectoryHandle | null>;

  /**
   * @param area folder for this kind of thing
   * @param key what distinguishes this set of files, such as an address
   */
  constructor(area: string, key: string) {
    this.#path = openFolder(area, encodeURIComponent(key).replace(/\./g, '%2E'));
  }

  async read(file: string): Promise<Uint8Array | null> {
    try {
      const folder = await this.#path;
      if (!folder) return null;
      const handle = await folder.getFileHandle(nameOf(file));
      return new Uint8Array(await (await handle.getFile()).arrayBuffer());
    } catch {
      return null;
    }
  }

  async write(file: string, bytes: Uint8Array): Promise<void> {
    const folder = await this.#path;
    if (!folder) return;
    try {
      const handle = await folder.getFileHandle(nameOf(file), { create: true });
      // createWritable swaps the file in on close, so that a torn-down page leaves the old file or none.
      const stream = await handle.createWritable();
      try {
        await stream.write(bytes as Uint8Array<ArrayBuffer>);
        await stream.close();
      } catch (error) {
        await stream.abort().catch(() => undefined);
        throw error;
      }
    } catch {
      await folder.removeEntry(nameOf(file)).catch(() => undefined);
    }
  }
}

async function openFolder(area: string, key: string): Promise<FileSystemDirectoryHandle | null> {
  try {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(area, { create: true });
    return await folder.getDirectoryHandle(key, { create: true });
  } catch {
    return null;
  }
}

function nameOf(file: string): string {
  return encodeURIComponent(file);
}
