import { randomBytes } from 'node:crypto';
import { constants, rmSync } from 'node:fs';
import { access, open, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LongtakeError } from '../../engine/types.ts';

/** A file that appears under its name only when it is whole: it is written beside it and renamed at the end. */
export interface PendingFile {
  readonly path: string;
  readonly temporaryPath: string;
  /** Puts the finished file in its place. */
  commit(): Promise<void>;
  /** Removes what was written. Harmless after `commit`. */
  discard(): Promise<void>;
}

/** Temporary files that are neither in their place nor removed. */
const unfinished = new Set<string>();

/** Removes all unfinished files at once; for a process that must end now. */
export function discardUnfinishedFiles(): void {
  for (const path of unfinished) rmSync(path, { force: true });
  unfinished.clear();
}

/**
 * Removes what a process that was killed left of a file: it had no time to clean up. Nobody else may be writing the same
 * file now.
 */
export async function discardLeftovers(path: string): Promise<void> {
  const folder = dirname(path);
  const [before, after] = [`.${basename(path)}.`, '.part'];
  for (const name of await readdir(folder).catch(() => [])) {
    const middle = name.slice(before.length, -after.length);
    if (name === `${before}${middle}${after}` && /^[0-9a-f]{8}$/.test(middle)) {
      await rm(join(folder, name), { force: true });
    }
  }
}

/**
 * Begins a file. Fails at once where it can not be written.
 * @throws LongtakeError 'output'
 */
export async function beginFile(path: string): Promise<PendingFile> {
  await checkWritable(path);
  const temporaryPath = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.part`);
  unfinished.add(temporaryPath);
  try {
    // Made at once: what a permission does not tell (a name that is too long, a drive that takes no files) shows before the work.
    await (await open(temporaryPath, 'wx')).close();
  } catch (cause) {
    unfinished.delete(temporaryPath);
    throw notWritten(path, cause);
  }
  return {
    path,
    temporaryPath,
    async commit() {
      try {
        await rename(temporaryPath, path);
        unfinished.delete(temporaryPath);
      } catch (cause) {
        throw notWritten(path, cause);
      }
    },
    async discard() {
      await rm(temporaryPath, { force: true });
      unfinished.delete(temporaryPath);
    },
  };
}

/** Writes the whole content of a begun file; `commit` then needs no more room on the disk. @throws LongtakeError 'output' */
export async function fillFile(file: PendingFile, content: Uint8Array | string): Promise<void> {
  try {
    await writeFile(file.temporaryPath, content);
  } catch (cause) {
    throw notWritten(file.path, cause);
  }
}

/** Writes a small file whole: temporary name, then rename. @throws LongtakeError 'output' */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const file = await beginFile(path);
  try {
    await fillFile(file, content);
    await file.commit();
  } finally {
    await file.discard();
  }
}

function notWritten(path: string, cause: unknown): LongtakeError {
  const { code } = cause as NodeJS.ErrnoException;
  const why =
    code === 'ENOSPC' ? ': there is no space left' : code === 'ENAMETOOLONG' ? ': the name is too long' : '';
  return new LongtakeError('output', `The file “${path}” can not be written${why}.`, { cause });
}

/**
 * Checks before the work that a file can be written at `path`.
 * @throws LongtakeError 'output'
 */
export async function checkWritable(path: string): Promise<void> {
  const folder = dirname(resolve(path));
  try {
    if (!(await stat(folder)).isDirectory()) throw new Error('not a folder');
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new LongtakeError('output', `The folder “${folder}” does not exist or can not be written to.`, {
      cause,
    });
  }
  const present = await stat(path).catch(() => null);
  if (present === null) return;
  if (present.isDirectory())
    throw new LongtakeError('output', `“${path}” is a folder; name a file for the result.`);
  try {
    await (await open(path, 'r+')).close();
  } catch (cause) {
    throw new LongtakeError('output', `The file “${path}” is there already and can not be overwritten.`, {
      cause,
    });
  }
}

/** Whether two paths name the same file on disk (links and different spellings included). */
export async function sameFile(a: string, b: string): Promise<boolean> {
  const [statA, statB] = await Promise.all([stat(a).catch(() => null), stat(b).catch(() => null)]);
  if (statA !== null && statB !== null) return statA.dev === statB.dev && statA.ino === statB.ino;
  const real = async (path: string): Promise<string> => {
    const folder = await realpath(dirname(resolve(path))).catch(() => dirname(resolve(path)));
    return join(folder, basename(path));
  };
  return (await real(a)) === (await real(b));
}
