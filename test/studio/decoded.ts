import { readFileSync } from 'node:fs';
import { BufferSource } from 'mediabunny';
import { openClip, type ClipFacts } from '../../src/media/open-clip.ts';
import type { YuvPicture } from '../../src/media/picture.ts';

/** A video file's facts and all its pictures. */
export async function decode(path: string): Promise<{ facts: ClipFacts; pictures: YuvPicture[] }> {
  const clip = await openClip(new BufferSource(readFileSync(path)), path);
  const pictures: YuvPicture[] = [];
  for await (const picture of clip.pictures()) pictures.push(picture);
  clip.dispose();
  return { facts: clip.facts, pictures };
}

/** PSNR of the luma, dB. @param part the pixels that count; left out: all */
export function psnr(a: YuvPicture, b: YuvPicture, part?: (x: number, y: number) => boolean): number {
  let [sum, count] = [0, 0];
  for (let y = 0; y < a.height; y += 1)
    for (let x = 0; x < a.width; x += 1) {
      if (part && !part(x, y)) continue;
      sum += (a.y[y * a.width + x]! - b.y[y * b.width + x]!) ** 2;
      count += 1;
    }
  return 10 * Math.log10(255 ** 2 / Math.max(1e-9, sum / count));
}

/** PSNR of the two colour planes together, dB. */
export function colourPsnr(a: YuvPicture, b: YuvPicture): number {
  let sum = 0;
  for (const plane of ['u', 'v'] as const)
    for (let i = 0; i < a[plane].length; i += 1) sum += (a[plane][i]! - b[plane][i]!) ** 2;
  return 10 * Math.log10(255 ** 2 / Math.max(1e-9, sum / (a.u.length + a.v.length)));
}
