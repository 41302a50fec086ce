import { throwIfCancelled } from '../cancel.ts';
import type { Chunk, WorldSession } from '../world/world-model.ts';
import type { SequenceFrame } from './chunk-frames.ts';
import type { RolloutProgress } from './extend-request.ts';

/** Chunks committed between two progress events. */
const PRIMING_BATCH = 4;

/**
 * Commits the full chunks of a sequence's given frames. Latents are made as they are needed: those of a long prefix would
 * fill the memory.
 * @param count number of given frames
 * @param frameAt a given frame by its place in the sequence
 * @param pack framesPerChunk frames → chunk
 * @returns the frames that no full chunk was left for: they start the first mixed chunk
 * @throws LongtakeError `cancelled`, `backend`
 */
export async function* primeSession(
  session: WorldSession,
  count: number,
  frameAt: (index: number) => SequenceFrame,
  { perChunk, pack }: { perChunk: number; pack: (frames: readonly SequenceFrame[]) => Chunk },
  signal: AbortSignal | undefined,
): AsyncGenerator<RolloutProgress, SequenceFrame[], void> {
  const framesFrom = (start: number, end: number): SequenceFrame[] =>
    Array.from({ length: end - start }, (_, index) => frameAt(start + index));
  const chunks = Math.floor(count / perChunk);
  for (let done = 0; done < chunks; done += PRIMING_BATCH) {
    yield { kind: 'priming', chunksDone: done, chunks };
    throwIfCancelled(signal);
    const batch = Array.from({ length: Math.min(PRIMING_BATCH, chunks - done) }, (_, index) => {
      const start = (done + index) * perChunk;
      return pack(framesFrom(start, start + perChunk));
    });
    await session.commit(batch, signal);
  }
  // What the device still has to do must not count as the first new chunk's.
  await session.settle();
  if (chunks > 0) yield { kind: 'priming', chunksDone: chunks, chunks };
  return framesFrom(chunks * perChunk, count);
}
