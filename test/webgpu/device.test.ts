import { beforeAll, describe, expect, it } from 'vitest';
import { requestWebGpuDevice } from '../../src/engine/world/webgpu/device.ts';
import { OutOfGpuMemoryError } from '../../src/engine/world/webgpu/errors.ts';
import { Gpu } from '../../src/engine/world/webgpu/gpu.ts';
import { createWebGpuWorldModel } from '../../src/engine/world/webgpu/index.ts';
import { openGpu } from '../../src/engine/world/webgpu/platform.node.ts';
import { openSoftwareGpu } from './software-device.ts';
import { readTiny } from './tiny-package.ts';

let gpu: Gpu;
let tiny: Awaited<ReturnType<typeof readTiny>>;
beforeAll(async () => {
  [gpu, tiny] = await Promise.all([openSoftwareGpu(), readTiny()]);
});

describe('the device', () => {
  it('is refused with a sentence where there is no WebGPU, no adapter, or none that opens', async () => {
    const adapter = {
      features: new Set(),
      limits: {},
      requestDevice: () => Promise.reject(new Error('busy')),
    };
    for (const found of [undefined, null, adapter]) {
      const navigatorGpu = found === undefined ? undefined : { requestAdapter: async () => found };
      await expect(requestWebGpuDevice(navigatorGpu as unknown as GPU)).rejects.toMatchObject({
        code: 'backend',
      });
    }
  });

  it('gets no more than the adapter has and we want', async () => {
    let asked: GPUDeviceDescriptor = {};
    const adapter = {
      features: new Set(['subgroups', 'texture-compression-bc']),
      limits: {
        maxBufferSize: 2 ** 28,
        maxStorageBufferBindingSize: 2 ** 31,
        maxComputeWorkgroupStorageSize: 16384,
      },
      requestDevice: async (descriptor: GPUDeviceDescriptor) => {
        asked = descriptor;
        return {};
      },
    };
    await requestWebGpuDevice({ requestAdapter: async () => adapter } as unknown as GPU);
    expect(asked.requiredFeatures).toEqual(['subgroups']);
    expect(asked.requiredLimits).toEqual({
      maxBufferSize: 2 ** 28,
      maxStorageBufferBindingSize: 2 ** 30,
      maxComputeWorkgroupStorageSize: 16384,
    });
  });
});

describe('allocation', () => {
  it('beyond a limit is a typed error', async () => {
    const tooLarge = gpu.allocate(() => gpu.storage('too large', gpu.device.limits.maxBufferSize + 4));
    await expect(tooLarge).rejects.toMatchObject({ code: 'backend' });
  });

  it('without enough memory is a typed error, and the device goes on', async () => {
    const device = await requestWebGpuDevice(await openGpu({ software: true }));
    const large = new Gpu(device, gpu.sources);
    const held: GPUBuffer[] = [];
    // More than any device has, a gigabyte at a time.
    const fill = async (): Promise<void> => {
      for (let i = 0; i < 4096; i++) {
        held.push(await large.allocate(() => large.storage('large', device.limits.maxBufferSize)));
      }
    };
    await expect(fill()).rejects.toBeInstanceOf(OutOfGpuMemoryError);
    for (const buffer of held) buffer.destroy();
    const small = await large.allocate(() => large.upload('small', Float32Array.of(1, 2)));
    expect(new Float32Array(await large.read([{ buffer: small, bytes: 8 }]))).toEqual(Float32Array.of(1, 2));
    device.destroy();
  });
});

describe('a device that refused a command', () => {
  it('is not trusted any more', async () => {
    const own = await openSoftwareGpu();
    own.throwIfBroken();
    own.storage('beyond the limit', own.device.limits.maxBufferSize + 4);
    await own.device.queue.onSubmittedWorkDone();
    expect(() => own.throwIfBroken()).toThrow(expect.objectContaining({ code: 'backend' }) as Error);
    await expect(own.allocate(() => own.storage('small', 4))).rejects.toMatchObject({ code: 'backend' });
    own.device.destroy();
  });
});

describe('the kernels', () => {
  it('are the same files in browsers and in Node', async () => {
    const browser = await import('../../src/engine/world/webgpu/platform.browser.ts');
    const bundled = await browser.loadKernelSources();
    expect([...bundled].sort()).toEqual([...gpu.sources].sort());
  });
});

describe('loading', () => {
  const load = (change: object, weights = tiny.weights) =>
    createWebGpuWorldModel({ ...tiny.spec, ...change }, weights, gpu.sources, { device: gpu.device });

  it('refuses shapes that the kernels do not take', async () => {
    await expect(load({ scan: { ...tiny.spec.scan, keyLength: 18 } })).rejects.toMatchObject({
      code: 'backend',
    });
    await expect(load({ grid: { rows: 4, columns: 6 } })).rejects.toMatchObject({ code: 'backend' });
  });

  it('refuses weights that do not fit the description', async () => {
    await expect(load({ mlpWidth: 68 })).rejects.toMatchObject({ code: 'package' });
    await expect(load({ layers: [...tiny.spec.layers, ...tiny.spec.layers] })).rejects.toMatchObject({
      code: 'package',
    });
    await expect(load({}, tiny.weights.slice(0, 1000))).rejects.toMatchObject({ code: 'package' });
  });

  it('stops when cancelled', async () => {
    const cancel = new AbortController();
    const loading = createWebGpuWorldModel(tiny.spec, tiny.weights, gpu.sources, {
      ...{ device: gpu.device, signal: cancel.signal },
      onProgress: ({ done }) => done > 0 && cancel.abort(),
    });
    await expect(loading).rejects.toMatchObject({ code: 'cancelled' });
  });
});
