import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requestWebGpuDevice } from '../../src/engine/world/webgpu/device.ts';
import { createWebGpuWorldModel, type WebGpuWorldModel } from '../../src/engine/world/webgpu/index.ts';
import {
  loadKernelSources,
  openCheckingGpu,
  tilesStore,
} from '../../src/engine/world/webgpu/platform.node.ts';
import type { CandidateTimer, TilesStore, Tuning } from '../../src/engine/world/webgpu/tune.ts';
import { openSoftwareGpu } from './software-device.ts';
import { readTiny } from './tiny-package.ts';

const tiny = await readTiny();

class MemoryStore implements TilesStore {
  readonly files = new Map<string, Uint8Array>();

  async read(file: string): Promise<Uint8Array | null> {
    return this.files.get(file) ?? null;
  }

  async write(file: string, bytes: Uint8Array): Promise<void> {
    this.files.set(file, bytes);
  }
}

/** Candidates with so many slices are the fastest; counts how often it is asked. The default on cards has four. */
function slicesWin(slices = 1): { time: CandidateTimer; asked: () => number } {
  let asked = 0;
  return {
    asked: () => asked,
    time: async (_, candidates) => {
      asked += 1;
      return candidates.map(({ operation }, i) =>
        operation.program.constants['SLICES'] === slices ? 1 : 5 + i,
      );
    },
  };
}

/** On a device that computes nothing: every candidate is given the same numbers. */
async function load(tuning: Tuning): Promise<WebGpuWorldModel> {
  const device = await requestWebGpuDevice(await openCheckingGpu());
  return createWebGpuWorldModel(tiny.spec, tiny.weights, await loadKernelSources(), {
    ...{ device, primingChunks: 1, tuning: { numbers: async () => Float32Array.of(1), ...tuning } },
  });
}

function slices(model: WebGpuWorldModel): number[] {
  const products = model.denoisePlan.sections.step.filter(({ product }) => product);
  return products.map(({ program }) => Number(program.constants['SLICES']));
}

describe('tuning', () => {
  it('takes the fastest tile for every shape, and remembers it for this device and model', async () => {
    const store = new MemoryStore();
    const first = slicesWin();
    const tuning = { store, model: 'one', now: () => 0 };
    expect(new Set(slices(await load({ ...tuning, time: first.time })))).toEqual(new Set([1]));
    expect(first.asked()).toBeGreaterThan(5);
    expect(store.files.size).toBe(1);

    const again = slicesWin();
    expect(new Set(slices(await load({ ...tuning, time: again.time })))).toEqual(new Set([1]));
    expect(again.asked()).toBe(0);

    const other = slicesWin();
    await load({ ...tuning, model: 'other', time: other.time });
    expect(other.asked()).toBe(first.asked());
    expect(store.files.size).toBe(2);
  });

  it('stops after a second and takes what it found for what is left', async () => {
    let time = 0;
    const { time: measure, asked } = slicesWin();
    const tuning = { store: new MemoryStore(), model: 'one', now: () => (time += 400), time: measure };
    const found = slices(await load(tuning));
    expect(asked()).toBe(2);
    expect(new Set(found)).toEqual(new Set([1]));
  });

  it('tries anew where what it remembers is damaged', async () => {
    const store = new MemoryStore();
    const tuning = { store, model: 'one', now: () => 0 };
    await load({ ...tuning, time: slicesWin().time });
    const [file] = store.files.keys();
    for (const text of ['[["plain", {"m": -4}]]', '{"no":', '']) {
      store.files.set(file!, new TextEncoder().encode(text));
      const { time, asked } = slicesWin();
      await load({ ...tuning, time });
      expect(asked(), text).toBeGreaterThan(0);
    }
  });

  it('passes over a tile that gives other numbers', async () => {
    const gpu = await openSoftwareGpu();
    const right = gpu.sources.get('matmul.wgsl')!;
    // Tiles of four slices store nothing.
    const stored = '  store_results(first_row, first_column, lane);';
    const wrong = right.replace(stored, `#if SLICES != 4\n${stored}\n#endif`);
    expect(wrong).not.toBe(right);
    const seen: number[] = [];
    const { time: measure } = slicesWin(4);
    const time: CandidateTimer = async (own, candidates, begin) => {
      seen.push(...candidates.map(({ operation }) => Number(operation.program.constants['SLICES'])));
      return measure(own, candidates, begin);
    };
    let clock = 0;
    const sources = new Map([...gpu.sources, ['matmul.wgsl', wrong]]);
    const model = await createWebGpuWorldModel(tiny.spec, tiny.weights, sources, {
      ...{ device: gpu.device, primingChunks: 1 },
      tuning: { store: new MemoryStore(), model: 'one', now: () => (clock += 600), time },
    });
    expect(seen).toContain(2);
    expect(seen).not.toContain(4);
    expect(slices(model)).not.toContain(4);
    model.dispose();
  });
});

describe('the files that tiles are kept in', () => {
  it('come back as they were written, and are not there where the folder can not be', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'longtake-tiles-'));
    const store = tilesStore(join(folder, 'new'));
    const name = 'tiles 1 Card/with: signs f32 maze.json';
    expect(await store.read(name)).toBeNull();
    await store.write(name, Uint8Array.of(1, 2, 3));
    await store.write(name, Uint8Array.of(4, 5));
    expect([...(await store.read(name))!]).toEqual([4, 5]);
    expect(await readdir(join(folder, 'new'))).toHaveLength(1);
    const file = join(folder, 'file');
    await writeFile(file, '');
    const broken = tilesStore(file);
    await broken.write(name, Uint8Array.of(1));
    expect(await broken.read(name)).toBeNull();
    await rm(folder, { recursive: true });
  });
});
