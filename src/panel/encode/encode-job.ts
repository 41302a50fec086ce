import { BlobSource, BufferTarget } from 'mediabunny';
import { LongtakeError } from '../../engine/types.ts';
import { ClipWriter } from '../../media/clip-writer.ts';
import { REC709 } from '../../media/colour.ts';
import { keepOutside } from '../../media/keep-outside.ts';
import { rgbaToPicture } from '../../media/rgb.ts';
import { openClip, type Clip } from '../../media/open-clip.ts';
import { decodeFrame } from '../clips/frame-images.ts';
import type { EncodeJob } from '../services.ts';

/** Writes a finished clip, with the colours of the clip it belongs to. Free of DOM: it runs in a worker. */
export async function encodeJob(
  job: EncodeJob,
  signal: AbortSignal,
  onProgress: (fraction: number) => void,
): Promise<Blob> {
  const { source, size, rate } = job;
  const clip = source ? await openClip(new BlobSource(source.blob), source.label, signal) : null;
  const target = new BufferTarget();
  const colour = clip?.facts.colour ?? REC709;
  const writer = new ClipWriter({ format: 'mp4', size, rate, colour, target });
  try {
    await writeAll(writer, job, clip, signal, onProgress);
    await writer.finish();
  } catch (error) {
    await writer.cancel();
    throw error;
  } finally {
    clip?.dispose();
  }
  signal.throwIfAborted();
  if (!target.buffer) throw new LongtakeError('output', 'The video could not be written.');
  return new Blob([target.buffer], { type: 'video/mp4' });
}

async function writeAll(
  writer: ClipWriter,
  { content, direction, source, frames, within }: EncodeJob,
  clip: Clip | null,
  signal: AbortSignal,
  onProgress: (fraction: number) => void,
): Promise<void> {
  const kept =
    content === 'extended' && clip && source
      ? { clip, start: source.range.startFrame, count: source.range.frameCount }
      : null;
  const total = frames.length + (kept?.count ?? 0);
  const report = () => {
    signal.throwIfAborted();
    onProgress(Math.min(1, writer.frameCount / total));
  };
  const copy = async () => {
    if (!kept) return;
    // As Y'CbCr, so that the editor's own frames make no detour through RGB.
    for await (const picture of kept.clip.pictures(kept.start, kept.count, signal)) {
      await writer.addPicture(picture);
      report();
    }
  };
  if (kept) await writer.copySound(kept, direction === 'forward' ? 0 : frames.length);
  if (direction === 'forward') await copy();
  const originals = within && clip?.pictures(within.range.startFrame, frames.length, signal);
  for (const file of frames) {
    const frame = await decodeFrame(file);
    const original = originals && (await originals.next());
    if (within && clip && original && !original.done) {
      const fresh = rgbaToPicture(frame, clip.facts.colour);
      await writer.addPicture(keepOutside(original.value, fresh, within.mask));
    } else {
      await writer.addFrame(frame);
    }
    report();
  }
  await originals?.return(undefined);
  if (direction === 'backward') await copy();
}
