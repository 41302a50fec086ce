import { throwIfCancelled } from '../cancel.ts';
import { LongtakeError } from '../types.ts';
import { OpfsCache } from './opfs-cache.ts';
import type { PackageSource } from './world-package.ts';

/**
 * A world-model package under a web address. Files are kept in the browser's private file system, where there is one, and
 * read from there the next time; model.json is always asked for first, so that a new model replaces an old one.
 * @param baseUrl address of the package's folder, with or without the final slash
 */
export function httpFolder(baseUrl: string | URL): PackageSource {
  const base = new URL(String(baseUrl).replace(/\/*$/, '/'), globalThis.location?.href);
  const cache = new OpfsCache('world-models', base.href);
  const load = async (
    file: string,
    { signal, onBytes }: Parameters<PackageSource['read']>[1],
  ): Promise<Uint8Array> => {
    const bytes = await download(new URL(file, base), file, signal, onBytes);
    await cache.write(file, bytes);
    return bytes;
  };
  return {
    label: base.href,
    async read(file, options) {
      if (file === 'model.json') {
        try {
          return await load(file, options);
        } catch (error) {
          throwIfCancelled(options.signal);
          // Offline: the model that was fetched last still works.
          const kept = await cache.read(file);
          if (kept) return kept;
          throw error;
        }
      }
      const kept = await cache.read(file);
      throwIfCancelled(options.signal);
      if (kept) {
        options.onBytes?.(kept.byteLength);
        return kept;
      }
      return load(file, options);
    },
    readFresh: load,
  };
}

async function download(
  url: URL,
  file: string,
  signal: AbortSignal | undefined,
  onBytes: ((count: number) => void) | undefined,
): Promise<Uint8Array> {
  try {
    const response = await fetch(url, signal ? { signal } : {});
    if (!response.ok || !response.body) throw new Error(`HTTP status ${response.status}`);
    const parts: Uint8Array[] = [];
    let size = 0;
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      size += value.byteLength;
      onBytes?.(value.byteLength);
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.byteLength;
    }
    return bytes;
  } catch (cause) {
    throwIfCancelled(signal);
    throw new LongtakeError(
      'package',
      `The world model's file ${file} could not be loaded from ${url.origin}.`,
      {
        cause,
      },
    );
  }
}
