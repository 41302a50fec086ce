import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadedModel } from '../../src/engine/node.ts';
import { chunkNoise, pcg4d } from '../../src/engine/sampler/noise.ts';
import type { WorldSnapshot } from '../../src/engine/world/world-model.ts';
import { CHUNKS, PREFIX_CHUNKS, RECORDED_SEED } from '../../src/engine/parity/recording.ts';
import { largestDifference } from '../../src/engine/parity/difference.ts';
import type { Recording } from '../../src/engine/parity/recording.ts';
import { tinyModel, tinyRecording } from './tiny.ts';

/** Float32 on both sides; latents, keys and values are of the order of 1, states up to 150. Measured: 2e-6 and 5e-5. */
const TOLERANCE = 2e-4;

let recording: Recording;
let model: LoadedModel;
let layers: number;

beforeAll(async () => {
  [recording, model] = await Promise.all([tinyRecording(), tinyModel()]);
  layers = model.world.spec.layers.length;
});

afterAll(() => model.dispose());

function expectSameState(actual: WorldSnapshot, expected: WorldSnapshot, tolerance = TOLERANCE): void {
  expect(actual.committed).toBe(expected.committed);
  expected.layers.forEach((layer, index) => {
    for (const part of ['scan', 'keys', 'values'] as const) {
      const difference = largestDifference(actual.layers[index]![part], layer[part]);
      expect(difference, `layer ${index} ${part}`).toBeLessThanOrEqual(tolerance);
    }
  });
}

describe('random numbers', () => {
  it('mixes words as PyTorch did', () => {
    const elements = recording.words('noise.elements');
    const expected = recording.words('noise.words');
    elements.forEach((element, index) => {
      const words = Uint32Array.of(element, 3, RECORDED_SEED, 0);
      pcg4d(words);
      expect([...words]).toEqual([...expected.subarray(index * 4, index * 4 + 4)]);
    });
  });

  it('makes the recorded noise of every chunk', () => {
    for (let i = PREFIX_CHUNKS; i < CHUNKS; i++) {
      const expected = recording.floats(`chunk.${i}.noise`);
      expect(largestDifference(chunkNoise(expected.length, RECORDED_SEED, i), expected)).toBeLessThan(1e-6);
    }
  });
});

describe('onnxruntime against PyTorch', () => {
  it('moves the state as recorded, chunk by chunk and many chunks at once', async () => {
    const prefix = Array.from({ length: PREFIX_CHUNKS }, (_, i) => recording.chunk(i));
    const expected = recording.state(PREFIX_CHUNKS, layers);
    const atOnce = await model.world.createSession();
    await atOnce.commit(prefix);
    expectSameState(await atOnce.snapshot(), expected);
    const oneByOne = await model.world.createSession();
    for (const chunk of prefix) await oneByOne.commit([chunk]);
    expectSameState(await oneByOne.snapshot(), expected);
  });

  it('predicts clean latents as recorded, for a chunk whose tokens have two levels', async () => {
    const session = await model.world.createSession();
    await session.restore(recording.state(CHUNKS - 1, layers, 'trace.denoise.state'));
    const chunk = recording.chunk(CHUNKS - 1);
    const z = recording.floats('trace.denoise.z');
    const level = recording.floats('trace.denoise.level')[0]!;
    // One step from `level` to 0 returns the prediction itself at the noised tokens.
    const predicted = await session.denoise({ ...chunk, latents: z }, [level, 0], z);
    const expected = recording.floats('trace.denoise.predicted');
    const channels = expected.length / chunk.mask.length;
    const noised = (values: Float32Array): number[] =>
      [...values].filter((_, at) => chunk.mask[Math.floor(at / channels)] === 1);
    expect(noised(expected).length).toBeGreaterThan(0);
    expect(largestDifference(noised(predicted), noised(expected))).toBeLessThanOrEqual(TOLERANCE);
  });

  it('agrees on a rollout of 25 frames and on the state after it', async () => {
    const session = await model.world.createSession();
    await session.commit(Array.from({ length: PREFIX_CHUNKS }, (_, i) => recording.chunk(i)));
    let largest = 0;
    for (let i = PREFIX_CHUNKS; i < CHUNKS; i++) {
      const chunk = recording.chunk(i);
      const key = { seed: RECORDED_SEED, chunk: session.committed };
      const finished = await session.denoise(chunk, recording.levels(), key);
      largest = Math.max(largest, largestDifference(finished, recording.floats(`chunk.${i}.finished`)));
      await session.commit([{ ...chunk, latents: finished }]);
    }
    expect(largest).toBeLessThanOrEqual(TOLERANCE);
    expectSameState(await session.snapshot(), recording.state(CHUNKS, layers));
  });

  it('returns given tokens as they came', async () => {
    const session = await model.world.createSession();
    const chunk = recording.chunk(CHUNKS - 1);
    const finished = await session.denoise(chunk, [1, 0.5, 0], { seed: 1, chunk: 0 });
    const channels = finished.length / chunk.mask.length;
    finished.forEach((value, at) => {
      if (chunk.mask[Math.floor(at / channels)] === 0) expect(value).toBe(chunk.latents[at]);
    });
  });

  it('takes any rays where the pose is unknown', async () => {
    const session = await model.world.createSession();
    const chunk = recording.chunk(PREFIX_CHUNKS);
    chunk.cameraKnown.fill(0);
    const first = await session.denoise(chunk, [1, 0], { seed: 1, chunk: 0 });
    chunk.rays.fill(NaN);
    expect(await session.denoise(chunk, [1, 0], { seed: 1, chunk: 0 })).toEqual(first);
  });
});

describe('snapshots', () => {
  it('go on exactly where they were taken, in a session of their own', async () => {
    const session = await model.world.createSession();
    await session.commit([recording.chunk(0), recording.chunk(1)]);
    const snapshot = await session.snapshot();
    const chunk = recording.chunk(2);
    const key = { seed: 3, chunk: 2 };
    const first = await session.denoise(chunk, [1, 0.5, 0], key);
    await session.commit([{ ...chunk, latents: first }]);

    const other = await model.world.createSession();
    await other.restore(snapshot);
    expect(other.committed).toBe(2);
    expect(await other.denoise(chunk, [1, 0.5, 0], key)).toEqual(first);
    await session.restore(snapshot);
    expect(await session.denoise(chunk, [1, 0.5, 0], key)).toEqual(first);
  });

  it('refuses a state of another model', async () => {
    const session = await model.world.createSession();
    const snapshot = await session.snapshot();
    snapshot.layers.pop();
    await expect(session.restore(snapshot)).rejects.toMatchObject({ code: 'internal' });
  });
});
