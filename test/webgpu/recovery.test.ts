import { beforeAll, describe, expect, it } from 'vitest';
import {
  extendClip,
  loadedModel,
  nodeFolder,
  openPackage,
  type RgbaFrame,
  type WorldPackage,
} from '../../src/engine/node.ts';
import { loadDurably } from '../../src/engine/world/backend.ts';
import { ortBackend } from '../../src/engine/world/ort/ort-backend.ts';
import { nodeRuntime } from '../../src/engine/world/ort/node-runtime.ts';
import { loadKernelSources, openGpu } from '../../src/engine/world/webgpu/platform.node.ts';
import { webGpuBackend, type WebGpuPlatform } from '../../src/engine/world/webgpu/webgpu-backend.ts';
import type { WorldModel } from '../../src/engine/world/world-model.ts';
import { testFrames } from '../engine/test-frames.ts';
import { TINY } from '../engine/tiny.ts';

let pkg: WorldPackage;
beforeAll(async () => {
  pkg = await openPackage(nodeFolder(TINY));
});

/** The graphics device of this machine, with hands on it. */
class Watched {
  readonly devices: GPUDevice[] = [];
  /** Bytes of buffers made so far on each device. */
  readonly used: number[] = [];
  /** Bytes of storage that a device has; more is refused as browsers do. */
  budget = Infinity;
  /** Whether the device can be found. */
  plugged = true;

  readonly platform: WebGpuPlatform = {
    loadKernelSources,
    tilesStore: () => ({ read: async () => null, write: async () => undefined }),
    openGpu: async (options) => {
      const gpu = await openGpu(options);
      return gpu && ({ requestAdapter: () => this.adapter(gpu) } as unknown as GPU);
    },
  };

  private async adapter(gpu: GPU): Promise<GPUAdapter | null> {
    const adapter = this.plugged ? await gpu.requestAdapter() : null;
    if (!adapter) return null;
    const { limits, features, info } = adapter;
    const requestDevice = async (descriptor: GPUDeviceDescriptor): Promise<GPUDevice> => {
      const device = await adapter.requestDevice(descriptor);
      const createBuffer = device.createBuffer.bind(device);
      const number = this.devices.push(device) - 1;
      this.used[number] = 0;
      device.createBuffer = (buffer) => {
        if (this.used[number]! + buffer.size > this.budget) throw new RangeError('out of memory');
        this.used[number]! += buffer.size;
        return createBuffer(buffer);
      };
      return device;
    };
    return { limits, features, info, requestDevice } as unknown as GPUAdapter;
  }
}

/** A rollout from a prefix; `disturb` is called after its sixth frame. */
async function frames(
  world: WorldModel,
  disturb: () => void = () => undefined,
  seed = 3,
): Promise<RgbaFrame[]> {
  const size = { ...pkg.model.frame };
  const made: RgbaFrame[] = [];
  const request = {
    prefix: testFrames(13, size.width, size.height),
    size,
    rate: pkg.model.rate,
    frameCount: 16,
    profile: 'draft' as const,
    seed,
  };
  for await (const event of extendClip(loadedModel(pkg, world), request)) {
    if (event.kind === 'frame' && made.push(event.frame) === 6) disturb();
  }
  return made;
}

/** Largest difference of any colour value. */
function difference(a: readonly RgbaFrame[], b: readonly RgbaFrame[]): number {
  expect(a).toHaveLength(b.length);
  return Math.max(
    ...a.map((frame, i) =>
      frame.data.reduce((most, v, at) => Math.max(most, Math.abs(v - b[i]!.data[at]!)), 0),
    ),
  );
}

describe('a rollout whose graphics device goes away', () => {
  it('goes on with the same frames on a new device, as does another one at the same time', async () => {
    const watched = new Watched();
    const world = await loadDurably(pkg, [webGpuBackend(watched.platform, { software: true })], {
      backend: 'webgpu',
    });
    const expected = await Promise.all([frames(world), frames(world, undefined, 4)]);
    const disturbed = await Promise.all([
      frames(world, () => watched.devices[0]!.destroy()),
      frames(world, undefined, 4),
    ]);
    expect(watched.devices).toHaveLength(2);
    expect(difference(disturbed[0], expected[0])).toBe(0);
    expect(difference(disturbed[1], expected[1])).toBe(0);
    expect(world.backend).toBe('webgpu');
    world.dispose();
  });

  it('goes on with the same frames on the processor where the device does not come back', async () => {
    const watched = new Watched();
    const exact = ortBackend(nodeRuntime, { exact: true });
    const backends = [webGpuBackend(watched.platform, { software: true }), exact];
    const world = await loadDurably(pkg, backends);
    expect(world.backend).toBe('webgpu');
    const disturbed = await frames(world, () => {
      watched.plugged = false;
      watched.devices[0]!.destroy();
    });
    expect(world.backend).toBe('ort');
    world.dispose();
    const processor = await exact.load(pkg, {});
    expect(difference(disturbed, await frames(processor))).toBeLessThanOrEqual(1);
    processor.dispose();
  });
});

describe('a graphics device with little memory', () => {
  it('takes the variant that reads prefixes chunk by chunk, then leaves the work to the processor', async () => {
    const watched = new Watched();
    const load = () =>
      loadDurably(pkg, [webGpuBackend(watched.platform, { software: true }), ortBackend(nodeRuntime)]);
    const roomy = await load();
    roomy.dispose();
    watched.budget = watched.used[0]! - 1;
    const small = await load();
    expect(small.backend).toBe('webgpu');
    expect(watched.devices).toHaveLength(3);
    expect(watched.used[2]!).toBeLessThan(0.8 * watched.used[0]!);
    small.dispose();
    watched.budget = 1000;
    const processor = await load();
    expect(processor.backend).toBe('ort');
    processor.dispose();
  });
});
