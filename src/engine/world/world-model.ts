import type { WorldSpec } from '../package/model-json.ts';

/** One chunk as it enters the network. F = framesPerChunk, S = tokens a frame, c = latent channels. */
export interface Chunk {
  /** Clean latents [F, S, c]; values at noised tokens are ignored. */
  latents: Float32Array;
  /** 1 where the token is to be generated, 0 where it is given: [F, S]. */
  mask: Uint8Array;
  /** Camera position and unit ray direction per token [F, S, 6]; anything where `cameraKnown` is 0. */
  rays: Float32Array;
  /** 1 where the frame's pose is known: [F]. */
  cameraKnown: Uint8Array;
  /** Time index of each frame (frames at the model's rate, relative to the prefix's first frame): [F]. */
  times: Int32Array;
}

export interface NoiseKey {
  seed: number;
  /** Index of the chunk in the sequence; with the seed it fixes the noise. */
  chunk: number;
}

/** A chunk that `generate` made. */
export interface Generated {
  /** Finished latents [F, S, c]; given tokens as they came. */
  latents: Float32Array;
  /** Settles once the state has moved past the chunk; until then the session may not be called. */
  committed: Promise<void>;
}

/**
 * A rollout's live memory: the scan states and the attention cache. Its size does not depend on how many chunks were
 * committed. Calls on one session must not overlap.
 */
export interface WorldSession {
  /** Number of chunks committed so far. */
  readonly committed: number;
  /** Clean pass over finished chunks, in order: moves the state. Every token is taken as given, whatever its mask. */
  commit(chunks: readonly Chunk[], signal?: AbortSignal): Promise<void>;
  /**
   * Denoises one chunk from the present state, which it leaves untouched.
   * @param levels noise levels from 1 down to 0, one more than there are passes (docs/model.md, Sampler)
   * @returns finished latents [F, S, c]; given tokens are returned as they came
   */
  denoise(
    chunk: Chunk,
    levels: readonly number[],
    noise: NoiseKey | Float32Array,
    signal?: AbortSignal,
  ): Promise<Float32Array>;
  /**
   * Denoises one chunk and commits what it becomes: `denoise` and `commit` of the finished chunk in one call, so that a device
   * need not wait for the processor in between. The latents are there as soon as they would be without the commit. Where it
   * rejects, the state may have moved past the chunk or not.
   */
  generate(
    chunk: Chunk,
    levels: readonly number[],
    noise: NoiseKey | Float32Array,
    signal?: AbortSignal,
  ): Promise<Generated>;
  /** Resolves when the device has done all that was asked of the session: a commit may return before. */
  settle(): Promise<void>;
  /** A copy of the state that outlives this session and any device. */
  snapshot(): Promise<WorldSnapshot>;
  restore(snapshot: WorldSnapshot): Promise<void>;
  dispose(): void;
}

/** State of a rollout, independent of the backend. Layouts: scan [blocks, H, N, P]; cache [F·S, d] keys (rotated), values. */
export interface WorldSnapshot {
  committed: number;
  layers: { scan: Float32Array; keys: Float32Array; values: Float32Array }[];
}

export type BackendName = 'ort' | 'webgpu';

/** One world model, loaded on one backend. */
export interface WorldModel {
  readonly spec: WorldSpec;
  readonly backend: BackendName;
  createSession(): Promise<WorldSession>;
  dispose(): void;
}

/** `generate` by the two calls that it stands for. */
export async function denoiseThenCommit(
  session: Pick<WorldSession, 'denoise' | 'commit'>,
  chunk: Chunk,
  levels: readonly number[],
  noise: NoiseKey | Float32Array,
  signal?: AbortSignal,
): Promise<Generated> {
  const latents = await session.denoise(chunk, levels, noise, signal);
  const committed = session.commit([{ ...chunk, latents }], signal);
  // Whoever awaits it is told; nobody has to.
  committed.catch(() => undefined);
  return { latents, committed };
}
