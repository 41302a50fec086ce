import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { LongtakeError } from '../../engine/types.ts';
import { openClipFile } from '../../media/node/clip-file.ts';
import { readCameraFile } from '../../media/node/camera-file.ts';
import { framesOfRange } from '../clip-range.ts';
import { readOtio, type OtioClip } from '../otio.ts';
import { readClipSettings, type BatchDefaults, type ClipSettings } from '../clip-settings.ts';
import type { BatchItem } from '../preview.ts';
import { mediaPath } from './media-path.ts';

/** A project's clips as work for a batch. */
export interface ProjectItem extends BatchItem {
  place: string[];
  /** The media file's path, or null where there is none. */
  media(): Promise<string | null>;
  /** Everything that tells this clip from another: name, range, settings, media and camera file with size and time of change. */
  identity(): Promise<unknown>;
}

/**
 * Reads an OpenTimelineIO project. Media and camera files are looked for relative to the project's folder. A clip with
 * settings of its own that are wrong fails when it is opened.
 * @param defaults for what a clip's metadata do not say
 * @throws LongtakeError 'input' for a project that can not be read or holds no clip
 */
export async function projectItems(path: string, defaults: BatchDefaults): Promise<ProjectItem[]> {
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
  return clips.map((clip, i) => projectItem(clip, i + 1, folder, defaults));
}

function projectItem(clip: OtioClip, index: number, folder: string, defaults: BatchDefaults): ProjectItem {
  const [settings, fault] = settingsOf(clip, defaults);
  const find = async (): Promise<string> => {
    if (clip.media.kind === 'none') throw new LongtakeError('input', clip.media.fault);
    return mediaPath(clip.media.url, folder);
  };
  return {
    index,
    name: clip.name,
    place: clip.place,
    settings,
    media: () => find().catch(() => null),
    async open(signal) {
      if (fault !== null) throw fault;
      const camera = settings.camera === null ? null : await readCameraFile(resolve(folder, settings.camera));
      const opened = await openClipFile(await find(), signal);
      try {
        const available = clip.media.kind === 'file' ? clip.media.available : null;
        const { rate, frameCount } = opened.facts;
        const { start, count, notices } = framesOfRange(clip.range, available, rate, frameCount);
        const told = [...clip.notices, ...notices];
        return { clip: opened, start, count, notices: told, ...(camera === null ? {} : { camera }) };
      } catch (error) {
        opened.dispose();
        throw error;
      }
    },
    async identity() {
      const path = await find();
      const camera = settings.camera === null ? null : await change(resolve(folder, settings.camera));
      const { name, range, media } = clip;
      return { index, name, range, media, settings, path, file: await change(path), camera };
    },
  };
}

/** What tells a file from a later one of the same name. */
async function change(path: string): Promise<{ size: number; mtimeMs: number }> {
  const { size, mtimeMs } = await stat(path);
  return { size, mtimeMs };
}

/** A clip's settings; those of the batch and the fault where its own can not be used. */
function settingsOf(clip: OtioClip, defaults: BatchDefaults): [ClipSettings, LongtakeError | null] {
  try {
    return [readClipSettings(clip.settings, defaults), null];
  } catch (error) {
    if (!(error instanceof LongtakeError)) throw error;
    return [{ ...defaults, seconds: defaults.seconds ?? 0 }, error];
  }
}
