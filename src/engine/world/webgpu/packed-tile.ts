import { epilogueBytes, wholeHeads } from './matmul-memory.ts';
import {
  DEFAULT_WORKGROUP,
  type MatmulOptions,
  SQUARED,
  type UnitsVariant,
  type UnitTile,
} from './matmul-options.ts';
import { ceilDivide } from './program.ts';

/** A tile of kernels/matmul-packed.wgsl. `deep`: units of the depth that are on their way together. */
export interface PackedTile extends Required<UnitTile> {
  deep: number;
}

/** Units of both factors that a subgroup holds in registers. */
const HELD_UNITS = 16;

/** The tile as asked, made smaller until it fits in a workgroup and divides the depth evenly. */
export function fittingPacked(
  { unit, subgroup, tile: asked }: UnitsVariant,
  options: MatmulOptions,
): PackedTile {
  const { limits = DEFAULT_WORKGROUP, k } = options;
  const tile = { rise: 1, ...asked };
  tile.n = wholeHeads(options, tile.n);
  if (options.store?.kind === 'gate' && options.store.next) tile.n = SQUARED * ceilDivide(tile.n, SQUARED);
  const result = unit.result === 'f16' ? 2 : 4;
  const jobs = (): number => (tile.m / (unit.m * tile.rise)) * (tile.n / (unit.n * tile.span)) * tile.slices;
  const fits = (): boolean => epilogueBytes(options, tile, tile.slices * result) + 4 * tile.m <= limits.bytes;
  const units = k / unit.k;
  while (tile.m % (unit.m * tile.rise) !== 0 && tile.rise > 1) tile.rise /= 2;
  while (tile.n % (unit.n * tile.span) !== 0 && tile.span > 1) tile.span /= 2;
  while (units % tile.slices !== 0 && tile.slices > 1) tile.slices /= 2;
  while (!fits() && tile.slices > 1) tile.slices /= 2;
  while (!fits() && tile.m > unit.m) {
    tile.m /= 2;
    tile.rise = Math.max(1, tile.rise / 2);
  }
  while (jobs() * subgroup > limits.invocations && tile.slices > 1) tile.slices /= 2;
  while (jobs() * subgroup > limits.invocations && tile.span * unit.n < tile.n) tile.span *= 2;
  while (jobs() * subgroup > limits.invocations && tile.rise * unit.m < tile.m) tile.rise *= 2;
  const most = Math.max(1, Math.floor(HELD_UNITS / (tile.rise + tile.span)));
  const own = units / tile.slices;
  let deep = Math.min(most, own);
  while (own % deep !== 0) deep--;
  return { ...tile, deep };
}

/** Constants of kernels/matmul-packed.wgsl that its tile gives. */
export function packedConstants(
  { unit, subgroup }: UnitsVariant,
  { m, n, slices, span, rise, deep }: PackedTile,
): Record<string, number | string> {
  return {
    ...{ UNIT_M: unit.m, UNIT_N: unit.n, UNIT_K: unit.k, RESULT: unit.result, LEFT: 'a', RIGHT: 'weights' },
    ...{ TILE_M: m, TILE_N: n, SLICES: slices, SPAN: span, RISE: rise, DEEP: deep },
    ...{ SUBGROUP: subgroup, STAGED: 1 },
  };
}
