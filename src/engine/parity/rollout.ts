import { throwIfCancelled } from '../cancel.ts';
import type { Chunk, WorldModel, WorldSnapshot } from '../world/world-model.ts';

/** A rollout that every backend can repeat: chunks to commit, then chunks to make. */
export interface RolloutInput {
  chunks: readonly Chunk[];
  /** How many of the chunks are committed as they are. */
  prefixChunks: number;
  levels: readonly number[];
  seed: number;
}

/** Everything a rollout leaves behind that can be compared. */
export interface RolloutTrace {
  /** `PyTorch`, or the name of the backend. */
  by: string;
  /** After the prefix was committed. */
  primed: WorldSnapshot;
  /** Latents of the chunks that were made, in order. */
  finished: Float32Array[];
  /** After every chunk was committed. */
  final: WorldSnapshot;
}

/** Runs the rollout on one model. */
export async function traceRollout(
  model: WorldModel,
  { chunks, prefixChunks, levels, seed }: RolloutInput,
  signal?: AbortSignal,
): Promise<RolloutTrace> {
  const session = await model.createSession();
  try {
    await session.commit(chunks.slice(0, prefixChunks), signal);
    const primed = await session.snapshot();
    const finished: Float32Array[] = [];
    for (const chunk of chunks.slice(prefixChunks)) {
      throwIfCancelled(signal);
      const latents = await session.denoise(chunk, levels, { seed, chunk: session.committed }, signal);
      await session.commit([{ ...chunk, latents }], signal);
      finished.push(latents);
    }
    return { by: model.backend, primed, finished, final: await session.snapshot() };
  } finally {
    session.dispose();
  }
}
