import { beforeAll, describe, expect, it } from 'vitest';
import { chunkNoise } from '../../src/engine/sampler/noise.ts';
import type { Gpu } from '../../src/engine/world/webgpu/gpu.ts';
import { runKernel } from '../../src/engine/world/webgpu/kernel-run.ts';
import { noise, pointFeatures, rayFeatures } from '../../src/engine/world/webgpu/parity/reference.ts';
import {
  elementWorkgroups,
  NOISE,
  noiseProgram,
  POINT_FEATURES,
  pointFeaturesProgram,
  RAY_FEATURES,
  rayFeaturesProgram,
} from '../../src/engine/world/webgpu/programs.ts';
import { largestDifference, randomNumbers } from './numbers.ts';
import { openSoftwareGpu } from './software-device.ts';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openSoftwareGpu();
});

const tokensPerFrame = 6;
const known = Uint32Array.of(1, 0, 1);
const tokens = known.length * tokensPerFrame;

describe('ray-features', () => {
  it('agrees for angles within some tens of turns and is zero where the pose is unknown', async () => {
    const frequencies = randomNumbers(1, 7 * 6, 4);
    const rays = randomNumbers(2, tokens * 6, 5);
    const outputs = await runKernel(
      gpu,
      rayFeaturesProgram(7, tokensPerFrame),
      elementWorkgroups(tokens * 7),
      { tokens },
      {
        ...{
          [RAY_FEATURES.rays]: rays,
          [RAY_FEATURES.known]: known,
          [RAY_FEATURES.frequencies]: frequencies,
        },
        [RAY_FEATURES.features]: new Float32Array(tokens * 14),
      },
    );
    // The angle itself is rounded to float32: up to 4e-6 at 60 radians.
    const expected = rayFeatures(rays, known, frequencies, tokensPerFrame);
    expect(largestDifference(outputs[RAY_FEATURES.features]!, expected)).toBeLessThan(2e-5);
  });
});

describe('point-features', () => {
  it('agrees, also with logits that would overflow', async () => {
    const [count, depthCount] = [5, 3];
    const frequencies = randomNumbers(3, count * 3, 3);
    const depths = Float32Array.of(0.3, 1.5, 6.5);
    const rays = randomNumbers(4, tokens * 6, 2);
    const columns = { depths: 4, stride: 8 };
    const projection = randomNumbers(5, tokens * columns.stride, 200);
    const outputs = await runKernel(
      gpu,
      pointFeaturesProgram(count, depthCount, tokensPerFrame, columns),
      elementWorkgroups(tokens * count),
      { tokens },
      {
        ...{ [POINT_FEATURES.rays]: rays, [POINT_FEATURES.known]: known },
        [POINT_FEATURES.points]: Float32Array.of(...frequencies, ...depths),
        [POINT_FEATURES.projection]: projection,
        [POINT_FEATURES.features]: new Float32Array(tokens * 2 * count),
      },
    );
    const logits = Float32Array.from(
      { length: tokens * depthCount },
      (_, i) => projection[Math.floor(i / depthCount) * columns.stride + columns.depths + (i % depthCount)]!,
    );
    const expected = pointFeatures(rays, known, frequencies, depths, logits, tokensPerFrame);
    expect(largestDifference(outputs[POINT_FEATURES.features]!, expected)).toBeLessThan(3e-5);
  });
});

describe('noise', () => {
  it('makes the stream of the sampler, on noised tokens only', async () => {
    const [count, channels, tokensPerFrame] = [300, 12, 15];
    const mask = Uint32Array.from({ length: count }, (_, i) => i % 4 && 1);
    const given = randomNumbers(6, count * channels);
    // Of two rollouts of ten frames each.
    const keys = [
      { seed: 0xfedcba98, chunk: 1234 },
      { seed: 3, chunk: 0 },
    ];
    const rollouts = keys.map((key) => ({ slot: 0, previous: 0 as const, ...key }));
    const outputs = await runKernel(
      gpu,
      noiseProgram(channels, tokensPerFrame),
      elementWorkgroups(count * channels),
      { tokens: count, frames: 10, chunks: 2, rollouts },
      { [NOISE.mask]: mask, [NOISE.latents]: given },
    );
    const out = outputs[NOISE.latents]!;
    for (const make of [noise, chunkNoise]) {
      const normals = keys.flatMap(({ seed, chunk }) => [...make((count * channels) / 2, seed, chunk)]);
      const expected = given.map((v, i) => (mask[Math.floor(i / channels)] ? normals[i]! : v));
      expect(largestDifference(out, expected)).toBeLessThan(1e-5);
    }
  });
});
