import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LongtakeError } from '../types.ts';
import { throwIfCancelled } from '../cancel.ts';
import type { PackageSource } from './world-package.ts';

/** A world-model package in a folder on disk (Node only). */
export function nodeFolder(path: string): PackageSource {
  const folder = resolve(path);
  return {
    label: folder,
    async read(file, { signal, onBytes }) {
      try {
        const bytes = await readFile(join(folder, file), signal ? { signal } : {});
        onBytes?.(bytes.byteLength);
        // A view of its own: small files come out of Node's shared pool.
        return bytes.byteLength === bytes.buffer.byteLength
          ? new Uint8Array(bytes.buffer)
          : Uint8Array.from(bytes);
      } catch (cause) {
        throwIfCancelled(signal);
        throw new LongtakeError(
          'package',
          `The world model in ${folder} lacks ${file}, or it can not be read.`,
          {
            cause,
          },
        );
      }
    },
  };
}
