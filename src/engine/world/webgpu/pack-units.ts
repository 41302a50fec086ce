import { toHalf } from './half.ts';
import type { MatrixUnit } from './matmul-options.ts';
import type { MatrixRows, PackedMatrix } from './pack.ts';

/** f16 bits of the int8 numbers −128 … 127, divided by 128: exact. */
const INT8_HALVES = Uint16Array.from({ length: 256 }, (_, i) => toHalf((i - 128) / 128));

/**
 * Stacks matrices with equal k on top of each other and lays them out for kernels/matmul-units.wgsl: unit after unit
 * along k, [⌈n/unit.n⌉, ⌈k/unit.k⌉, unit.n, unit.k], zero beyond n and k. A column's numbers lie together because an invocation
 * multiplies neighbours along k: two f16 numbers in one load. Numbers are at most 1 in magnitude; the rest of a number is in
 * its column's scale.
 * @param number `f16` packs two numbers a word
 */
export function packForUnits(
  parts: readonly MatrixRows[],
  unit: Pick<MatrixUnit, 'n' | 'k'>,
  number: 'f16' | 'f32',
): PackedMatrix {
  const k = parts[0]!.k;
  const n = parts.reduce((sum, part) => sum + part.n, 0);
  const deep = Math.ceil(k / unit.k);
  const count = Math.ceil(n / unit.n) * unit.n * deep * unit.k;
  const halves = new Uint16Array(number === 'f16' ? Math.ceil(count / 2) * 2 : 0);
  const floats = new Float32Array(number === 'f32' ? count : 0);
  const columns = new Float32Array(2 * n);
  let column = 0;
  for (const { values, scales, bias, n: rows } of parts) {
    const bytes = values instanceof Int8Array;
    for (let row = 0; row < rows; row++, column++) {
      const most = bytes ? 128 : largest(values, row * k, k);
      columns[2 * column] = most * (scales?.[row] ?? 1);
      columns[2 * column + 1] = bias?.[row] ?? 0;
      const firstUnit = Math.floor(column / unit.n) * deep;
      for (let i = 0; i < k; i++) {
        const value = values[row * k + i]!;
        const at =
          ((firstUnit + Math.floor(i / unit.k)) * unit.n + (column % unit.n)) * unit.k + (i % unit.k);
        if (number === 'f32') floats[at] = value / most;
        else halves[at] = bytes ? INT8_HALVES[value + 128]! : toHalf(value / most);
      }
    }
  }
  const weights = number === 'f16' ? new Uint32Array(halves.buffer) : floats;
  return { format: { kind: 'half' }, n, k, columns, weights };
}

/** Largest magnitude of `count` numbers; 1 where all are zero. */
function largest(values: Int8Array | Float32Array, start: number, count: number): number {
  let most = 0;
  for (let i = start; i < start + count; i++) most = Math.max(most, Math.abs(values[i]!));
  return most || 1;
}
