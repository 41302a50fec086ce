import { throwIfCancelled } from '../cancel.ts';
import { chunkNoise } from './noise.ts';
import type { Chunk, NoiseKey } from '../world/world-model.ts';

/**
 * Runs the sampler of docs/model.md over one chunk.
 * @param predict the network: takes noised latents [F, S, c] and the level of the noised tokens, gives the predicted clean ones
 * @param levels from 1 down to 0
 * @param noise key of the generator, or the noise itself, [F, S, c]
 * @returns finished latents [F, S, c]; given tokens as they came
 * @throws LongtakeError `cancelled` between two passes
 */
export async function denoiseChunk(
  predict: (latents: Float32Array, level: number) => Promise<Float32Array>,
  chunk: Chunk,
  levels: readonly number[],
  noise: NoiseKey | Float32Array,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { mask } = chunk;
  const channels = chunk.latents.length / mask.length;
  const start =
    noise instanceof Float32Array ? noise : chunkNoise(chunk.latents.length, noise.seed, noise.chunk);
  const z = chunk.latents.slice();
  forNoised(mask, channels, (at) => {
    z[at] = start[at]!;
  });
  for (let step = 0; step + 1 < levels.length; step++) {
    throwIfCancelled(signal);
    const clean = await predict(z, levels[step]!);
    const keep = levels[step + 1]! / levels[step]!;
    forNoised(mask, channels, (at) => {
      z[at] = clean[at]! + keep * (z[at]! - clean[at]!);
    });
  }
  throwIfCancelled(signal);
  return z;
}

function forNoised(mask: Uint8Array, channels: number, visit: (at: number) => void): void {
  for (let token = 0; token < mask.length; token++) {
    if (mask[token] === 0) continue;
    for (let at = token * channels; at < (token + 1) * channels; at++) visit(at);
  }
}
