import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordedRollout } from '../../src/engine/parity/parity.ts';
import { createWith, type WebGpuWorldModel } from '../../src/engine/world/webgpu/index.ts';
import { runKernel } from '../../src/engine/world/webgpu/kernel-run.ts';
import {
  DEFAULT_WORKGROUP,
  MATMUL,
  type MatmulOptions,
  SQUARED,
  type UnitTile,
} from '../../src/engine/world/webgpu/matmul-options.ts';
import { matmulProgram, matmulWorkgroups } from '../../src/engine/world/webgpu/matmul-program.ts';
import { packForUnits } from '../../src/engine/world/webgpu/pack-units.ts';
import { contentsFor, numbersOf } from '../../src/engine/world/webgpu/packed-numbers.ts';
import { kernelParity } from '../../src/engine/world/webgpu/parity/kernel-parity.ts';
import { HEADROOM, packed, unpacked } from '../../src/engine/world/webgpu/parity/packed-reference.ts';
import { gelu, linear, modulate } from '../../src/engine/world/webgpu/parity/reference.ts';
import { fromHalf, toHalves } from '../../src/engine/world/webgpu/half.ts';
import { emulatedUnits, withEmulatedUnits } from './emulated-units.ts';
import { largestDifference, randomNumbers } from './numbers.ts';
import { openSoftwareGpu } from './software-device.ts';
import { readTiny } from './tiny-package.ts';

const gpu = await withEmulatedUnits(await openSoftwareGpu());

/** Tiles of one subgroup, of several side by side and one below the other, and in slices of the depth. */
const TILES: UnitTile[] = [
  { m: 4, n: 16, slices: 1, span: 1, rise: 1 },
  { m: 8, n: 32, slices: 1, span: 2, rise: 2 },
  { m: 8, n: 16, slices: 2, span: 2, rise: 1 },
  { m: 4, n: 32, slices: 4, span: 4, rise: 1 },
  // More subgroups than a workgroup may have, and slices that do not divide the depth: made smaller.
  { m: 32, n: 64, slices: 8, span: 1, rise: 1 },
];

// f16 keeps eleven bits. Where a device has none, the same code with f32 in its place is what can be run.
const NUMBERS: [number: 'f32' | 'f16', loose: number][] = [
  ['f32', 1],
  ...(gpu.device.features.has('shader-f16') ? ([['f16', 4000]] as const) : []),
].map(([number, loose]) => [number as 'f32' | 'f16', loose as number]);

const CASES = NUMBERS.flatMap(([number, loose]) =>
  TILES.map((tile) => {
    const { m, n, slices, rise, span } = tile;
    const name = `${number}, ${m} × ${n}, ${slices} slices of ${rise} × ${span}`;
    return { name, number, loose, tile };
  }),
);

describe.each(CASES)('products of packed activations: $name', ({ number, loose, tile }) => {
  const units = emulatedUnits(gpu, number);
  const packing = (columns: number) => ({ unitM: units.unit.m, unitK: units.unit.k, columns });
  const room = (rows: number, columns: number): Float32Array =>
    new Float32Array(Math.ceil(rows / units.unit.m) * units.unit.m * columns).fill(7);

  /** Runs the kernel on a product of int8 weights [n, k] whose scales and biases are not alike. */
  async function multiply(
    options: Omit<MatmulOptions, 'weight' | 'variant'>,
    rows: number,
    inputs: Record<number, Float32Array | Uint32Array>,
    launch = {},
  ): Promise<{ outputs: Record<number, Float32Array>; weights: Float64Array; bias: Float32Array }> {
    const { n, k } = options;
    const matrix = {
      values: Int8Array.from(randomNumbers(2, n * k, 127)),
      scales: randomNumbers(3, n).map((v) => (1 + v / 2) / 127 / Math.sqrt(k)),
      bias: randomNumbers(4, n),
      ...{ n, k },
    };
    const stored = packForUnits([matrix], units.unit, number);
    const full: MatmulOptions = {
      ...{ ...options, weight: stored.format, variant: { kind: 'units', ...units, tile } },
    };
    const program = matmulProgram(full);
    const given = Object.entries(inputs).map(([binding, data]) => [
      binding,
      data instanceof Float32Array ? contentsFor(program, Number(binding), data) : data,
    ]);
    const outputs = await runKernel(
      gpu,
      program,
      matmulWorkgroups(full, rows),
      { tokens: rows, ...launch },
      {
        ...{ [MATMUL.weights]: stored.weights, [MATMUL.columns]: stored.columns },
        ...(Object.fromEntries(given) as Record<number, Float32Array>),
      },
    );
    const numbers = Object.entries(outputs).map(([binding, data]) => [
      binding,
      numbersOf(program, Number(binding), data.buffer as ArrayBuffer),
    ]);
    return {
      outputs: Object.fromEntries(numbers) as Record<number, Float32Array>,
      weights: Float64Array.from(matrix.values, (v, i) => v * matrix.scales[Math.floor(i / k)]!),
      bias: matrix.bias,
    };
  }

  it.each([
    [1, 8, 16],
    [13, 40, 64],
    [37, 23, 96],
  ])('multiplies %i × %i sums of %i', async (rows, n, k) => {
    const a = randomNumbers(1, rows * k);
    const { outputs, weights, bias } = await multiply({ n, k, prologue: { kind: 'packed' } }, rows, {
      [MATMUL.a]: Float32Array.from(packed(a, room(rows, k), packing(k))),
      [MATMUL.out]: new Float32Array(rows * n),
    });
    const out = outputs[MATMUL.out]!.subarray(0, rows * n);
    expect(largestDifference(out, linear(a, weights, k, bias))).toBeLessThan(3e-6 * loose);
  });

  it('normalises and shifts afterwards, as if it had been done before', async () => {
    const [rows, n, k, tableStride] = [21, 32, 48, 9 * 48];
    // Rows of very different lengths.
    const x = randomNumbers(5, rows * k).map((v, i) => v * 10 ** ((Math.floor(i / k) % 5) - 2));
    const table = randomNumbers(6, 4 * tableStride);
    const mask = Uint32Array.from({ length: rows }, (_, i) => i % 2);
    const vector = (row: number, slot: number): Float32Array => {
      const start = (mask[row] ? 3 : 0) * tableStride + slot * k;
      return table.subarray(start, start + k);
    };
    const scaled = x.map((v, i) => v * (1 + vector(Math.floor(i / k), 4)[i % k]!) * HEADROOM);
    const squares = new Float32Array(rows * (k + k / SQUARED));
    x.forEach((v, i) => (squares[(k + Math.floor((i % k) / SQUARED)) * rows + Math.floor(i / k)]! += v * v));
    const shift = await multiply(
      { n, k, prologue: { kind: 'plain', stride: tableStride, offset: 3 * k }, store: { kind: 'unbiased' } },
      4,
      { [MATMUL.a]: table, [MATMUL.out]: new Float32Array(4 * n) },
    );
    const common = {
      ...{ [MATMUL.a]: Float32Array.from(packed(scaled, room(rows, k), packing(k))), [MATMUL.mask]: mask },
      ...{ [MATMUL.squares]: squares, [MATMUL.shifts]: shift.outputs[MATMUL.out]! },
    };
    const prologue = { kind: 'packed_modulated' } as const;
    const { outputs, weights, bias } = await multiply(
      { n, k, prologue, activation: 'gelu', store: { kind: 'packed' } },
      rows,
      { ...common, [MATMUL.out]: room(rows, n) },
      { levelRow: 3 },
    );
    const before = modulate(x, k, (row) => ({ shift: vector(row, 3), scale: vector(row, 4) }));
    const expected = linear(before, weights, k, bias).map(gelu);
    const all = outputs[MATMUL.out]!;
    expect(largestDifference(unpacked(all, rows, packing(n)), expected)).toBeLessThan(5e-6 * loose);
  });

  it('leaves what the next product multiplies', async () => {
    const [rows, n, k, tableStride] = [19, 48, 32, 9 * 48];
    const base = 4 * tableStride + 48;
    const a = randomNumbers(7, rows * k);
    const old = randomNumbers(8, rows * n, 3);
    const table = randomNumbers(9, base + 4 * 100);
    const mask = Uint32Array.from({ length: rows }, (_, i) => (i % 3 ? 1 : 0));
    const { outputs, weights, bias } = await multiply(
      {
        ...{ n, k, prologue: { kind: 'packed' } },
        store: { kind: 'gate', tableStride, gate: 96, next: { base, stride: 100 } },
      },
      rows,
      {
        ...{ [MATMUL.a]: Float32Array.from(packed(a, room(rows, k), packing(k))), [MATMUL.mask]: mask },
        ...{ [MATMUL.table]: table, [MATMUL.next]: room(rows, n) },
        [MATMUL.out]: Float32Array.of(...old, ...new Float32Array((rows * n) / SQUARED)),
      },
      { levelRow: 2 },
    );
    const product = linear(a, weights, k, bias);
    const level = (i: number): number => (mask[Math.floor(i / n)] ? 2 : 0);
    const expected = product.map((v, i) => old[i]! + v * table[level(i) * tableStride + 96 + (i % n)]!);
    const out = outputs[MATMUL.out]!;
    expect(largestDifference(out.subarray(0, rows * n), expected)).toBeLessThan(5e-6 * loose);
    const scaled = expected.map((v, i) => v * (1 + table[base + level(i) * 100 + (i % n)]!) * HEADROOM);
    const next = unpacked(outputs[MATMUL.next]!, rows, packing(n));
    expect(largestDifference(next, scaled)).toBeLessThan(1e-5 * loose);
    const squares = new Float64Array((rows * n) / SQUARED);
    expected.forEach((v, i) => (squares[Math.floor((i % n) / SQUARED) * rows + Math.floor(i / n)]! += v * v));
    expect(largestDifference(out.subarray(rows * n), squares)).toBeLessThan(2e-4 * loose);
  });
});

describe('a model whose products hand activations on packed', () => {
  let model: WebGpuWorldModel;
  const tiny = readTiny();

  beforeAll(async () => {
    const { spec, weights } = await tiny;
    const units = { ...emulatedUnits(gpu, 'f32'), packed: true };
    const choice = { arithmetic: 'matrix-units', limits: DEFAULT_WORKGROUP, units } as const;
    model = await createWith(choice, gpu, spec, weights, { device: gpu.device, primingChunks: 2 });
  }, 900_000);
  afterAll(() => model?.dispose());

  it('does so everywhere', () => {
    for (const { sections } of [model.denoisePlan, ...model.commitPlans]) {
      const products = sections.step.filter(({ product }) => product);
      const prologues = products.map(({ name, program }) => [
        name.replace(/^\d+ /, ''),
        program.constants['PROLOGUE'],
      ]);
      const expected: Record<string, string> = {
        ...{ 'scan projection': 'packed_modulated', qkv: 'packed_modulated', sample: 'packed_modulated' },
        ...{ 'mlp up': 'packed_modulated', 'mlp down': 'packed', 'attention out': 'packed' },
        'scan out': 'head_gate',
      };
      for (const [name, prologue] of prologues)
        expect(prologue, name as string).toBe(expected[name!] ?? 'plain');
    }
  });

  it('has kernels that are tight in their places', async () => {
    const { recording, spec } = await tiny;
    const rows = await kernelParity(model, recordedRollout(recording, spec.layers.length).input);
    const kernels = new Set(rows.map(({ what }) => what.split(' ')[1]));
    for (const kernel of ['matmul-packed', 'matmul-units', 'pack-rows', 'attention-direct']) {
      expect(kernels, kernel).toContain(kernel);
    }
    for (const { what, largest, scale } of rows) {
      expect(scale, what).toBeGreaterThan(0.05);
      expect(largest, what).toBeLessThan(1e-5 * Math.max(1, scale));
    }
  }, 900_000);
});

// Where a device has no f16, nothing is kept in it.
it.runIf(gpu.device.features.has('shader-f16'))(
  'keeps keys and values in f16 on the device and in f32 in snapshots',
  async () => {
    const { spec, weights, recording } = await readTiny();
    const units = { ...emulatedUnits(gpu, 'f16'), packed: true };
    const choice = { arithmetic: 'matrix-units', limits: DEFAULT_WORKGROUP, units } as const;
    const options = { device: gpu.device, primingChunks: 1 };
    const model = await createWith(choice, gpu, spec, weights, options);
    await model.createSession();
    const session = await model.createSession();
    const given = recording.state(2, spec.layers.length);
    await session.restore(given);
    const kept = await session.snapshot();
    const rounded = (numbers: Float32Array): Float32Array => fromHalf(toHalves(numbers));
    expect(kept.committed).toBe(given.committed);
    given.layers.forEach(({ scan, keys, values }, layer) => {
      expect(kept.layers[layer]!.scan).toEqual(scan);
      expect(kept.layers[layer]!.keys).toEqual(rounded(keys));
      expect(kept.layers[layer]!.values).toEqual(rounded(values));
    });
    expect(largestDifference(rounded(given.layers[0]!.keys), given.layers[0]!.keys)).toBeLessThan(0.01);
    model.dispose();
  },
  900_000,
);
