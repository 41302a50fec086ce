import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceLostError } from '../../src/engine/world/webgpu/errors.ts';
import { createWebGpuWorldModel, type WebGpuWorldModel } from '../../src/engine/world/webgpu/index.ts';
import {
  denoiseThenCommit,
  type WorldSession,
  type WorldSnapshot,
} from '../../src/engine/world/world-model.ts';
import type { Recording } from '../../src/engine/parity/recording.ts';
import { readTiny } from './tiny-package.ts';
import { largestDifference } from './numbers.ts';
import { openSoftwareGpu } from './software-device.ts';

let recording: Recording;
let levels: number[];
let model: WebGpuWorldModel;
/** Loads the tiny model on a device of its own. */
let load: () => Promise<WebGpuWorldModel>;

beforeAll(async () => {
  const tiny = await readTiny();
  recording = tiny.recording;
  levels = recording.levels();
  load = async () => {
    const gpu = await openSoftwareGpu();
    const options = { device: gpu.device, primingChunks: 2 };
    return createWebGpuWorldModel(tiny.spec, tiny.weights, gpu.sources, options);
  };
  model = await load();
});
afterAll(() => model?.dispose());

function expectState(snapshot: WorldSnapshot, committed: number, tolerance: number): void {
  expect(snapshot.committed).toBe(committed);
  snapshot.layers.forEach((layer, index) => {
    for (const part of ['scan', 'keys', 'values'] as const) {
      const expected = recording.floats(`state.${committed}.layers.${index}.${part}`);
      expect(largestDifference(layer[part], expected), `layer ${index} ${part}`).toBeLessThan(tolerance);
    }
  });
}

/** Generates chunks 2 … 6 from the recorded noise, committing each; returns the largest difference to PyTorch. */
async function rollOut(session: WorldSession): Promise<number> {
  let largest = 0;
  for (let index = 2; index < 7; index++) {
    const chunk = recording.chunk(index);
    const finished = await session.denoise(chunk, levels, recording.floats(`chunk.${index}.noise`));
    largest = Math.max(largest, largestDifference(finished, recording.floats(`chunk.${index}.finished`)));
    await session.commit([{ ...chunk, latents: finished }]);
  }
  return largest;
}

const generateOn: typeof denoiseThenCommit = (session, ...given) =>
  (session as WorldSession).generate(...given);

describe('the WebGPU world model', () => {
  it('commits a prefix and generates five chunks as PyTorch did, one of them with a mixed mask', async () => {
    const session = await model.createSession();
    await session.commit([recording.chunk(0), recording.chunk(1)]);
    expectState(await session.snapshot(), 2, 2e-5);
    expect(await rollOut(session)).toBeLessThan(2e-5);
    expectState(await session.snapshot(), 7, 3e-4);
    session.dispose();
  });

  it('makes the recorded noise itself from the seed', async () => {
    const session = await model.createSession();
    await session.commit([recording.chunk(0), recording.chunk(1)]);
    const finished = await session.denoise(recording.chunk(2), levels, { seed: 7, chunk: 2 });
    expect(largestDifference(finished, recording.floats('chunk.2.finished'))).toBeLessThan(3e-5);
    session.dispose();
  });

  it('gives the same whether chunks are committed one by one or together', async () => {
    const chunks = [0, 1, 2, 3, 4].map((index) => recording.chunk(index));
    const [together, single] = [await model.createSession(), await model.createSession()];
    await together.commit(chunks);
    for (const chunk of chunks) await single.commit([chunk]);
    const [a, b] = [await together.snapshot(), await single.snapshot()];
    expect(a.committed).toBe(5);
    expect(b.committed).toBe(5);
    a.layers.forEach((layer, index) => {
      for (const part of ['scan', 'keys', 'values'] as const) {
        // Some states hold values up to 254, whose last place alone is 1.5e-5.
        const scale = layer[part].reduce((most, value) => Math.max(most, Math.abs(value)), 10);
        const difference = largestDifference(layer[part], b.layers[index]![part]);
        expect(difference / scale, `layer ${index} ${part}`).toBeLessThan(1e-6);
      }
    });
    together.dispose();
    single.dispose();
  });

  it('leaves the state untouched in a denoise pass, and given tokens as they came', async () => {
    const session = await model.createSession();
    await session.commit([recording.chunk(0)]);
    const before = await session.snapshot();
    const chunk = recording.chunk(6);
    const finished = await session.denoise(chunk, [1, 0.5, 0], { seed: 1, chunk: 1 });
    expect(await session.snapshot()).toEqual(before);
    const channels = chunk.latents.length / chunk.mask.length;
    const given = (values: Float32Array): Float32Array =>
      values.filter((_, i) => chunk.mask[Math.floor(i / channels)] === 0);
    expect(given(finished)).toEqual(given(chunk.latents));
    expect(given(finished).length).toBeGreaterThan(0);
    session.dispose();
  });

  it('commits what it makes in the same call, as by two calls', async () => {
    const outcomes = [];
    for (const make of [denoiseThenCommit, generateOn]) {
      const session = await model.createSession();
      const made: Float32Array[] = [];
      // The first has given tokens among the others.
      for (const index of [6, 2, 3]) {
        const noise = { seed: 5, chunk: session.committed };
        const { latents, committed } = await make(session, recording.chunk(index), [1, 0.5, 0], noise);
        await committed;
        made.push(latents);
      }
      outcomes.push({ made, state: await session.snapshot() });
      session.dispose();
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
    expect(outcomes[1]!.state.committed).toBe(3);
  });

  it('is cancelled in the middle of a chunk that it would commit', async () => {
    const session = await model.createSession();
    const cancel = new AbortController();
    const levels = Array.from({ length: 65 }, (_, i) => 1 - i / 64);
    const running = session.generate(recording.chunk(2), levels, { seed: 1, chunk: 0 }, cancel.signal);
    setTimeout(() => cancel.abort(), 50);
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    expect(session.committed).toBe(0);
    await session.commit([recording.chunk(0), recording.chunk(1)]);
    expectState(await session.snapshot(), 2, 2e-5);
    session.dispose();
  });

  it('takes more levels than its table holds', async () => {
    const steps = 20;
    const many = Array.from({ length: steps + 1 }, (_, i) => 1 - i / steps);
    const [session, other] = [await model.createSession(), await model.createSession()];
    const chunk = recording.chunk(2);
    const noise = recording.floats('chunk.2.noise');
    const whole = await session.denoise(chunk, many, noise);
    // The same in two halves: the second continues from the latents of the first, as its noise.
    const half = await other.denoise(chunk, [...many.slice(0, 11)], noise);
    const rest = await other.denoise(chunk, [...many.slice(10)], half);
    expect(largestDifference(whole, rest)).toBeLessThan(1e-5);
    session.dispose();
    other.dispose();
  });

  it('keeps interleaved rollouts apart', async () => {
    const [first, second] = [await model.createSession(), await model.createSession()];
    await Promise.all([first.commit([recording.chunk(0)]), second.commit([recording.chunk(1)])]);
    const denoise = (session: WorldSession, seed: number): Promise<Float32Array> =>
      session.denoise(recording.chunk(2), [1, 0.5, 0], { seed, chunk: 1 });
    const both = await Promise.all([denoise(first, 1), denoise(second, 2)]);
    const alone = [await denoise(first, 1), await denoise(second, 2)];
    expect(both).toEqual(alone);
    expect(largestDifference(both[0], both[1])).toBeGreaterThan(0.01);
    first.dispose();
    second.dispose();
  });

  it('stops between submissions when cancelled', async () => {
    const session = await model.createSession();
    const cancel = new AbortController();
    const running = session.denoise(
      recording.chunk(2),
      Array.from({ length: 65 }, (_, i) => 1 - i / 64),
      { seed: 1, chunk: 0 },
      cancel.signal,
    );
    setTimeout(() => cancel.abort(), 50);
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    // Usable afterwards.
    await session.commit([recording.chunk(0), recording.chunk(1)]);
    expectState(await session.snapshot(), 2, 2e-5);
    session.dispose();
  });

  it('refuses chunks and snapshots of another shape', async () => {
    const session = await model.createSession();
    const chunk = recording.chunk(0);
    expect(() => session.commit([{ ...chunk, latents: chunk.latents.slice(1) }])).toThrow(/shape/);
    const snapshot = await session.snapshot();
    await expect(session.restore({ ...snapshot, layers: snapshot.layers.slice(1) })).rejects.toThrow(
      /another/,
    );
    session.dispose();
  });
});

describe('a lost device', () => {
  it('rejects with a typed error, and a rebuilt session goes on from the snapshot', async () => {
    const own = await load();
    const session = await own.createSession();
    await session.commit([recording.chunk(0), recording.chunk(1)]);
    const kept = await session.snapshot();
    const running = session.denoise(recording.chunk(2), levels, { seed: 7, chunk: 2 });
    const outcome = running.then(
      () => 'finished',
      (error: unknown) => error,
    );
    own.gpu.device.destroy();
    expect(await outcome).toBeInstanceOf(DeviceLostError);
    expect(await outcome).toMatchObject({
      code: 'backend',
      message: expect.stringContaining('snapshot') as unknown,
    });
    await expect(session.commit([recording.chunk(2)])).rejects.toBeInstanceOf(DeviceLostError);
    await expect(session.snapshot()).rejects.toBeInstanceOf(DeviceLostError);
    await expect(own.createSession()).rejects.toBeInstanceOf(DeviceLostError);
    own.dispose();

    const rebuilt = await model.createSession();
    await rebuilt.restore(kept);
    expect(rebuilt.committed).toBe(2);
    expect(await rollOut(rebuilt)).toBeLessThan(2e-5);
    rebuilt.dispose();
  });
});
