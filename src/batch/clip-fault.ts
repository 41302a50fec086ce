import { LongtakeError } from '../engine/types.ts';

/** Faults of one clip; any other error would meet every clip and ends the batch. */
const CLIP_FAULTS = new Set(['input', 'usage', 'internal']);

/** The error as one clip's, or thrown on where every clip would meet it. */
export function asClipFault(cause: unknown): LongtakeError {
  const known =
    cause instanceof LongtakeError
      ? cause
      : new LongtakeError('internal', `Something went wrong with this clip: ${String(cause)}`, { cause });
  if (!CLIP_FAULTS.has(known.code)) throw known;
  return known;
}
