import { throwIfCancelled } from '../cancel.ts';
import type { BackendName, Chunk, WorldModel, WorldSnapshot } from '../world/world-model.ts';

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
  /** `PyTorch`, or the candidate's name. */
  by: string;
  /** After the prefix was committed. */
  primed: WorldSnapshot;
  /** Latents of the chunks that were made, in order. */
  finished: Float32Array[];
  /** After every chunk was committed. */
  final: WorldSnapshot;
}

/** What can be compared: a backend in float32, or onnxruntime with 8-bit products, as it normally runs. */
export type ParitySubject = BackendName | 'ort-int8';

/** A model to compare, and the name that it has in the table. */
export interface ParityCandidate {
  by: string;
  world: WorldModel;
}

/** Runs the rollout on one model. */
export async function traceRollout(
  { by, world }: ParityCandidate,
  { chunks, prefixChunks, levels, seed }: RolloutInput,
  signal?: AbortSignal,
): Promise<RolloutTrace> {
  const session = await world.createSession();
  try {
    await session.commit(chunks.slice(0, prefixChunks), signal);
    const primed = await session.snapshot();
    const finished: Float32Array[] = [];
    for (const chunk of chunks.slice(prefixChunks)) {
      throwIfCancelled(signal);
      const noise = { seed, chunk: session.committed };
      const { latents, committed } = await session.generate(chunk, levels, noise, signal);
      await committed;
      finished.push(latents);
    }
    return { by, primed, finished, final: await session.snapshot() };
  } finally {
    session.dispose();
  }
}
