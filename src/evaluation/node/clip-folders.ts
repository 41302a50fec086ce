import { statSync, type Dirent } from 'node:fs';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { parseCameraTrack } from '../../engine/camera/camera-json.ts';
import { LongtakeError, type CameraTrack, type RgbaFrame } from '../../engine/types.ts';
import type { EvaluationClip } from '../evaluate-clip.ts';

const FRAME_NAME = /^\d{4,}\.png$/;
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/**
 * Opens the clips of an evaluation set: training/longtake_training/data/folders.py says how they lie. All that can be wrong
 * but the pixels themselves is found here, before the first one is run.
 * @param folder the folder that holds one folder a clip
 * @param options count: only the first so many, by name (null = all); frames: how many every clip must have
 * @throws LongtakeError `input`, naming the clip
 */
export async function openClipFolders(
  folder: string,
  { count, frames }: { count: number | null; frames: number },
): Promise<EvaluationClip[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new LongtakeError('input', `The folder “${folder}” can not be read.`, { cause });
  });
  if (entries.some(({ name }) => FRAME_NAME.test(name))) {
    throw new LongtakeError(
      'input',
      `The folder “${folder}” is itself a clip; name the folder that holds the clips.`,
    );
  }
  // Data often lie on another disk: links to folders count.
  const isFolder = (entry: Dirent): boolean =>
    entry.isDirectory() ||
    (entry.isSymbolicLink() &&
      statSync(join(folder, entry.name), { throwIfNoEntry: false })?.isDirectory() === true);
  const names = entries
    .filter((entry) => !entry.name.startsWith('.') && isFolder(entry))
    .map(({ name }) => name)
    .sort();
  if (names.length === 0) throw new LongtakeError('input', `The folder “${folder}” holds no clips.`);
  if (count !== null && names.length < count) {
    throw new LongtakeError(
      'input',
      `The folder “${folder}” holds ${names.length} clips, but ${count} were asked for.`,
    );
  }
  const clips: EvaluationClip[] = [];
  for (const name of names.slice(0, count ?? names.length)) clips.push(await openClip(folder, name, frames));
  return clips;
}

async function openClip(root: string, name: string, framesNeeded: number): Promise<EvaluationClip> {
  const folder = join(root, name);
  const fail = (sentence: string, cause?: unknown): never => {
    throw new LongtakeError('input', sentence, { cause });
  };
  const files = await readdir(folder).catch((cause: unknown) =>
    fail(`The clip “${name}” can not be read.`, cause),
  );
  const paths = new Map(
    files.filter((file) => FRAME_NAME.test(file)).map((file) => [parseInt(file, 10), join(folder, file)]),
  );
  const frameCount = paths.size;
  if (frameCount === 0) fail(`The clip “${name}” has no frames: a clip is 0000.png, 0001.png and so on.`);
  for (let index = 0; index < frameCount; index++) {
    if (!paths.has(index)) {
      fail(`The clip “${name}” lacks the frame ${frameName(index)}.`);
    }
  }
  if (frameCount < framesNeeded) {
    fail(`The clip “${name}” has ${frameCount} frames, but this evaluation needs ${framesNeeded}.`);
  }
  const camera = files.includes('camera.json') ? await readCamera(folder, name, frameCount) : null;
  const size = await pngSize(paths.get(0)!, `${name}/${frameName(0)}`);
  for (let index = 1; index < framesNeeded; index++) {
    const own = await pngSize(paths.get(index)!, `${name}/${frameName(index)}`);
    if (own.width !== size.width || own.height !== size.height) {
      fail(
        `The frame “${name}/${frameName(index)}” is ${own.width} × ${own.height}, the first ${size.width} × ${size.height}.`,
      );
    }
  }
  const read = (index: number): Promise<RgbaFrame> =>
    readPng(paths.get(index)!, `${name}/${frameName(index)}`);
  return { name, size, frameCount, camera, read };
}

function frameName(index: number): string {
  return `${String(index).padStart(4, '0')}.png`;
}

async function readCamera(folder: string, clip: string, frameCount: number): Promise<CameraTrack> {
  const name = `${clip}/camera.json`;
  const text = await readFile(join(folder, 'camera.json'), 'utf8').catch((cause: unknown) => {
    throw new LongtakeError('input', `The camera file “${name}” can not be read.`, { cause });
  });
  const track = parseCameraTrack(text, name);
  if (track.poses.length !== frameCount) {
    throw new LongtakeError(
      'input',
      `The camera file “${name}” has ${track.poses.length} poses for ${frameCount} frames.`,
    );
  }
  return track;
}

/** Size of a PNG picture from its first bytes. */
async function pngSize(path: string, label: string): Promise<{ width: number; height: number }> {
  const head = Buffer.alloc(24);
  try {
    const file = await open(path);
    try {
      await file.read(head, 0, head.length, 0);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw unreadable(label, cause);
  }
  if (!head.subarray(0, 8).equals(SIGNATURE)) throw unreadable(label);
  return { width: head.readUInt32BE(16), height: head.readUInt32BE(20) };
}

async function readPng(path: string, label: string): Promise<RgbaFrame> {
  try {
    const { width, height, data } = PNG.sync.read(await readFile(path));
    return { width, height, data: new Uint8ClampedArray(data.buffer, data.byteOffset, data.length) };
  } catch (cause) {
    throw unreadable(label, cause);
  }
}

function unreadable(label: string, cause?: unknown): LongtakeError {
  return new LongtakeError('input', `The frame “${label}” is not a PNG picture that can be read.`, { cause });
}
