import type { Chunk, Generated, NoiseKey, WorldSession } from '../world/world-model.ts';

export interface ChunkToMake {
  chunk: Chunk;
  /** Noise levels from 1 down to 0. */
  levels: readonly number[];
  noise: NoiseKey;
  /** Its latents, where an earlier run has made it. */
  made?: Float32Array | undefined;
  /** Whether another chunk comes after it, for which the state must move past this one. */
  follows: boolean;
}

/**
 * Makes what is to be made of a chunk (nothing where all of it is given).
 * @throws LongtakeError `backend`, `cancelled`
 */
export async function makeChunk(
  session: WorldSession,
  { chunk, levels, noise, made, follows }: ChunkToMake,
  signal?: AbortSignal,
): Promise<Generated> {
  const open = made === undefined && chunk.mask.includes(1);
  if (open && follows) return session.generate(chunk, levels, noise, signal);
  const given = made ? { ...chunk, latents: made } : chunk;
  return {
    latents: open ? await session.denoise(chunk, levels, noise, signal) : given.latents,
    committed: follows ? session.commit([given], signal) : Promise.resolve(),
  };
}
