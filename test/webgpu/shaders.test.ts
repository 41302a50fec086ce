import { expect, it } from 'vitest';
import type { WorldSpec } from '../../src/engine/package/model-json.ts';
import { requestWebGpuDevice } from '../../src/engine/world/webgpu/device.ts';
import { attentionProgram } from '../../src/engine/world/webgpu/attention-program.ts';
import { Gpu } from '../../src/engine/world/webgpu/gpu.ts';
import {
  fitsUnits,
  type KernelChoice,
  PLAIN_KERNELS,
  type UnitsChoice,
} from '../../src/engine/world/webgpu/kernel-choice.ts';
import {
  DEFAULT_WORKGROUP,
  type MatrixUnit,
  type WeightFormat,
} from '../../src/engine/world/webgpu/matmul-options.ts';
import { loadKernelSources, openCheckingGpu } from '../../src/engine/world/webgpu/platform.node.ts';
import { programKey } from '../../src/engine/world/webgpu/program.ts';
import { makePlans } from '../../src/engine/world/webgpu/world-plans.ts';

/** The shapes of a maze model of full size, with every kind of layer; keys as long as the kernels must take. */
const MAZE: WorldSpec = {
  grid: { rows: 8, columns: 8 },
  ...{ latentChannels: 192, framesPerChunk: 5, width: 384, embedWidth: 128, levelWidth: 256, mlpWidth: 1536 },
  scan: { heads: 6, keyLength: 128, valueLength: 64 },
  attention: {
    heads: 6,
    rope: {
      time: Array<number>(16).fill(1),
      row: Array<number>(8).fill(1),
      column: Array<number>(8).fill(1),
    },
  },
  ...{ rayFrequencies: 128, pointFrequencies: 64, depths: 8 },
  layers: [
    { kind: 'ssd', key: 'point', block: [8, 8] },
    { kind: 'gated-delta', key: 'ray', block: [2, 2] },
    { kind: 'gated-delta', key: 'ray', block: [1, 1] },
    { kind: 'ssd', key: 'none', block: [2, 2] },
    { kind: 'gated-delta', key: 'point', block: [8, 8] },
  ],
  weights: 'weights.safetensors',
  graphs: { denoise: 'denoise.onnx', commit: 'commit.onnx' },
};

it.each([{ kind: 'int8' }, { kind: 'float' }, { kind: 'mixed', split: 50 }] as const)(
  'compiles every kernel of a full-size model with $kind weights within the default limits',
  async (format) => {
    const device = await requestWebGpuDevice(await openCheckingGpu(), { defaultLimits: true });
    const gpu = new Gpu(device, await loadKernelSources());
    const plans = makePlans(MAZE, () => format, 8);
    const programs = [plans.levels, plans.denoise, ...plans.commits].flatMap(({ sections }) =>
      [...sections.before, ...sections.step].map(({ program }) => program),
    );
    const distinct = new Map(programs.map((program) => [programKey(program), program]));
    expect(distinct.size).toBeGreaterThan(25);
    const files = new Set(programs.map(({ file }) => file));
    const kernels = [...gpu.sources.entries()].filter(
      ([, text]) => text.includes('@compute') && !text.startsWith('// Include'),
    );
    expect([...files].sort()).toEqual(
      [...new Set([...kernels.map(([file]) => file), 'ssd.wgsl', 'gated-delta.wgsl'])]
        .filter((file) => !/-units|-direct|packed|pack-rows/.test(file))
        .sort(),
    );
    for (const program of distinct.values()) {
      expect(Object.keys(program.bindings).length).toBeLessThanOrEqual(8);
      await gpu.pipeline(program);
    }
    device.destroy();
  },
);

const UNITS: MatrixUnit[] = [
  // NVIDIA, Intel, Apple.
  { m: 16, n: 16, k: 16, result: 'f32' },
  { m: 16, n: 8, k: 16, result: 'f32' },
  { m: 8, n: 16, k: 16, result: 'f32' },
  { m: 8, n: 8, k: 8, result: 'f16' },
];

it.each<[string, KernelChoice]>([
  ['f16 tiles', { ...PLAIN_KERNELS, arithmetic: 'f16' }],
  ...UNITS.flatMap((unit) =>
    // The checker's own subgroups have up to 128 invocations; the smallest tiles of packed activations are one subgroup.
    [32, 64, 128].map((subgroup): [string, KernelChoice] => [
      `matrix units of ${unit.m} × ${unit.n} × ${unit.k}, ${unit.result}, subgroups up to ${subgroup}`,
      {
        arithmetic: 'matrix-units',
        limits: DEFAULT_WORKGROUP,
        units: { unit, subgroup, number: 'f16', packed: subgroup === 128 },
      },
    ]),
  ),
])('compiles every matrix product, and attention, with %s', async (_, choice) => {
  const features = ['chromium-experimental-subgroup-matrix'];
  const device = await requestWebGpuDevice(await openCheckingGpu(), { features });
  const gpu = new Gpu(device, await loadKernelSources());
  const headLength = MAZE.width / MAZE.attention.heads;
  const format = (matrix: string): WeightFormat =>
    choice.units && fitsUnits(choice.units, headLength, matrix) ? { kind: 'half' } : { kind: 'int8' };
  const plans = makePlans(MAZE, format, 8, choice);
  const programs = [plans.levels, plans.denoise, ...plans.commits].flatMap(({ sections }) =>
    [...sections.before, ...sections.step].map(({ program }) => program),
  );
  const halved = programs.filter(({ constants }) => constants['NUMBER'] === 'f16');
  expect(halved.length).toBeGreaterThan(6 * MAZE.layers.length);
  expect(new Set(halved.map(({ file }) => file))).toEqual(
    new Set(choice.units ? filesOf(choice.units) : ['matmul.wgsl']),
  );
  for (const program of new Map(halved.map((one) => [programKey(one), one])).values()) {
    expect(Object.keys(program.bindings).length).toBeLessThanOrEqual(8);
    await gpu.pipeline(program);
  }
  device.destroy();
});

// With subgroups of 128 a workgroup of the default limits has too few for it.
it.each(UNITS)(
  'compiles attention straight from memory with matrix units of $m × $n × $k, $result',
  async (unit) => {
    const features = ['chromium-experimental-subgroup-matrix'];
    const device = await requestWebGpuDevice(await openCheckingGpu(), { features });
    const gpu = new Gpu(device, await loadKernelSources());
    for (const packedOut of [true, false]) {
      const program = attentionProgram({
        ...{ heads: 4, headLength: 64, chunkTokens: 320, chunks: 1, narrow: true, packedOut },
        units: { unit, subgroup: 32, number: 'f16' },
      });
      expect(program.file).toBe('attention-direct.wgsl');
      await gpu.pipeline(program);
    }
    device.destroy();
  },
);

/** The kernels that multiply f16 numbers; sums of f16 cannot hold what is not normalised yet, so nothing is packed for them. */
function filesOf({ unit, packed }: UnitsChoice): string[] {
  const rows = ['matmul-units.wgsl', 'attention-units.wgsl'];
  return packed && unit.result === 'f32' ? [...rows, 'matmul-packed.wgsl', 'pack-rows.wgsl'] : rows;
}

it('refuses a kernel that is wrong or needs too much workgroup memory, and names it', async () => {
  const device = await requestWebGpuDevice(await openCheckingGpu(), { defaultLimits: true });
  const entry = '@compute @workgroup_size(1) fn main()';
  const sources = new Map([
    ['wrong.wgsl', `${entry} { let x: u32 = 1.5; }`],
    ['large.wgsl', `var<workgroup> data: array<f32, SIZE>;\n${entry} { data[0] = 1; }`],
  ]);
  const gpu = new Gpu(device, sources);
  const refused = (file: string, constants = {}): Promise<unknown> =>
    expect(gpu.pipeline({ file, constants, bindings: {} })).rejects.toMatchObject({
      code: 'backend',
      message: expect.stringContaining(file) as unknown,
    });
  await refused('wrong.wgsl');
  await refused('large.wgsl', { SIZE: 4097 });
  await gpu.pipeline({ file: 'large.wgsl', constants: { SIZE: 4096 }, bindings: {} });
  device.destroy();
});
