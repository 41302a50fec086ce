import { writeRays } from '../camera/rays.ts';
import type { ModelJson } from '../package/model-json.ts';
import { chunkNoise } from '../sampler/noise.ts';
import type { CameraPose } from '../types.ts';
import type { Chunk } from '../world/world-model.ts';
import type { RolloutInput } from './rollout.ts';

/**
 * A rollout for a package that PyTorch recorded nothing of: a camera that turns and walks, a still picture with some
 * flicker as latents, one frame of unknown pose, tokens of two levels in the last chunk.
 */
export function wanderingRollout(model: ModelJson, prefixChunks = 2, newChunks = 4): RolloutInput {
  const { world, frame, camera } = model;
  const tokens = world.grid.rows * world.grid.columns;
  const perFrame = tokens * world.latentChannels;
  const frames = world.framesPerChunk;
  const still = chunkNoise(perFrame, 5, 0, 1);
  const projection = { ...world.grid, verticalFov: camera.verticalFov, aspect: frame.width / frame.height };
  const chunks = Array.from({ length: prefixChunks + newChunks }, (_, index): Chunk => {
    const moving = chunkNoise(frames * perFrame, 5, index, 2);
    const chunk: Chunk = {
      latents: moving.map((value, at) =>
        Math.max(-1, Math.min(1, 0.5 * still[at % perFrame]! + 0.2 * value)),
      ),
      mask: new Uint8Array(frames * tokens).fill(index < prefixChunks ? 0 : 1),
      rays: new Float32Array(frames * tokens * 6),
      cameraKnown: new Uint8Array(frames).fill(1),
      times: Int32Array.from({ length: frames }, (_, i) => index * frames + i),
    };
    chunk.times.forEach((time, i) => writeRays(poseAtTime(time), projection, chunk.rays, i * tokens * 6));
    if (index === 1) chunk.cameraKnown[0] = 0;
    if (index === prefixChunks + newChunks - 1) {
      for (let token = 0; token < chunk.mask.length; token += 3) chunk.mask[token] = 0;
    }
    return chunk;
  });
  const { levels, defaultSteps } = model.sampler;
  return { chunks, prefixChunks, levels: levels[String(defaultSteps)] ?? [1, 0.75, 0.5, 0.25, 0], seed: 7 };
}

function poseAtTime(time: number): CameraPose {
  const angle = 0.6 * Math.sin(time / 4);
  return {
    position: [0.3 * Math.sin(time / 5), 0.05 * Math.sin(time / 3), -0.15 * time],
    orientation: [Math.cos(angle / 2), 0, Math.sin(angle / 2), 0],
  };
}
