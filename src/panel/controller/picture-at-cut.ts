import type { Direction } from '../../engine/tasks/extend-request.ts';
import { preview } from '../clips/frame-images.ts';
import type { HostAdapter, PrefixSource } from '../hosts/host-adapter.ts';

/**
 * The small picture of a prefix's frame at the cut; null where there is none. Decoration: a frame that cannot be read is
 * told when it is needed.
 */
export async function pictureAtCut(
  host: HostAdapter,
  prefix: PrefixSource,
  direction: Direction,
  signal: AbortSignal,
): Promise<ImageBitmap | null> {
  const { startFrame: first, frameCount } = prefix.range;
  if (frameCount === 0) return null;
  const startFrame = direction === 'backward' ? first : first + frameCount - 1;
  let picture: ImageBitmap | null = null;
  try {
    const frames = host.openFrames({ ...prefix, range: { startFrame, frameCount: 1 } }, signal);
    for await (const frame of frames) picture = await preview(frame);
  } catch {
    return null;
  }
  return picture;
}
