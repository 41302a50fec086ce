import { readFile } from 'node:fs/promises';
import { Gpu } from '../../src/engine/world/webgpu/gpu.ts';
import type { UnitsChoice } from '../../src/engine/world/webgpu/kernel-choice.ts';

/** Kernels with matrix units made of plain arithmetic in place of the device's, for devices that have none. */
export async function withEmulatedUnits(gpu: Gpu): Promise<Gpu> {
  const emulated = await readFile(new URL('matrix-units-emulated.wgsl', import.meta.url), 'utf8');
  const enable = ['#if NUMBER == f16', 'enable f16;', '#endif', 'enable subgroups;'].join('\n');
  const own = new Map([
    ...gpu.sources,
    ['matrix-units.wgsl', emulated],
    ['matrix-units-enable.wgsl', enable],
  ]);
  return new Gpu(gpu.device, own);
}

/** Units as small as they come, whose three sizes differ. */
export function emulatedUnits(gpu: Gpu, number: 'f16' | 'f32'): UnitsChoice {
  const { subgroupMaxSize } = gpu.device.adapterInfo as GPUAdapterInfo & { subgroupMaxSize: number };
  return { unit: { m: 4, n: 8, k: 16, result: 'f32' }, subgroup: subgroupMaxSize, number };
}
