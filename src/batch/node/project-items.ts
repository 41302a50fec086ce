import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { LongtakeError } from '../../engine/types.ts';
import { openClipFile } from '../../media/node/clip-file.ts';
import { framesOfRange } from '../clip-range.ts';
import { readOtio, type OtioClip } from '../otio.ts';
import type { BatchItem } from '../run-batch.ts';
import { mediaPath } from './media-path.ts';

/** A project's clips as work for a batch. */
export interface ProjectItem extends BatchItem {
  place: string[];
  /** The media file's path, or null where there is none. */
  media(): Promise<string | null>;
  /** Everything that tells this clip from another: name, range, media file with its size and time of change. */
  identity(): Promise<unknown>;
}

/**
 * Reads an OpenTimelineIO project. Media are looked for relative to the project's folder.
 * @throws LongtakeError 'input' for a project that can not be read or holds no clip
 */
export async function projectItems(path: string): Promise<ProjectItem[]> {
  const name = basename(path);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const message = missing ? `There is no file “${path}”.` : `The project “${path}” can not be read.`;
    throw new LongtakeError('input', message, { cause });
  }
  const clips = readOtio(text, name);
  if (clips.length === 0) throw new LongtakeError('input', `The project “${name}” holds no video clip.`);
  const folder = dirname(resolve(path));
  return clips.map((clip, i) => projectItem(clip, i + 1, folder));
}

function projectItem(clip: OtioClip, index: number, folder: string): ProjectItem {
  const find = async (): Promise<string> => {
    if (clip.media.kind === 'none') throw new LongtakeError('input', clip.media.fault);
    return mediaPath(clip.media.url, folder);
  };
  return {
    index,
    name: clip.name,
    place: clip.place,
    media: () => find().catch(() => null),
    async open(signal) {
      const opened = await openClipFile(await find(), signal);
      try {
        const available = clip.media.kind === 'file' ? clip.media.available : null;
        const { rate, frameCount } = opened.facts;
        const { start, count, notices } = framesOfRange(clip.range, available, rate, frameCount);
        return { clip: opened, start, count, notices: [...clip.notices, ...notices] };
      } catch (error) {
        opened.dispose();
        throw error;
      }
    },
    async identity() {
      const path = await find();
      const { size, mtimeMs } = await stat(path);
      return { index, name: clip.name, range: clip.range, media: clip.media, path, size, mtimeMs };
    },
  };
}
