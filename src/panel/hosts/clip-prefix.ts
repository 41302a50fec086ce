import { BlobSource } from 'mediabunny';
import type { Rational, RgbaFrame } from '../../engine/types.ts';
import { openClip } from '../../media/open-clip.ts';
import type { FrameReader } from '../reading/frame-reader.ts';
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

/** The frames of a prefix in the order of time; none where there is no clip. */
export async function* prefixFrames(
  reader: FrameReader,
  { blob, label, range }: PrefixSource,
  signal: AbortSignal,
): AsyncGenerator<RgbaFrame> {
  if (blob && range.frameCount > 0) yield* reader.frames({ blob, label, range }, signal);
}
