/**
 * Sizes of a matmul on register tiles: rows and columns of a workgroup's outputs, depth that one slice of its invocations
 * adds up at a time; all multiples of 4. `slices` parts of the depth are added up side by side.
 */
export interface Tile {
  m: number;
  n: number;
  k: number;
  slices: number;
}

/** One product that a device's matrix units make: m × k numbers by k × n. */
export interface MatrixUnit {
  m: number;
  n: number;
  k: number;
  /** Type of the sums. */
  result: 'f32' | 'f16';
}

/** Sizes of a matmul on matrix units, in numbers: multiples of the unit's sizes. */
export interface UnitTile {
  m: number;
  n: number;
  /** Parts of the depth that subgroups add up side by side. */
  slices: number;
  /** Units side by side that one subgroup makes. */
  span: number;
  /** Units one below the other that it makes, where both factors come packed: 1 unless given; all rows of the tile elsewhere. */
  rise?: number;
}

/** Which kernel makes a matrix product, and how it is cut up. */
export type MatmulVariant =
  | { kind: 'tile'; number: 'f32' | 'f16'; tile?: Tile }
  | { kind: 'units'; number: 'f16' | 'f32'; unit: MatrixUnit; subgroup: number; tile: UnitTile };

export type UnitsVariant = Extract<MatmulVariant, { kind: 'units' }>;

/** What a workgroup may use. */
export interface WorkgroupLimits {
  bytes: number;
  invocations: number;
}

export const DEFAULT_WORKGROUP: WorkgroupLimits = { bytes: 16384, invocations: 256 };

/**
 * How a matrix's numbers are stored: `mixed` has int8 in the first `split` rows and floats in the others; `half` is laid
 * out for matrix units.
 */
export type WeightFormat = { kind: 'int8' | 'float' | 'half' } | { kind: 'mixed'; split: number };

export type Prologue =
  /** Rows of the activations are `stride` numbers apart (k unless given), the first begins at `offset`; multiples of 4. */
  | { kind: 'plain'; stride?: number; offset?: number }
  /** Packed for matrix units; `packed_modulated` leaves the norm and the shift of `modulate` to the epilogue. */
  | { kind: 'packed' | 'packed_modulated' }
  | { kind: 'modulate'; tableStride: number; shift: number; scale: number }
  | { kind: 'head_gate'; headLength: number; gateOffset: number; gateStride: number };

/** Queries and keys of attention: heads in the columns below `columns`, and by what their pairs are rotated. */
export interface HeadsStore {
  kind: 'heads';
  columns: number;
  headLength: number;
  grid: { rows: number; columns: number };
  pairs: { time: number; row: number; column: number };
  /** Left as what matrix units multiply. */
  narrow?: boolean;
}

/** Where the table has what the next product's factors are scaled by, and how far apart its rows are there. */
export interface NextScale {
  base: number;
  stride: number;
}

export type Store =
  | { kind: 'set' | 'add' | 'packed' | 'unbiased' }
  | { kind: 'extra'; columns: number; stride: number }
  | { kind: 'gate'; tableStride: number; gate: number; next?: NextScale }
  | { kind: 'sample' }
  | { kind: 'camera'; gridRows: number; gridColumns: number }
  | HeadsStore;

export interface MatmulOptions {
  /** Columns of the result, length of the sums. */
  n: number;
  k: number;
  weight: WeightFormat;
  outStride?: number;
  activation?: 'none' | 'gelu' | 'silu';
  prologue?: Prologue;
  store?: Store;
  /** Register tiles of f32 numbers unless given. */
  variant?: MatmulVariant;
  /** The default limits unless given. */
  limits?: WorkgroupLimits;
}

/** Binding numbers of the matmul family. */
export const MATMUL = {
  ...{ a: 0, weights: 1, columns: 2, out: 3, table: 4, mask: 5, extra: 6, tail: 7 },
  ...{ next: 8, squares: 9, shifts: 10 },
} as const;

/** Numbers of a row whose squares are added up together for the norm of packed activations. */
export const SQUARED = 16;

/** Whether a product takes packed activations. */
export function isPacked({ prologue }: MatmulOptions): boolean {
  return prologue?.kind === 'packed' || prologue?.kind === 'packed_modulated';
}
