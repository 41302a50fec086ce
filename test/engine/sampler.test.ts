import { describe, expect, it } from 'vitest';
import { PROFILES, stepsFor } from '../../src/engine/index.ts';
import { denoiseChunk } from '../../src/engine/sampler/denoise-chunk.ts';
import { MAX_STEPS, levelsFor } from '../../src/engine/sampler/levels.ts';
import { chunkNoise } from '../../src/engine/sampler/noise.ts';
import type { ModelJson, Profile } from '../../src/engine/index.ts';
import type { Chunk } from '../../src/engine/world/world-model.ts';

const sampler = { defaultSteps: 4, levels: { '1': [1, 0], '4': [1, 0.9, 0.6, 0.2, 0] } };

describe('levels', () => {
  it('are the model’s own where it has them', () => {
    expect(levelsFor(sampler, 4)).toEqual([1, 0.9, 0.6, 0.2, 0]);
    expect(levelsFor(sampler, 1)).toEqual([1, 0]);
  });

  it('fall from 1 to 0 for every other number, along the longest list', () => {
    for (let steps = 1; steps <= MAX_STEPS; steps++) {
      const levels = levelsFor(sampler, steps);
      expect(levels).toHaveLength(steps + 1);
      expect([levels[0], levels.at(-1)]).toEqual([1, 0]);
      levels.slice(1).forEach((level, i) => expect(level).toBeLessThan(levels[i]!));
    }
    expect(levelsFor(sampler, 2)[1]).toBeCloseTo(0.6, 12);
    expect(levelsFor({ defaultSteps: 1, levels: {} }, 2)).toEqual([1, 0.5, 0]);
    for (const steps of [0, 1.5, -1, NaN, MAX_STEPS + 1]) expect(() => levelsFor(sampler, steps)).toThrow();
  });
});

describe('profiles', () => {
  it('take more steps from draft to final, at least one, and obey an explicit number', () => {
    const steps = (defaultSteps: number): number[] =>
      (Object.keys(PROFILES) as Profile[]).map((profile) =>
        stepsFor({ sampler: { defaultSteps, levels: {} } } as unknown as ModelJson, profile),
      );
    expect(steps(4)).toEqual([2, 4, 8]);
    expect(steps(1)).toEqual([1, 1, 2]);
    expect(steps(60)).toEqual([30, 60, MAX_STEPS]);
    expect(stepsFor({ sampler } as unknown as ModelJson, 'final', 3)).toBe(3);
  });
});

describe('noise', () => {
  it('is standard normal and depends on seed and chunk alone', () => {
    const noise = chunkNoise(20000, 1, 2);
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    const square = noise.reduce((sum, value) => sum + value * value, 0) / noise.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(square - 1)).toBeLessThan(0.05);
    expect(chunkNoise(100, 1, 2)).toEqual(noise.subarray(0, 100));
    expect(chunkNoise(100, 2, 2)).not.toEqual(noise.subarray(0, 100));
    expect(chunkNoise(100, 1, 3)).not.toEqual(noise.subarray(0, 100));
  });
});

describe('denoiseChunk', () => {
  const chunk: Chunk = {
    latents: Float32Array.of(0.1, 0.2, 0.3, 0.4),
    mask: Uint8Array.of(1, 0),
    rays: new Float32Array(12),
    cameraKnown: Uint8Array.of(0),
    times: Int32Array.of(0),
  };
  const noise = Float32Array.of(1, -1, 5, 5);

  it('moves noised tokens by the sampler’s step and leaves the others', async () => {
    const seen: number[][] = [];
    const predict = async (z: Float32Array, level: number): Promise<Float32Array> => {
      seen.push([level, ...z]);
      return Float32Array.of(0.5, 0.5, 9, 9);
    };
    const result = await denoiseChunk(predict, chunk, [1, 0.25, 0], noise);
    const f = Math.fround;
    expect(seen[0]).toEqual([1, 1, -1, f(0.3), f(0.4)]);
    expect(seen[1]).toEqual([0.25, 0.625, 0.125, f(0.3), f(0.4)]);
    expect([...result]).toEqual([0.5, 0.5, f(0.3), f(0.4)]);
    expect(chunk.latents[0]).toBeCloseTo(0.1, 6);
  });

  it('stops between passes', async () => {
    const abort = new AbortController();
    let passes = 0;
    const predict = async (z: Float32Array): Promise<Float32Array> => {
      if (++passes === 2) abort.abort();
      return z;
    };
    await expect(denoiseChunk(predict, chunk, [1, 0.7, 0.4, 0], noise, abort.signal)).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(passes).toBe(2);
  });
});
