import type { ClipRecord } from '../clips/clip-record.ts';
import { edgeFile, frameFile, sourceFile, type ClipStore } from '../clips/clip-store.ts';
import { decodePicture, preview } from '../clips/frame-images.ts';
import type { HostAdapter } from '../hosts/host-adapter.ts';
import { liveRollouts } from './rollout-lock.ts';

/** The clips that earlier panels left. A rollout that nobody works on was cut short: what it made is counted by its files. */
export async function restoredClips(clips: ClipStore): Promise<ClipRecord[]> {
  const [records, live] = await Promise.all([clips.list(), liveRollouts()]);
  const restored: ClipRecord[] = [];
  for (const record of records) {
    if (record.state !== 'running') restored.push(record);
    else if (!live.has(record.id)) {
      let framesMade = 0;
      while (framesMade < record.frameCount && (await clips.read(record.id, frameFile(framesMade))))
        framesMade++;
      restored.push({ ...record, state: 'interrupted', framesMade });
    }
  }
  return restored;
}

/**
 * The pictures that the frames of a repainted region take the place of, in the order of time; none where the clip is gone.
 */
export async function originalsOf(
  host: HostAdapter,
  clips: ClipStore,
  { id, prefix: { region, kind, rate, size, flattened, label } }: ClipRecord,
  signal: AbortSignal,
): Promise<ImageBitmap[]> {
  const blob = region && (await clips.read(id, sourceFile));
  if (!region || !blob) return [];
  const originals: ImageBitmap[] = [];
  const prefix = { kind, blob, rate, size, flattened, label, range: region.range };
  for await (const frame of host.openFrames(prefix, signal)) originals.push(await preview(frame));
  return originals;
}

/** The pictures of a kept clip: those of the prefix beside the cut in the order of time, new ones in the order of making. */
export async function picturesOf(
  clips: ClipStore,
  record: ClipRecord,
): Promise<{ edge: ImageBitmap[]; made: ImageBitmap[] }> {
  const edge: ImageBitmap[] = [];
  const made: ImageBitmap[] = [];
  for (let i = 0; ; i++) {
    const blob = await clips.read(record.id, edgeFile(i));
    if (!blob) break;
    edge.push(await decodePicture(blob));
  }
  for (let i = 0; i < record.framesMade; i++) {
    const blob = await clips.read(record.id, frameFile(i));
    if (blob) made.push(await decodePicture(blob));
  }
  return { edge, made };
}
