import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LongtakeError } from '../../engine/types.ts';

/**
 * Path of a media file that a project names: a `file:` address or a path, relative to the project's folder, with or
 * without percent signs for special characters.
 * @throws LongtakeError 'input' when the file is not there or lies on a network
 */
export async function mediaPath(url: string, folder: string): Promise<string> {
  for (const candidate of candidates(url, folder)) {
    if ((await stat(candidate).catch(() => null)) !== null) return candidate;
  }
  throw new LongtakeError('input', `The media file “${url}” is not there.`);
}

function candidates(url: string, folder: string): string[] {
  if (/^file:/i.test(url)) {
    try {
      const address = new URL(url);
      // Some programs write file://localhost/…, or file://folder/… for a relative path.
      if (address.host !== '' && address.host !== 'localhost') {
        return [resolve(folder, decodeURIComponent(`${address.host}${address.pathname}`))];
      }
      address.host = '';
      return [fileURLToPath(address)];
    } catch {
      return [];
    }
  }
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(url)) {
    throw new LongtakeError('input', `The media “${url}” is not a file on this machine.`);
  }
  const paths = [resolve(folder, url)];
  try {
    const decoded = decodeURIComponent(url);
    if (decoded !== url) paths.push(resolve(folder, decoded));
  } catch {
    // A percent sign that encodes nothing: the path as it stands is the only reading.
  }
  return paths;
}
