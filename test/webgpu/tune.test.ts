import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { requestWebGpuDevice } from '../../src/engine/world/webgpu/device.ts';
import {
  createWebGpuWorldModel,
  DeviceLostError,
  OutOfGpuMemoryError,
  type WebGpuWorldModel,
} from '../../src/engine/world/webgpu/index.ts';
import type { BoundOperation } from '../../src/engine/world/webgpu/plan.ts';
import {
  loadKernelSources,
  openCheckingGpu,
  tilesStore,
} from '../../src/engine/world/webgpu/platform.node.ts';
import type { TilesStore, Tuning } from '../../src/engine/world/webgpu/tune.ts';
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

type Time = NonNullable<Tuning['time']>;

function slicesOf({ operation }: BoundOperation): number {
  return Number(operation.program.constants['SLICES']);
}

/** Candidates with so many slices are the fastest; keeps which shapes it was asked for. The default on cards has four. */
function slicesWin(slices = 1): { time: Time; asked: Set<string> } {
  const asked = new Set<string>();
  return {
    asked,
    time: async (batches) =>
      batches.map((spans) =>
        spans.map(({ candidate: { bound }, uses }) => {
          asked.add(bound.operation.product!.key);
          return uses * (slicesOf(bound) === slices ? 1 : 5);
        }),
      ),
  };
}

/** The buffers that tuning made on a device, and which of them are left. */
class Buffers {
  made = 0;
  readonly left = new Set<GPUBuffer>();
  /** Whether there is no memory for one more. */
  full = (): boolean => false;

  watch(device: GPUDevice): void {
    const createBuffer = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      if (!descriptor.label?.startsWith('tuning')) return createBuffer(descriptor);
      if (this.full()) throw new RangeError('out of memory');
      const buffer = createBuffer(descriptor);
      const destroy = buffer.destroy.bind(buffer);
      this.made += 1;
      this.left.add(buffer);
      buffer.destroy = () => {
        this.left.delete(buffer);
        destroy();
      };
      return buffer;
    };
  }
}

const sources = await loadKernelSources();

/** Opens a device that computes nothing. */
async function checkingDevice(): Promise<GPUDevice> {
  return requestWebGpuDevice(await openCheckingGpu());
}

/** On a device that computes nothing: every candidate is given the same numbers. */
async function load(tuning: Tuning, device?: GPUDevice, kernels = sources): Promise<WebGpuWorldModel> {
  return createWebGpuWorldModel(tiny.spec, tiny.weights, kernels, {
    ...{ device: device ?? (await checkingDevice()), primingChunks: 1 },
    tuning: { numbers: async () => Float32Array.of(1), ...tuning },
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
    expect(first.asked.size).toBeGreaterThan(5);
    expect(store.files.size).toBe(1);

    const again = slicesWin();
    expect(new Set(slices(await load({ ...tuning, time: again.time })))).toEqual(new Set([1]));
    expect(again.asked.size).toBe(0);

    const other = slicesWin();
    await load({ ...tuning, model: 'other', time: other.time });
    expect(other.asked).toEqual(first.asked);
    expect(store.files.size).toBe(2);
  });

  it('times nothing before everything is made', async () => {
    const order: string[] = [];
    const { time: measure } = slicesWin();
    const time: Time = (batches) => {
      order.push('time');
      return measure(batches);
    };
    const numbers = async (): Promise<Float32Array> => {
      order.push('make');
      return Float32Array.of(1);
    };
    await load({ store: new MemoryStore(), model: 'one', now: () => 0, time, numbers });
    expect(order.lastIndexOf('make')).toBeLessThan(order.indexOf('time'));
  });

  it('makes shapes for half a second, and takes what it found for what is left', async () => {
    let clock = 0;
    const { time, asked } = slicesWin();
    const found = slices(
      await load({ store: new MemoryStore(), model: 'one', now: () => (clock += 200), time }),
    );
    expect(asked.size).toBe(2);
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
      expect(asked.size, text).toBeGreaterThan(0);
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
    const time: Time = async (batches) => {
      seen.push(...batches.flat().map(({ candidate }) => slicesOf(candidate.bound)));
      return measure(batches);
    };
    let clock = 0;
    const kernels = new Map([...gpu.sources, ['matmul.wgsl', wrong]]);
    const model = await createWebGpuWorldModel(tiny.spec, tiny.weights, kernels, {
      ...{ device: gpu.device, primingChunks: 1 },
      tuning: { store: new MemoryStore(), model: 'one', now: () => (clock += 300), time },
    });
    expect(seen).toContain(2);
    expect(seen).not.toContain(4);
    expect(slices(model)).not.toContain(4);
    model.dispose();
  });

  it('passes over numbers that are none, wherever they are', async () => {
    const { time } = slicesWin();
    const numbers = async (bound: BoundOperation): Promise<Float32Array> =>
      Float32Array.of(1, slicesOf(bound) === 1 ? NaN : 1, 1);
    const model = await load({ store: new MemoryStore(), model: 'one', now: () => 0, time, numbers });
    expect(slices(model)).not.toContain(1);
  });

  it('passes over a tile that the device refuses', async () => {
    const { time: measure } = slicesWin(1);
    const seen = new Set<number>();
    const time: Time = async (batches) => {
      const times = await measure(batches);
      for (const { candidate } of batches.flat()) seen.add(slicesOf(candidate.bound));
      return times.map((spans, i) =>
        spans.map((one, at) => (slicesOf(batches[i]![at]!.candidate.bound) === 2 ? one / 2 : one)),
      );
    };
    const refusing = `#if SLICES == 1\nnot a kernel\n#endif\n${sources.get('matmul.wgsl')!}`;
    const kernels = new Map([...sources, ['matmul.wgsl', refusing]]);
    const device = await checkingDevice();
    const buffers = new Buffers();
    buffers.watch(device);
    const tuning = { store: new MemoryStore(), model: 'one', now: () => 0, time };
    const model = await load(tuning, device, kernels);
    expect(new Set(slices(model))).toEqual(new Set([2]));
    expect(seen).not.toContain(1);
    expect(buffers.left.size).toBe(0);
  });
});

describe('tuning on a device that goes away', () => {
  const cases: Record<string, (device: GPUDevice, buffers: Buffers) => Partial<Tuning>> = {
    'while buffers are made': (device, buffers) => {
      let made = 0;
      buffers.full = () => {
        if (++made === 8) device.destroy();
        return false;
      };
      return { time: slicesWin().time };
    },
    'while kernels are made': (device) => {
      let made = 0;
      const numbers = async (): Promise<Float32Array> => {
        if (++made === 12) device.destroy();
        return Float32Array.of(1);
      };
      return { numbers, time: slicesWin().time };
    },
    'while they are timed': (device) => {
      const { time: measure } = slicesWin();
      let asked = 0;
      const time: Time = async (batches) => {
        if (++asked < 40) return measure(batches);
        device.destroy();
        throw new DeviceLostError((await device.lost).message);
      };
      return { time };
    },
  };
  it.each(Object.entries(cases))('ends with its loss and leaves nothing behind, %s', async (_, disturb) => {
    const device = await checkingDevice();
    const buffers = new Buffers();
    buffers.watch(device);
    const store = new MemoryStore();
    const tuning = { store, model: 'one', now: () => 0, ...disturb(device, buffers) };
    await expect(load(tuning, device)).rejects.toBeInstanceOf(DeviceLostError);
    expect(buffers.made).toBeGreaterThan(3);
    expect(buffers.left.size).toBe(0);
    expect(store.files.size).toBe(0);
  });
});

describe('tuning with little memory', () => {
  /** Slices without tuning. */
  let defaults: number[];
  beforeAll(async () => {
    const options = { device: await checkingDevice(), primingChunks: 1 };
    defaults = slices(await createWebGpuWorldModel(tiny.spec, tiny.weights, sources, options));
  });

  it('leaves the default to the shapes whose buffers are refused', async () => {
    const device = await checkingDevice();
    const buffers = new Buffers();
    let tried = 0;
    // Some of the first shape's, then none for a while, then enough again.
    buffers.full = () => ++tried === 3 || tried === 4;
    buffers.watch(device);
    const { time, asked } = slicesWin();
    const whole = slicesWin();
    await load({ store: new MemoryStore(), model: 'one', now: () => 0, time: whole.time });
    const model = await load({ store: new MemoryStore(), model: 'one', now: () => 0, time }, device);
    expect(asked.size).toBe(whole.asked.size - 2);
    const found = slices(model);
    expect(new Set(found.filter((own, i) => own !== defaults[i]))).toEqual(new Set([1]));
    expect(found.some((own, i) => own === defaults[i])).toBe(true);
    expect(buffers.left.size).toBe(0);
  });

  it('gives up the shapes with least work where there is none left to time them', async () => {
    const device = await checkingDevice();
    const buffers = new Buffers();
    buffers.watch(device);
    let most = 0;
    const { time: measure, asked } = slicesWin();
    const time: Time = async (batches) => {
      most = Math.max(most, buffers.left.size);
      if (buffers.left.size > most / 2) throw new OutOfGpuMemoryError('no more');
      return measure(batches);
    };
    const store = new MemoryStore();
    const model = await load({ store, model: 'one', now: () => 0, time }, device);
    expect(asked.size).toBeGreaterThan(0);
    expect(new Set(slices(model))).toEqual(new Set([1]));
    expect(buffers.left.size).toBe(0);
    expect(store.files.size).toBe(1);
  });

  it('leaves all defaults, and tries again the next time, where there is never any', async () => {
    const device = await checkingDevice();
    const buffers = new Buffers();
    buffers.watch(device);
    const time: Time = () => Promise.reject(new OutOfGpuMemoryError('no more'));
    const store = new MemoryStore();
    const model = await load({ store, model: 'one', now: () => 0, time }, device);
    expect(slices(model)).toEqual(defaults);
    expect(buffers.left.size).toBe(0);
    expect(store.files.size).toBe(0);
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
