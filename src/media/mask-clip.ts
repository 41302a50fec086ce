import { LongtakeError } from '../engine/types.ts';
import type { MaskPicture } from '../engine/tasks/region-request.ts';
import type { Clip } from './open-clip.ts';

/**
 * The masks of a part of a clip from a video of the same size, white where the picture is to be repainted. The video has a
 * frame for every frame of the clip, or for every frame of the part.
 * @param name what the user calls the mask; used in messages
 * @throws LongtakeError `input` at once for another size or length
 */
export function masksOf(
  mask: Clip,
  name: string,
  part: { clip: Clip; start: number; count: number },
  signal?: AbortSignal,
): AsyncGenerator<MaskPicture> {
  const { size, frameCount } = mask.facts;
  const { size: own, frameCount: all } = part.clip.facts;
  if (size.width !== own.width || size.height !== own.height) {
    throw new LongtakeError(
      'input',
      `The mask “${name}” is ${size.width}×${size.height} pixels, but the clip ${own.width}×${own.height}.`,
    );
  }
  if (frameCount !== all && frameCount !== part.count) {
    const lengths = all === part.count ? `${all}` : `${all} or ${part.count}`;
    throw new LongtakeError(
      'input',
      `The mask “${name}” has ${frameCount} frames; it needs ${lengths}, one for each frame of the clip or of the part.`,
    );
  }
  return lumaOf(mask, frameCount === all ? part.start : 0, part.count, signal);
}

async function* lumaOf(
  mask: Clip,
  start: number,
  count: number,
  signal?: AbortSignal,
): AsyncGenerator<MaskPicture> {
  for await (const { width, height, y } of mask.pictures(start, count, signal))
    yield { width, height, data: y };
}
