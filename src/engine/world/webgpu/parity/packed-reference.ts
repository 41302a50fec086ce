import type { Numbers } from './reference.ts';

/** How activations lie where they are packed (kernels/packed.wgsl). */
export interface Packing {
  unitM: number;
  unitK: number;
  columns: number;
}

/** As in kernels/packed.wgsl. */
export const HEADROOM = 0.0625;

/** Where a number lies. */
function packedAt(row: number, column: number, { unitM, unitK, columns }: Packing): number {
  const unit = Math.floor(row / unitM) * (columns / unitK) + Math.floor(column / unitK);
  return (unit * unitM + (row % unitM)) * unitK + (column % unitK);
}

/** The first rows of packed numbers, row after row. */
export function unpacked(numbers: Numbers, rows: number, packing: Packing): Float64Array {
  const { columns } = packing;
  return Float64Array.from(
    { length: rows * columns },
    (_, i) => numbers[packedAt(Math.floor(i / columns), i % columns, packing)]!,
  );
}

/** Rows as they lie packed; what is past them is as it was `before`. */
export function packed(numbers: Numbers, before: Numbers, packing: Packing): Float64Array {
  const out = Float64Array.from(before);
  const { columns } = packing;
  for (let i = 0; i < numbers.length; i++) {
    out[packedAt(Math.floor(i / columns), i % columns, packing)] = numbers[i]!;
  }
  return out;
}
