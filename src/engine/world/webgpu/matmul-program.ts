import { epilogueBytes, prologueBytes, wholeHeads } from './matmul-memory.ts';
import {
  DEFAULT_WORKGROUP,
  isPacked,
  MATMUL,
  type MatmulOptions,
  type MatrixUnit,
  SQUARED,
  type Tile,
  type UnitsVariant,
  type UnitTile,
} from './matmul-options.ts';
import { fittingPacked, packedConstants } from './packed-tile.ts';
import { type Access, ceilDivide, type Program, type Workgroups } from './program.ts';

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

function tileConstants(options: MatmulOptions): Record<string, number | string> {
  const { m, n, k, slices } = fittingTile(options);
  const staged = isStaged(options, slices);
  return {
    ...{ TILE_M: m, TILE_N: n, TILE_K: k, SLICES: slices, STAGED: staged ? 1 : 0, RESULT: 'f32' },
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

/** Outputs, or pairs of them, for which an invocation keeps what the epilogue needs through the whole product. */
const MOST_EARLY = 4;

/** @param outputs of an invocation */
function early({ store }: MatmulOptions, outputs: number): number {
  const each = store?.kind === 'heads' ? outputs / 2 : outputs;
  return Number.isInteger(each) && each <= MOST_EARLY ? each : 0;
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
