import type { ClipRecord } from '../clips/clip-record.ts';
import { sourceFile, type ClipStore } from '../clips/clip-store.ts';
import { preview } from '../clips/frame-images.ts';
import type { HostAdapter } from '../hosts/host-adapter.ts';

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
