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

/** Emulated units whose factors, but for matrices of weights, keep what f16 would keep, in f32. */
export function withRoundedUnits(emulated: Gpu): Gpu {
  const own = new Map(emulated.sources);
  replace(own, 'narrow.wgsl', '  return value;', '  return quantizeToF16(value);');
  replace(own, 'attention-units.wgsl', 'NUMBER(exp', 'quantizeToF16(exp');
  replace(own, 'attention-direct.wgsl', 'NUMBER(exp', 'quantizeToF16(exp');
  return new Gpu(emulated.device, own);
}

/** Kernels whose tiles keep what f16 would keep, in f32: activations, weights and sums of four products are rounded. */
export function withRoundedTiles(gpu: Gpu): Gpu {
  const own = new Map(gpu.sources);
  replace(own, 'narrow.wgsl', '  return value;', '  return quantizeToF16(value);');
  replace(own, 'matmul.wgsl', '+= vec4f(vec4<NUMBER>(dot(', '+= quantizeToF16(vec4<NUMBER>(dot(');
  replace(own, 'matmul.wgsl', 'vec4<NUMBER>(stored)', 'quantizeToF16(stored)');
  replace(
    own,
    'matmul.wgsl',
    'vec4<NUMBER>(bitcast<vec4f>(stored))',
    'quantizeToF16(bitcast<vec4f>(stored))',
  );
  return new Gpu(gpu.device, own);
}

function replace(sources: Map<string, string>, file: string, from: string, to: string): void {
  const text = sources.get(file)!;
  if (!text.includes(from)) throw new Error(`${file} has no “${from}”.`);
  sources.set(file, text.replaceAll(from, to));
}
