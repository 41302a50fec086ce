import { throwIfCancelled } from '../cancel.ts';
import { LongtakeError } from '../types.ts';
import { sha256Hex } from './sha256.ts';
import type { ModelJson } from './model-json.ts';
import { parseModelJson } from './validate.ts';

/** Where the files of a world-model package come from. Paths are relative to the package's folder, with `/`. */
export interface PackageSource {
  /** Folder or address, for messages. */
  readonly label: string;
  /**
   * Reads one whole file.
   * @param onBytes called with the number of bytes that arrived since the last call
   * @throws LongtakeError `package` when the file is not there, `cancelled` when the signal fires
   */
  read(
    path: string,
    options: { signal?: AbortSignal; onBytes?: (count: number) => void },
  ): Promise<Uint8Array>;
  /** Reads past a cache and replaces what it held; only sources with a cache have it. */
  readFresh?: PackageSource['read'];
}

export interface PackageProgress {
  /** File being read. */
  file: string;
  bytesDone: number;
  bytesTotal: number;
}

export interface OpenPackageOptions {
  onProgress?: (progress: PackageProgress) => void;
  signal?: AbortSignal;
}

/** A package whose every file was read and whose hashes are right. */
export interface WorldPackage {
  readonly label: string;
  readonly model: ModelJson;
  /**
   * The verified bytes of one file of the package; not a copy, do not write into it.
   * @throws LongtakeError `package` for a path that model.json does not list
   */
  file(path: string): Uint8Array<ArrayBuffer>;
}

/**
 * Reads a world-model package whole, checks model.json and the size and sha256 of every file it lists.
 * @throws LongtakeError `package`, naming the file that is missing or damaged; `cancelled`
 */
export async function openPackage(
  source: PackageSource,
  options: OpenPackageOptions = {},
): Promise<WorldPackage> {
  const { signal, onProgress } = options;
  const readSignal = signal ? { signal } : {};
  let model: ModelJson;
  const text = await source.read('model.json', readSignal);
  try {
    model = parseModelJson(text);
  } catch (error) {
    if (!source.readFresh) throw error;
    model = parseModelJson(await source.readFresh('model.json', readSignal));
  }
  const bytesTotal = model.files.reduce((sum, file) => sum + file.bytes, 0);
  let bytesDone = 0;
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const entry of model.files) {
    const before = bytesDone;
    const onBytes = (count: number): void => {
      bytesDone = Math.min(before + entry.bytes, bytesDone + count);
      onProgress?.({ file: entry.path, bytesDone, bytesTotal });
    };
    let bytes = await source.read(entry.path, { ...readSignal, onBytes });
    let fault = await faultOf(bytes, entry);
    if (fault && source.readFresh) {
      bytesDone = before;
      bytes = await source.readFresh(entry.path, { ...readSignal, onBytes });
      fault = await faultOf(bytes, entry);
    }
    if (fault) {
      throw new LongtakeError(
        'package',
        `The world model “${model.name}” is damaged: ${entry.path} ${fault}; install the model again.`,
      );
    }
    throwIfCancelled(signal);
    bytesDone = before + entry.bytes;
    onProgress?.({ file: entry.path, bytesDone, bytesTotal });
    files.set(entry.path, bytes as Uint8Array<ArrayBuffer>);
  }
  return {
    label: source.label,
    model,
    file(path) {
      const bytes = files.get(path);
      if (!bytes) throw new LongtakeError('package', `The world model “${model.name}” has no file ${path}.`);
      return bytes;
    },
  };
}

async function faultOf(bytes: Uint8Array, entry: ModelJson['files'][number]): Promise<string | null> {
  if (bytes.byteLength !== entry.bytes) return `has ${bytes.byteLength} bytes instead of ${entry.bytes}`;
  if ((await sha256Hex(bytes)) !== entry.sha256) return 'has changed since it was made';
  return null;
}
