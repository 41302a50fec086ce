import { describe, expect, it } from 'vitest';
import { runKernel } from '../../src/engine/world/webgpu/kernel-run.ts';
import { type MatrixRows, packMatrix } from '../../src/engine/world/webgpu/pack.ts';
import { packForUnits } from '../../src/engine/world/webgpu/pack-units.ts';
import {
  gelu,
  headGate,
  linear,
  modulate,
  rotateHeads,
  silu,
} from '../../src/engine/world/webgpu/parity/reference.ts';
import {
  MATMUL,
  type MatmulOptions,
  type MatmulVariant,
} from '../../src/engine/world/webgpu/matmul-options.ts';
import { matmulProgram, matmulWorkgroups } from '../../src/engine/world/webgpu/matmul-program.ts';
import { rotations } from '../../src/engine/world/webgpu/rotations.ts';
import { emulatedUnits, withEmulatedUnits } from './emulated-units.ts';
import { largestDifference, randomNumbers } from './numbers.ts';
import { openSoftwareGpu } from './software-device.ts';

const gpu = await openSoftwareGpu();
const emulated = await withEmulatedUnits(gpu);

interface Kernel {
  name: string;
  variant: MatmulVariant;
  /** Tolerances are so many times those of f32. */
  loose: number;
}

function kernels(number: 'f32' | 'f16', loose: number): Kernel[] {
  const units = { kind: 'units', ...emulatedUnits(gpu, number) } as const;
  return [
    { name: `${number} tiles`, variant: { kind: 'tile', number }, loose },
    {
      name: `${number} tiles in four slices`,
      variant: { kind: 'tile', number, tile: { m: 8, n: 32, k: 8, slices: 4 } },
      loose,
    },
    {
      name: `matrix units of ${number} in two slices`,
      variant: { ...units, tile: { m: 8, n: 32, slices: 2, span: 2 } },
      loose,
    },
    {
      // Two outputs an invocation: their epilogue's numbers are sent for first.
      name: `matrix units of ${number} in four slices`,
      variant: { ...units, tile: { m: 4, n: 16, slices: 4, span: 1 } },
      loose,
    },
    {
      name: `matrix units of ${number}, one subgroup`,
      variant: { ...units, tile: { m: 4, n: 16, slices: 1, span: 2 } },
      loose,
    },
  ];
}

// f16 keeps eleven bits. Where a device has none, the same code with f32 in its place is what can be run.
const KERNELS = [
  ...kernels('f32', 1),
  ...(gpu.device.features.has('shader-f16') ? kernels('f16', 4000) : []),
];

function int8Matrix(n: number, k: number, seed: number): MatrixRows {
  return {
    values: Int8Array.from(randomNumbers(seed, n * k, 127)),
    scales: randomNumbers(seed + 1, n).map((v) => (1 + v / 2) / 127 / Math.sqrt(k)),
    bias: randomNumbers(seed + 2, n),
    ...{ n, k },
  };
}

/** The matrix as plain numbers. */
function dequantised(matrix: MatrixRows): Float64Array {
  return Float64Array.from(matrix.values, (v, i) => v * (matrix.scales?.[Math.floor(i / matrix.k)] ?? 1));
}

/** The product by a kernel, with the matrix stored as the kernel takes it. */
async function multiply(
  { variant }: Kernel,
  options: Omit<MatmulOptions, 'weight' | 'variant'>,
  rows: number,
  matrix: MatrixRows | readonly MatrixRows[],
  inputs: Record<number, Float32Array | Uint32Array>,
  launch = {},
): Promise<Float32Array> {
  const parts = [matrix].flat() as MatrixRows[];
  const packed =
    variant.kind === 'units' ? packForUnits(parts, variant.unit, variant.number) : packMatrix(parts);
  const full: MatmulOptions = { ...options, weight: packed.format, variant };
  const outputs = await runKernel(
    variant.kind === 'units' ? emulated : gpu,
    matmulProgram(full),
    matmulWorkgroups(full, rows),
    { tokens: rows, ...launch },
    {
      ...{ [MATMUL.weights]: packed.weights, [MATMUL.columns]: packed.columns },
      ...(packed.tail ? { [MATMUL.tail]: packed.tail } : {}),
      ...inputs,
    },
  );
  return outputs[MATMUL.out]!;
}

describe.each(KERNELS)('matmul on $name', (kernel) => {
  const { loose } = kernel;
  it.each([
    [1, 1, 4],
    [5, 7, 12],
    [64, 64, 64],
    [67, 130, 27],
    [33, 20, 100],
  ])('multiplies %i × %i sums of %i with int8 weights and a bias', async (m, n, k) => {
    const a = randomNumbers(1, m * k);
    const matrix = int8Matrix(n, k, 2);
    const out = await multiply(kernel, { n, k }, m, matrix, {
      [MATMUL.a]: a,
      [MATMUL.out]: new Float32Array(m * n),
    });
    expect(largestDifference(out, linear(a, dequantised(matrix), k, matrix.bias))).toBeLessThan(2e-6 * loose);
  });

  it('gives the same with float weights', async () => {
    const [m, n, k] = [70, 90, 44];
    const a = randomNumbers(3, m * k);
    const matrix: MatrixRows = { values: randomNumbers(4, n * k, 0.3), n, k };
    const out = await multiply(kernel, { n, k }, m, matrix, {
      [MATMUL.a]: a,
      [MATMUL.out]: new Float32Array(m * n),
    });
    expect(largestDifference(out, linear(a, matrix.values, k))).toBeLessThan(3e-6 * loose);
  });

  it('multiplies with the last rows in floats', async () => {
    const [m, n, k] = [19, 23, 20];
    const a = randomNumbers(25, m * k);
    const bytes = int8Matrix(17, k, 26);
    const floats: MatrixRows = {
      ...{ values: randomNumbers(27, 6 * k), bias: randomNumbers(28, 6), n: 6, k },
    };
    const out = await multiply(kernel, { n, k }, m, [bytes, floats], {
      [MATMUL.a]: a,
      [MATMUL.out]: new Float32Array(m * n),
    });
    const [left, right] = [bytes, floats].map((part) => linear(a, dequantised(part), k, part.bias));
    const expected = Float64Array.from({ length: m * n }, (_, i) => {
      const [row, column] = [Math.floor(i / n), i % n];
      return column < 17 ? left![row * 17 + column]! : right![row * 6 + column - 17]!;
    });
    expect(largestDifference(out, expected)).toBeLessThan(3e-6 * loose);
  });

  it.each(['gelu', 'silu'] as const)('applies %s, also far from zero', async (activation) => {
    const [m, n, k] = [9, 10, 8];
    const a = randomNumbers(5, m * k, 300);
    const matrix = int8Matrix(n, k, 6);
    const out = await multiply(kernel, { n, k, activation }, m, matrix, {
      [MATMUL.a]: a,
      [MATMUL.out]: new Float32Array(m * n),
    });
    const expected = linear(a, dequantised(matrix), k, matrix.bias).map(activation === 'gelu' ? gelu : silu);
    expect(largestDifference(out, expected)).toBeLessThan(1e-3 * 0.3 * loose);
  });

  it('modulates by noise level before and gates by it after', async () => {
    const [m, n, k] = [37, 24, 24];
    const tableStride = 9 * k;
    const table = randomNumbers(7, 4 * tableStride);
    const mask = Uint32Array.from(randomNumbers(8, m), (v) => (v > 0 ? 1 : 0));
    const level = (row: number): number => (mask[row] ? 3 : 0);
    const vector = (row: number, slot: number): Float32Array =>
      table.subarray(level(row) * tableStride + slot * k, level(row) * tableStride + (slot + 1) * k);
    const a = randomNumbers(9, m * k);
    const before = randomNumbers(10, m * n);
    const matrix = int8Matrix(n, k, 11);
    const common = { n, k };
    const inputs = { [MATMUL.a]: a, [MATMUL.table]: table, [MATMUL.mask]: mask };
    const modulated = await multiply(
      kernel,
      { ...common, prologue: { kind: 'modulate', tableStride, shift: 3 * k, scale: 4 * k } },
      m,
      matrix,
      { ...inputs, [MATMUL.out]: new Float32Array(m * n) },
      { levelRow: 3 },
    );
    const expected = linear(
      modulate(a, k, (row) => ({ shift: vector(row, 3), scale: vector(row, 4) })),
      dequantised(matrix),
      k,
      matrix.bias,
    );
    expect(largestDifference(modulated, expected)).toBeLessThan(3e-6 * loose);

    const gated = await multiply(
      kernel,
      { ...common, store: { kind: 'gate', tableStride, gate: 5 * k } },
      m,
      matrix,
      { ...inputs, [MATMUL.out]: before },
      { levelRow: 3 },
    );
    const product = linear(a, dequantised(matrix), k, matrix.bias);
    const expectedGated = product.map((v, i) => before[i]! + v * vector(Math.floor(i / n), 5)[i % n]!);
    expect(largestDifference(gated, expectedGated)).toBeLessThan(3e-6 * loose);
  });

  it('normalises heads and gates them before', async () => {
    const [m, n, headLength, heads] = [21, 12, 16, 3];
    const k = headLength * heads;
    const [gateOffset, gateStride] = [20, 80];
    const y = randomNumbers(12, m * k);
    const projection = randomNumbers(13, m * gateStride, 4);
    const gate = Float32Array.from(
      { length: m * k },
      (_, i) => projection[Math.floor(i / k) * gateStride + gateOffset + (i % k)]!,
    );
    const matrix = int8Matrix(n, k, 14);
    const out = await multiply(
      kernel,
      { n, k, prologue: { kind: 'head_gate', headLength, gateOffset, gateStride } },
      m,
      matrix,
      { [MATMUL.a]: y, [MATMUL.extra]: projection, [MATMUL.out]: new Float32Array(m * n) },
    );
    const expected = linear(headGate(y, gate, headLength), dequantised(matrix), k, matrix.bias);
    expect(largestDifference(out, expected)).toBeLessThan(5e-6 * loose);
  });

  it('adds to what is there, and adds another buffer to the first columns', async () => {
    const [m, n, k, outStride] = [10, 6, 8, 11];
    const a = randomNumbers(15, m * k);
    const matrix = int8Matrix(n, k, 16);
    const before = randomNumbers(17, m * outStride);
    const product = linear(a, dequantised(matrix), k, matrix.bias);
    const added = await multiply(kernel, { n, k, outStride, store: { kind: 'add' } }, m, matrix, {
      [MATMUL.a]: a,
      [MATMUL.out]: before,
    });
    const expectedAdded = Float64Array.from(before, (v, i) =>
      i % outStride < n ? v + product[Math.floor(i / outStride) * n + (i % outStride)]! : v,
    );
    expect(largestDifference(added, expectedAdded)).toBeLessThan(2e-6 * loose);

    const extra = randomNumbers(18, m * 5);
    const store = { kind: 'extra', columns: 4, stride: 5 } as const;
    const joined = await multiply(kernel, { n, k, store }, m, matrix, {
      [MATMUL.a]: a,
      [MATMUL.extra]: extra,
      [MATMUL.out]: new Float32Array(m * n),
    });
    const expectedJoined = product.map((v, i) =>
      i % n < 4 ? v + extra[Math.floor(i / n) * 5 + (i % n)]! : v,
    );
    expect(largestDifference(joined, expectedJoined)).toBeLessThan(2e-6 * loose);
  });

  it('takes the sampler step on noised tokens only', async () => {
    const [m, n, k, ratio] = [12, 12, 8, 0.37];
    const a = randomNumbers(19, m * k);
    const matrix = int8Matrix(n, k, 20);
    const latents = randomNumbers(21, m * n);
    const mask = Uint32Array.from({ length: m }, (_, i) => i % 3 && 1);
    const out = await multiply(
      kernel,
      { n, k, store: { kind: 'sample' } },
      m,
      matrix,
      { [MATMUL.a]: a, [MATMUL.mask]: mask, [MATMUL.out]: latents },
      { ratio },
    );
    const product = linear(a, dequantised(matrix), k, matrix.bias);
    const expected = product.map((v, i) =>
      mask[Math.floor(i / n)] ? v + ratio * (latents[i]! - v) : latents[i]!,
    );
    expect(largestDifference(out, expected)).toBeLessThan(2e-6 * loose);
  });

  it('adds place and camera to the embedding', async () => {
    const [frames, gridRows, gridColumns, n, k] = [3, 2, 3, 8, 12];
    const m = frames * gridRows * gridColumns;
    const a = randomNumbers(22, m * k);
    const matrix = int8Matrix(n, k, 23);
    const extra = randomNumbers(24, (gridRows + gridColumns + 1) * n);
    const known = Uint32Array.of(1, 0, 1);
    const out = await multiply(
      kernel,
      { n, k, store: { kind: 'camera', gridRows, gridColumns } },
      m,
      matrix,
      { [MATMUL.a]: a, [MATMUL.mask]: known, [MATMUL.extra]: extra, [MATMUL.out]: new Float32Array(m * n) },
    );
    const product = linear(a, dequantised(matrix), k);
    const expected = product.map((v, i) => {
      const [token, column] = [Math.floor(i / n), i % n];
      const cell = token % (gridRows * gridColumns);
      const camera = known[Math.floor(token / (gridRows * gridColumns))]
        ? v
        : extra[(gridRows + gridColumns) * n + column]!;
      const place =
        extra[Math.floor(cell / gridColumns) * n + column]! +
        extra[(gridRows + (cell % gridColumns)) * n + column]!;
      return camera + matrix.bias![column]! + place;
    });
    expect(largestDifference(out, expected)).toBeLessThan(2e-6 * loose);
  });

  it('normalises, scales and rotates queries and keys and leaves values alone', async () => {
    const [heads, headLength, k] = [3, 16, 24];
    const grid = { rows: 3, columns: 2 };
    const rope = { time: [1, 0.1, 0.01, 0.5], row: [0.9, 0.2], column: [0.7, 0.3] };
    const times = Int32Array.of(-3, 0, 12345);
    const width = heads * headLength;
    const tokens = times.length * 6;
    const a = randomNumbers(30, tokens * k);
    const gains = [randomNumbers(31, headLength), randomNumbers(32, headLength)];
    const matrix = {
      ...int8Matrix(3 * width, k, 33),
      bias: Float32Array.from(
        { length: 3 * width },
        (_, i) => gains[Math.floor(i / width)]?.[i % headLength] ?? 0,
      ),
    };
    const pairs = { time: 4, row: 2, column: 2 };
    const store = { kind: 'heads', columns: 2 * width, headLength, grid, pairs } as const;
    const out = await multiply(kernel, { n: 3 * width, k, store }, tokens, matrix, {
      ...{ [MATMUL.a]: a, [MATMUL.out]: new Float32Array(tokens * 3 * width) },
      [MATMUL.extra]: rotations(grid, rope, times),
    });
    const product = linear(a, dequantised(matrix), k);
    const part = (rows: ArrayLike<number>, kind: number): Float64Array =>
      Float64Array.from(
        { length: tokens * width },
        (_, i) => rows[Math.floor(i / width) * 3 * width + kind * width + (i % width)]!,
      );
    for (const [kind, gain] of gains.entries()) {
      const expected = rotateHeads(part(product, kind), gain, { grid, heads, headLength, rope, times });
      expect(largestDifference(part(out, kind), expected)).toBeLessThan(4e-6 * loose);
    }
    expect(largestDifference(part(out, 2), part(product, 2))).toBeLessThan(2e-6 * loose);
  });
});

describe('packing', () => {
  it('keeps int8 as long as no int8 rows follow float ones', () => {
    const bytes = int8Matrix(17, 20, 26);
    const floats: MatrixRows = { values: randomNumbers(27, 6 * 20), n: 6, k: 20 };
    expect(packMatrix([bytes, floats]).format).toEqual({ kind: 'mixed', split: 17 });
    expect(packMatrix([floats, bytes]).format).toEqual({ kind: 'float' });
    expect(packMatrix([bytes]).format).toEqual({ kind: 'int8' });
  });
});
