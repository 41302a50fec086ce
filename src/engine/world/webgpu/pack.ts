import type { WeightFormat } from './matmul-options.ts';

/** Rows of a weight matrix: int8 with one scale a row, or plain floats. */
export interface MatrixRows {
  /** [n, k] */
  values: Int8Array | Float32Array;
  /** [n]; absent for plain floats. */
  scales?: Float32Array;
  /** [n]; absent means zero. */
  bias?: Float32Array;
  n: number;
  k: number;
}

/** A matrix as kernels/matmul.wgsl reads it. */
export interface PackedMatrix {
  format: WeightFormat;
  n: number;
  k: number;
  /** [⌈k/4⌉, n] groups of four numbers along k, zero beyond k; only the int8 rows where the format is mixed. */
  weights: Uint32Array | Float32Array;
  /** The float rows where the format is mixed. */
  tail?: Float32Array;
  /** [n, 2]: scale, bias. */
  columns: Float32Array;
}

/**
 * Stacks matrices with equal k on top of each other and packs them for the matmul kernel. int8 stays int8 as long as
 * no int8 part comes after a float one.
 */
export function packMatrix(parts: readonly MatrixRows[]): PackedMatrix {
  const k = parts[0]!.k;
  const isFloat = (part: MatrixRows): boolean => part.values instanceof Float32Array;
  const firstFloat = parts.findIndex(isFloat);
  const bytes = firstFloat < 0 ? parts : parts.slice(0, firstFloat);
  const floats = firstFloat < 0 ? [] : parts.slice(firstFloat);
  if (!floats.every(isFloat)) return packMatrix(parts.map(expanded));
  const split = bytes.reduce((sum, part) => sum + part.n, 0);
  const n = parts.reduce((sum, part) => sum + part.n, 0);
  const columns = new Float32Array(2 * n);
  let at = 0;
  for (const part of parts) {
    for (let row = 0; row < part.n; row++, at += 2) {
      columns[at] = part.scales?.[row] ?? 1;
      columns[at + 1] = part.bias?.[row] ?? 0;
    }
  }
  const common = { n, k, columns };
  if (split === 0) return { ...common, format: { kind: 'float' }, weights: packFloats(floats, k, n) };
  const weights = packBytes(bytes, k, split);
  if (split === n) return { ...common, format: { kind: 'int8' }, weights };
  return { ...common, format: { kind: 'mixed', split }, weights, tail: packFloats(floats, k, n - split) };
}

function packBytes(parts: readonly MatrixRows[], k: number, n: number): Uint32Array {
  const packed = new Int8Array(Math.ceil(k / 4) * 4 * n);
  fill(packed, parts, k, n);
  return new Uint32Array(packed.buffer);
}

function packFloats(parts: readonly MatrixRows[], k: number, n: number): Float32Array {
  const packed = new Float32Array(Math.ceil(k / 4) * 4 * n);
  fill(packed, parts, k, n);
  return packed;
}

function fill(packed: Int8Array | Float32Array, parts: readonly MatrixRows[], k: number, n: number): void {
  let column = 0;
  for (const { values, n: rows } of parts) {
    for (let row = 0; row < rows; row++, column++) {
      for (let i = 0; i < k; i++) packed[((i >> 2) * n + column) * 4 + (i & 3)] = values[row * k + i]!;
    }
  }
}

/** The part as plain floats. */
function expanded({ values, scales, bias, n, k }: MatrixRows): MatrixRows {
  const floats = Float32Array.from(values, (value, i) => value * (scales?.[Math.floor(i / k)] ?? 1));
  return { values: floats, ...(bias ? { bias } : {}), n, k };
}
