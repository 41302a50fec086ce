import { writeRays } from '../camera/rays.ts';
import type { Projection } from '../camera/rays.ts';
import type { WorldSpec } from '../package/model-json.ts';
import type { CameraPose } from '../types.ts';
import type { Chunk } from '../world/world-model.ts';

/** One frame of the sequence as the network takes it. */
export interface SequenceFrame {
  /** Clean latents [S, c]; null for a frame that is to be made. */
  latents: Float32Array | null;
  /** Tokens that are to be made in a frame with latents, 1 each [S]; left out: none. */
  hole?: Uint8Array | null;
  /** Relative to the sequence's origin; null = unknown. */
  pose: CameraPose | null;
  /** Time index at the model's rate. */
  time: number;
}

/**
 * Packs framesPerChunk frames into a chunk.
 * @param projection as for every frame of the sequence
 */
export function chunkOf(frames: readonly SequenceFrame[], spec: WorldSpec, projection: Projection): Chunk {
  const tokens = spec.grid.rows * spec.grid.columns;
  const count = frames.length;
  const chunk: Chunk = {
    latents: new Float32Array(count * tokens * spec.latentChannels),
    mask: new Uint8Array(count * tokens),
    rays: new Float32Array(count * tokens * 6),
    cameraKnown: new Uint8Array(count),
    times: Int32Array.from(frames, (frame) => frame.time),
  };
  frames.forEach(({ latents, hole, pose }, index) => {
    if (latents) chunk.latents.set(latents, index * tokens * spec.latentChannels);
    else chunk.mask.fill(1, index * tokens, (index + 1) * tokens);
    if (latents && hole) {
      chunk.mask.set(hole, index * tokens);
      hole.forEach((open, token) => {
        // What is to be made must not even lie in the model's input.
        const at = (index * tokens + token) * spec.latentChannels;
        if (open !== 0) chunk.latents.fill(0, at, at + spec.latentChannels);
      });
    }
    if (!pose) return;
    chunk.cameraKnown[index] = 1;
    writeRays(pose, projection, chunk.rays, index * tokens * 6);
  });
  return chunk;
}
