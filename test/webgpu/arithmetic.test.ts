import { describe, expect, it } from 'vitest';
import { requestWebGpuDevice } from '../../src/engine/world/webgpu/device.ts';
import { Gpu } from '../../src/engine/world/webgpu/gpu.ts';
import { fromHalf, toHalf, toHalves } from '../../src/engine/world/webgpu/half.ts';
import { createWebGpuWorldModel, createWith } from '../../src/engine/world/webgpu/index.ts';
import {
  chooseKernels,
  type KernelChoice,
  PLAIN_KERNELS,
} from '../../src/engine/world/webgpu/kernel-choice.ts';
import { DEFAULT_WORKGROUP } from '../../src/engine/world/webgpu/matmul-options.ts';
import { loadKernelSources, openCheckingGpu } from '../../src/engine/world/webgpu/platform.node.ts';
import type { WorldSession } from '../../src/engine/world/world-model.ts';
import { emulatedUnits, withEmulatedUnits, withRoundedTiles, withRoundedUnits } from './emulated-units.ts';
import { openSoftwareGpu } from './software-device.ts';
import { readTiny } from './tiny-package.ts';

const tiny = await readTiny();
const gpu = await openSoftwareGpu();
const emulated = await withEmulatedUnits(gpu);
const hasHalf = gpu.device.features.has('shader-f16');

/** Peak signal-to-noise ratio of generated latents, which lie in −1 … 1, against PyTorch's: the worst of ten frames. */
async function worstPsnr(session: WorldSession): Promise<number> {
  const { recording } = tiny;
  await session.commit([recording.chunk(0), recording.chunk(1)]);
  let worst = Infinity;
  for (let index = 2; index < 4; index++) {
    const chunk = recording.chunk(index);
    const noise = recording.floats(`chunk.${index}.noise`);
    const finished = await session.denoise(chunk, recording.levels(), noise);
    const expected = recording.floats(`chunk.${index}.finished`);
    const frame = finished.length / tiny.spec.framesPerChunk;
    for (let start = 0; start < finished.length; start += frame) {
      let sum = 0;
      for (let i = start; i < start + frame; i++) sum += (finished[i]! - expected[i]!) ** 2;
      worst = Math.min(worst, 10 * Math.log10((4 * frame) / sum));
    }
    await session.commit([{ ...chunk, latents: finished }]);
  }
  return worst;
}

describe('a rollout against PyTorch', () => {
  const units = (number: 'f16' | 'f32', packed = false): KernelChoice => ({
    ...{ arithmetic: 'matrix-units', limits: DEFAULT_WORKGROUP },
    units: { ...emulatedUnits(gpu, number), packed },
  });
  // Where the device has no f16, matrix units are followed with f32 in its place.
  const cases: [string, KernelChoice, Gpu, number][] = [
    ['matrix units of f32', units('f32'), emulated, 90],
    ['matrix units, left factors and attention rounded to f16', units('f32'), withRoundedUnits(emulated), 40],
    ['matrix units of f32, activations packed', units('f32', true), emulated, 90],
    [
      'matrix units, activations packed and attention rounded to f16',
      ...([units('f32', true), withRoundedUnits(emulated), 40] as const),
    ],
    ['f32 tiles rounded to f16', PLAIN_KERNELS, withRoundedTiles(gpu), 40],
    ...(hasHalf
      ? ([
          ['f16 tiles', { arithmetic: 'f16', limits: DEFAULT_WORKGROUP }, gpu, 40],
          ['matrix units of f16', units('f16'), emulated, 40],
          ['matrix units of f16, activations packed', units('f16', true), emulated, 40],
        ] satisfies [string, KernelChoice, Gpu, number][])
      : []),
  ];

  // Emulated units take software rasterisers long to compile.
  it.each(cases)('on %s', { timeout: 900_000 }, async (_, choice, own, least) => {
    const model = await createWith(choice, own, tiny.spec, tiny.weights, {
      device: own.device,
      primingChunks: 1,
    });
    expect(model.arithmetic).toBe(choice.arithmetic);
    const session = await model.createSession();
    expect(await worstPsnr(session)).toBeGreaterThan(least);
    session.dispose();
    model.dispose();
  });
});

describe('the choice of kernels', () => {
  const limits = { maxComputeWorkgroupStorageSize: 49152, maxComputeInvocationsPerWorkgroup: 1024 };
  const all = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];
  const config = (M: number, N: number, K: number, result = 'f32', type = 'f16') => ({
    ...{ M, N, K, componentType: type, resultComponentType: result },
  });
  const device = (features: string[], subgroupMatrixConfigs: unknown[] = []): GPUDevice =>
    ({
      ...{ features: new Set(features), limits },
      adapterInfo: { subgroupMatrixConfigs, subgroupMinSize: 32, subgroupMaxSize: 32 },
    }) as unknown as GPUDevice;

  it('takes the largest matrix unit for f16, with f32 sums where there is one', () => {
    const configs = [
      config(16, 8, 16),
      config(16, 16, 16, 'f16'),
      config(16, 16, 16),
      config(16, 16, 32, 'i32', 'i8'),
    ];
    expect(chooseKernels(device(all, configs), 'matrix-units')).toEqual({
      arithmetic: 'matrix-units',
      card: true,
      limits: { bytes: 49152, invocations: 1024 },
      scan: { columns: 32, parts: 4 },
      units: { unit: { m: 16, n: 16, k: 16, result: 'f32' }, subgroup: 32, number: 'f16', packed: true },
    });
    const [apple] = [config(8, 8, 8, 'f16')];
    expect(chooseKernels(device(all, [apple]), 'matrix-units')?.units?.unit.result).toBe('f16');
  });

  it('takes what the adapter lists where the device lists nothing, as under Node', async () => {
    const silent = device(all);
    const adapter = {
      ...{ limits, features: new Set(all), requestDevice: async () => silent },
      info: { subgroupMatrixConfigs: [config(16, 16, 16)], subgroupMaxSize: 32 },
    };
    const own = await requestWebGpuDevice({ requestAdapter: async () => adapter } as unknown as GPU);
    expect(chooseKernels(own, 'matrix-units')?.units?.unit).toEqual({ m: 16, n: 16, k: 16, result: 'f32' });
  });

  it('finds none where a feature or a unit is missing', () => {
    for (const missing of all) {
      const features = all.filter((feature) => feature !== missing);
      expect(chooseKernels(device(features, [config(16, 16, 16)]), 'matrix-units'), missing).toBeNull();
    }
    expect(chooseKernels(device(all, [config(16, 16, 32, 'i32', 'i8')]), 'matrix-units')).toBeNull();
    expect(chooseKernels(device(['subgroups']), 'f16')).toBeNull();
    expect(chooseKernels(device([]), 'f32')?.arithmetic).toBe('f32');
  });

  it('goes on with the next arithmetic where a device lacks one, or its compiler refuses what it lists', async () => {
    const load = async (change: (device: GPUDevice) => void, sources = new Map(gpu.sources)) => {
      const own = await requestWebGpuDevice(await openCheckingGpu());
      change(own);
      const options = { device: own, arithmetic: 'matrix-units', primingChunks: 1 } as const;
      const model = await createWebGpuWorldModel(tiny.spec, tiny.weights, sources, options);
      own.destroy();
      return model.arithmetic;
    };
    const listed = (own: GPUDevice): void => {
      // As large as the checking device's own.
      const info = { subgroupMatrixConfigs: [config(16, 16, 16)], subgroupMaxSize: 128 };
      Object.defineProperty(own, 'adapterInfo', { value: info });
    };
    expect(await load(() => undefined)).toBe('f16');
    expect(await load(listed)).toBe('matrix-units');
    const sources = await loadKernelSources();
    expect(await load(listed, new Map([...sources, ['matrix-units.wgsl', 'nonsense']]))).toBe('f16');
  });
});

describe('f16', () => {
  it('is read as it was written, for all bits that are numbers', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i).filter(
      (half) => (half & 0x7c00) !== 0x7c00,
    );
    expect(toHalves(fromHalf(bits))).toEqual(bits);
  });

  it('is the nearest, ties to even, and infinity beyond its range', () => {
    const rounded = (value: number): number => fromHalf(Uint16Array.of(toHalf(value)))[0]!;
    expect(rounded(1 + 2 ** -11)).toBe(1);
    expect(rounded(1 + 3 * 2 ** -11)).toBe(1 + 2 ** -9);
    expect(rounded(-(1 + 2 ** -11 + 2 ** -20))).toBe(-(1 + 2 ** -10));
    expect(rounded(1.4 * 2 ** -24)).toBe(2 ** -24);
    expect(rounded(65519)).toBe(65504);
    expect(rounded(-65520)).toBe(-Infinity);
    expect(rounded(NaN)).toBeNaN();
  });
});
