import { extname, join, parse } from 'node:path';
import { LongtakeError } from '../engine/types.ts';
import type { ClipFormat } from '../media/clip-writer.ts';
import type { ExtensionOutput } from '../media/extension.ts';
import { targetOf } from '../media/node/clip-file.ts';
import { beginFile, checkWritable, sameFile, type PendingFile } from '../media/node/pending-file.ts';
import type { Content } from './options.ts';

/** A video file that a run is to make. */
export interface PlannedFile {
  path: string;
  content: 'continuation' | 'extended';
  format: ClipFormat;
}

/** `.mp4` → H.264, `.webm` → VP9. @throws LongtakeError 'usage' for any other ending */
export function formatOf(path: string): ClipFormat {
  const ending = extname(path).toLowerCase();
  if (ending === '.mp4') return 'mp4';
  if (ending === '.webm') return 'webm';
  throw new LongtakeError('usage', `The result “${path}” must be named .mp4 (H.264) or .webm (VP9).`);
}

/** The files of a run: with `both`, the continuation goes beside the extended clip as NAME-continuation. */
export function planFiles(out: string, content: Content): PlannedFile[] {
  const format = formatOf(out);
  if (content !== 'both') return [{ path: out, content, format }];
  const { dir, name, ext } = parse(out);
  return [
    { path: out, content: 'extended', format },
    { path: join(dir, `${name}-continuation${ext}`), content: 'continuation', format },
  ];
}

/**
 * Refuses, before any work, results that would overwrite an input or each other, or that can not be written.
 * @throws LongtakeError 'usage' or 'output'
 */
export async function checkOutputs(inputs: readonly string[], outputs: readonly string[]): Promise<void> {
  for (const [index, output] of outputs.entries()) {
    for (const input of inputs) {
      if (await sameFile(input, output)) {
        throw new LongtakeError(
          'usage',
          `The result “${output}” would overwrite the input; name another file.`,
        );
      }
    }
    for (const other of outputs.slice(0, index)) {
      if (await sameFile(other, output)) {
        throw new LongtakeError(
          'usage',
          `Two results would be written to “${output}”; name another file for one.`,
        );
      }
    }
    await checkWritable(output);
  }
}

/** Begun files with the targets to encode into. */
export interface OpenOutputs {
  outputs: ExtensionOutput[];
  /** Puts all files in their places. Called when every one of them is whole. */
  commit(): Promise<void>;
  discard(): Promise<void>;
}

export async function openOutputs(files: readonly PlannedFile[]): Promise<OpenOutputs> {
  const pending: PendingFile[] = [];
  for (const file of files) pending.push(await beginFile(file.path));
  return {
    outputs: files.map(({ content, format }, i) => ({ content, format, target: targetOf(pending[i]!) })),
    async commit() {
      for (const file of pending) await file.commit();
    },
    async discard() {
      await Promise.all(pending.map((file) => file.discard()));
    },
  };
}
