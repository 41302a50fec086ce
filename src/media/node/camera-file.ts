import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseCameraTrack } from '../../engine/camera/camera-json.ts';
import { LongtakeError, type CameraTrack } from '../../engine/types.ts';

/**
 * Reads a camera track from a JSON file: `parseCameraTrack`.
 * @throws LongtakeError 'input'
 */
export async function readCameraFile(path: string): Promise<CameraTrack> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new LongtakeError('input', `The camera file “${path}” can not be read.`, { cause });
  }
  return parseCameraTrack(text, basename(path));
}
