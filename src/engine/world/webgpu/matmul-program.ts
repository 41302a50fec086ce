import { fittingPacked, packedConstants } from './packed-tile.ts';
import { type Access, ceilDivide, type Program, type Workgroups } from './program.ts';

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

/** kernels/matmul.wgsl, kernels/matmul-units.wgsl or, where activations come packed, kernels/matmul-packed.wgsl. */
export function matmulProgram(options: MatmulOptions): Program {
  const { n, k, weight, variant } = options;
  const prologue = options.prologue ?? { kind: 'plain' };
  const store = options.store ?? { kind: 'set' };
  const bindings: Record<number, Access> = {
    [MATMUL.a]: 'read',
    [MATMUL.weights]: 'read',
    [MATMUL.columns]: 'read',
    [MATMUL.out]: 'write',
  };
  const constants: Record<string, number | string> = {
    ...{ N: n, K: k, WEIGHT: weight.kind, OUT_STRIDE: options.outStride ?? n },
    ...{ NUMBER: variant?.number ?? 'f32', ACTIVATION: options.activation ?? 'none' },
    ...{ A_VECTOR: k % 4 === 0 ? 1 : 0, PROLOGUE: prologue.kind, STORE: store.kind, TABLE_STRIDE: 0 },
    ...{ PACKED: isPacked(options) ? 1 : 0, UNITS: variant?.kind === 'units' ? 1 : 0, NEXT: 0, SQUARED },
    NARROW: store.kind === 'packed' || (store.kind === 'heads' && store.narrow) ? 1 : 0,
    ...variantConstants(options),
  };
  if (weight.kind === 'mixed') {
    constants['SPLIT'] = weight.split;
    bindings[MATMUL.tail] = 'read';
  }
  if (prologue.kind === 'modulate') {
    Object.assign(constants, {
      TABLE_STRIDE: prologue.tableStride,
      TABLE_SHIFT: prologue.shift,
      TABLE_SCALE: prologue.scale,
    });
    Object.assign(bindings, { [MATMUL.table]: 'read', [MATMUL.mask]: 'read' });
  } else if (prologue.kind === 'head_gate') {
    constants['HEAD_LENGTH'] = prologue.headLength;
    Object.assign(constants, { EXTRA_OFFSET: prologue.gateOffset, EXTRA_STRIDE: prologue.gateStride });
    bindings[MATMUL.extra] = 'read';
  } else if (prologue.kind === 'packed_modulated') {
    Object.assign(bindings, { [MATMUL.mask]: 'read', [MATMUL.squares]: 'read', [MATMUL.shifts]: 'read' });
  } else if (prologue.kind === 'plain') {
    Object.assign(constants, { A_STRIDE: prologue.stride ?? k, A_OFFSET: prologue.offset ?? 0 });
  }
  if (store.kind === 'extra') {
    Object.assign(constants, { EXTRA_COLUMNS: store.columns, EXTRA_STRIDE: store.stride });
    bindings[MATMUL.extra] = 'read';
  } else if (store.kind === 'gate') {
    Object.assign(constants, { TABLE_STRIDE: store.tableStride, TABLE_GATE: store.gate });
    Object.assign(bindings, { [MATMUL.table]: 'read', [MATMUL.mask]: 'read' });
    if (store.next) {
      Object.assign(constants, { NEXT: 1, NEXT_BASE: store.next.base, NEXT_STRIDE: store.next.stride });
      bindings[MATMUL.next] = 'write';
    }
  } else if (store.kind === 'sample') {
    bindings[MATMUL.mask] = 'read';
  } else if (store.kind === 'camera') {
    Object.assign(constants, { GRID_ROWS: store.gridRows, GRID_COLUMNS: store.gridColumns });
    Object.assign(bindings, { [MATMUL.mask]: 'read', [MATMUL.extra]: 'read' });
  } else if (store.kind === 'heads') {
    const { grid, pairs } = store;
    Object.assign(constants, { HEAD_COLUMNS: store.columns, HEAD_LENGTH: store.headLength });
    Object.assign(constants, { GRID_ROWS: grid.rows, GRID_COLUMNS: grid.columns });
    Object.assign(constants, { TIME_PAIRS: pairs.time, ROW_PAIRS: pairs.row, COLUMN_PAIRS: pairs.column });
    bindings[MATMUL.extra] = 'read';
  }
  const file = isPacked(options) ? 'matmul-packed.wgsl' : 'matmul-units.wgsl';
  return { file: variant?.kind === 'units' ? file : 'matmul.wgsl', constants, bindings };
}

/** Whether a product takes packed activations. */
export function isPacked({ prologue }: MatmulOptions): boolean {
  return prologue?.kind === 'packed' || prologue?.kind === 'packed_modulated';
}

function variantConstants(options: MatmulOptions): Record<string, number | string> {
  const { variant } = options;
  if (variant?.kind !== 'units') return tileConstants(options);
  if (!isPacked(options)) return unitConstants(variant, options);
  const { subgroup, unit } = variant;
  const tile = fittingPacked(variant, options);
  const invocations =
    (tile.m / (unit.m * tile.rise)) * (tile.n / (unit.n * tile.span)) * tile.slices * subgroup;
  return { ...packedConstants(variant, tile), EARLY: early(options, (tile.m * tile.n) / invocations) };
}

/** @param rows rows of the activations */
export function matmulWorkgroups(options: MatmulOptions, rows: number): Workgroups {
  const { variant } = options;
  const tile = variant?.kind === 'units' ? fittingOnUnits(variant, options) : fittingTile(options);
  return [ceilDivide(options.n, tile.n), ceilDivide(rows, tile.m), 1];
}

function fittingOnUnits(variant: UnitsVariant, options: MatmulOptions): UnitTile {
  return isPacked(options) ? fittingPacked(variant, options) : fittingUnits(variant, options);
}

function tileConstants(options: MatmulOptions): Record<string, number> {
  const { m, n, k, slices } = fittingTile(options);
  const staged = isStaged(options, slices);
  return {
    ...{ TILE_M: m, TILE_N: n, TILE_K: k, SLICES: slices, STAGED: staged ? 1 : 0 },
    EARLY: staged ? early(options, (m * n) / ((m / 4) * (n / 4) * slices)) : 0,
  };
}

/** The tile a matmul uses: as asked, made smaller until it fits in a workgroup. */
function fittingTile(options: MatmulOptions): Tile {
  const { variant, limits = DEFAULT_WORKGROUP } = options;
  const asked = variant?.kind === 'tile' ? variant.tile : undefined;
  const tile = { ...(asked ?? { m: 16, n: 64, k: 16, slices: 1 }) };
  tile.n = wholeHeads(options, tile.n);
  const number = variant?.number === 'f16' ? 2 : 4;
  const invocations = (): number => (tile.m / 4) * (tile.n / 4) * tile.slices;
  const fits = (): boolean => {
    const staged = tile.slices * tile.k * (tile.m + 1 + tile.n) * number;
    const bytes = staged + epilogueBytes(options, tile, isStaged(options, tile.slices) ? 4 : 0);
    return (
      bytes + prologueBytes(options, tile.m, invocations()) <= limits.bytes &&
      invocations() <= limits.invocations
    );
  };
  while (!fits() && tile.slices > 1) tile.slices /= 2;
  while (!fits() && tile.m > 4) tile.m /= 2;
  while (!fits() && tile.k > 4) tile.k /= 2;
  return tile;
}

function unitConstants(variant: UnitsVariant, options: MatmulOptions): Record<string, number | string> {
  const { unit, subgroup } = variant;
  const tile = fittingUnits(variant, options);
  return {
    ...{
      UNIT_M: unit.m,
      UNIT_N: unit.n,
      UNIT_K: unit.k,
      RESULT: unit.result,
      LEFT: 'factors',
      RIGHT: 'weights',
    },
    ...{ TILE_M: tile.m, TILE_N: tile.n, SLICES: tile.slices, SPAN: tile.span, DEPTH: tile.depth },
    ...{ SUBGROUP: subgroup, STAGED: 1 },
    EARLY: early(options, (tile.m * tile.n) / (unitJobs(unit, tile) * subgroup)),
    ...{ UNITS_DOWN: tile.m / unit.m, UNITS_DEEP: tile.depth / tile.slices / unit.k },
  };
}

/** Jobs of a workgroup's subgroups. */
function unitJobs(unit: MatrixUnit, { n, slices, span }: UnitTile): number {
  return (n / (unit.n * span)) * slices;
}

/** Outputs for which an invocation keeps what the epilogue needs through the whole product. */
const MOST_EARLY = 4;

/** @param outputs of an invocation */
function early({ store }: MatmulOptions, outputs: number): number {
  const even = Number.isInteger(outputs) && outputs <= MOST_EARLY;
  return even && store?.kind !== 'heads' ? outputs : 0;
}

/** Units of weights that a subgroup holds in registers. */
const HELD_UNITS = 16;

/** The tile as asked, made smaller until it fits in a workgroup, and the depth of `a` that fits beside it. */
function fittingUnits(
  { unit, subgroup, number, tile: asked }: UnitsVariant,
  options: MatmulOptions,
): UnitTile & { depth: number } {
  const { limits = DEFAULT_WORKGROUP } = options;
  const tile = { ...asked };
  tile.n = wholeHeads(options, tile.n);
  const size = number === 'f16' ? 2 : 4;
  const result = unit.result === 'f16' ? 2 : 4;
  const jobs = (): number => unitJobs(unit, tile);
  const depth = (): number => {
    const step = tile.slices * unit.k;
    const left =
      limits.bytes -
      epilogueBytes(options, tile, tile.slices * result) -
      prologueBytes(options, tile.m, jobs() * subgroup);
    const inMemory = Math.floor((left / size / tile.m - 8) / step) * step;
    const inRegisters = Math.max(1, Math.floor(HELD_UNITS / tile.span)) * step;
    const most = Math.min(inMemory, inRegisters, ceilDivide(options.k, step) * step);
    // As many equal turns as the largest depth would take.
    return most > 0 ? step * ceilDivide(options.k, step * ceilDivide(options.k, most)) : most;
  };
  const tooMany = (): boolean => jobs() * subgroup > limits.invocations;
  while (tile.n % (unit.n * tile.span) !== 0 && tile.span > 1) tile.span /= 2;
  while (tooMany() && tile.slices > 1) tile.slices /= 2;
  while (tooMany() && tile.span * unit.n < tile.n) tile.span *= 2;
  while (depth() <= 0 && tile.slices > 1) tile.slices /= 2;
  while (depth() <= 0 && tile.m > unit.m) tile.m /= 2;
  return { ...tile, depth: depth() };
}

/** Whether sums go through workgroup memory before they are stored. */
function isStaged({ store }: MatmulOptions, slices: number): boolean {
  return slices > 1 || store?.kind === 'heads';
}

/** A tile of whole heads where the epilogue needs them. */
export function wholeHeads({ store }: MatmulOptions, n: number): number {
  return store?.kind === 'heads' ? Math.max(1, Math.floor(n / store.headLength)) * store.headLength : n;
}

/** @param each bytes kept of a tile's number before it is stored */
export function epilogueBytes(
  { store }: MatmulOptions,
  tile: { m: number; n: number },
  each: number,
): number {
  const squares = store?.kind === 'heads' ? (16 * tile.m * tile.n) / store.headLength : 0;
  return tile.m * tile.n * each + squares;
}

function prologueBytes({ prologue, k }: MatmulOptions, rows: number, invocations: number): number {
  if (prologue?.kind === 'modulate') return 4 * (invocations + rows);
  return prologue?.kind === 'head_gate' ? 4 * rows * (k / prologue.headLength) : 0;
}
