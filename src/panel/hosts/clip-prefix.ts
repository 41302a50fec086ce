import { BlobSource } from 'mediabunny';
import type { Rational, RgbaFrame } from '../../engine/types.ts';
import { openClip } from '../../media/open-clip.ts';
import type { PrefixSource } from './host-adapter.ts';

/**
 * A whole video file as a prefix.
 * @throws LongtakeError `input` with one sentence where the file is no usable video
 */
export async function clipPrefix(
  blob: Blob,
  label: string,
  flattened: boolean,
  signal: AbortSignal,
): Promise<PrefixSource> {
  const clip = await openClip(new BlobSource(blob), label, signal);
  try {
    const { rate, size, frameCount } = clip.facts;
    return { kind: 'blob', blob, rate, size, range: { startFrame: 0, frameCount }, flattened, label };
  } finally {
    clip.dispose();
  }
}

/** No prefix: the shot starts with the first new frame. */
export function emptyPrefix(size: { width: number; height: number }, rate: Rational): PrefixSource {
  const range = { startFrame: 0, frameCount: 0 };
  return { kind: 'none', rate, size, range, flattened: false, label: '' };
}

/** The frames of a prefix in the order of time. */
export async function* prefixFrames(prefix: PrefixSource, signal: AbortSignal): AsyncGenerator<RgbaFrame> {
  if (!prefix.blob) return;
  const clip = await openClip(new BlobSource(prefix.blob), prefix.label, signal);
  try {
    yield* clip.frames(prefix.range.startFrame, prefix.range.frameCount, signal);
  } finally {
    clip.dispose();
  }
}
