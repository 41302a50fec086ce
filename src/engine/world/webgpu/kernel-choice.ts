import {
  DEFAULT_WORKGROUP,
  type MatmulOptions,
  type MatmulVariant,
  type MatrixUnit,
  type Tile,
  type UnitTile,
  type WeightFormat,
  type WorkgroupLimits,
} from './matmul-program.ts';

/**
 * What the large matrix products are made with: f32 numbers; f16 numbers in workgroup memory and f32 sums; or the device's
 * matrix units with f16 numbers.
 */
export type Arithmetic = 'f32' | 'f16' | 'matrix-units';

/** The matrix units that a device has and how large a subgroup can be on it. */
export interface UnitsChoice {
  unit: MatrixUnit;
  subgroup: number;
  /** What the units multiply; `f32` only where tests put something else in the units' place. */
  number: 'f16' | 'f32';
}

/** How a model's matrix products are made on a device. */
export interface KernelChoice {
  arithmetic: Arithmetic;
  limits: WorkgroupLimits;
  /** Given where `arithmetic` is `matrix-units`. */
  units?: UnitsChoice | undefined;
  /** Tiles by `shapeKey`, where they were tuned. */
  tiles?: ReadonlyMap<string, Tile | UnitTile>;
}

/** Works on every device. */
export const PLAIN_KERNELS: KernelChoice = { arithmetic: 'f32', limits: DEFAULT_WORKGROUP };

/** Tiles of matrix units before tuning: 16 rows or a unit's, 64 columns, two units side by side a subgroup. */
export function defaultUnitTile({ unit }: UnitsChoice): UnitTile {
  return { m: Math.max(16, unit.m), n: Math.max(64, unit.n), slices: 2, span: Math.ceil(16 / unit.n) };
}

/**
 * Matrices that only a small part of a pass is spent on (level table, camera) stay in f32: what they give is used by every
 * token.
 */
export function isLarge(matrix: string): boolean {
  return /^(layers\.\d+\.(projection|pose|scanOut|qkv|attentionOut|mlpUp|mlpDown)|finalProj)$/.test(matrix);
}

/** Whether matrix units can make a product with this epilogue: a head must be whole units. */
export function fitsUnits({ unit }: UnitsChoice, headLength: number, matrix: string): boolean {
  return isLarge(matrix) && (!matrix.endsWith('.qkv') || headLength % unit.n === 0);
}

/** What two matrix products have in common that can use the same tile. */
export function shapeKey({ n, k, prologue, store, weight }: MatmulOptions, rows: number): string {
  return `${prologue?.kind ?? 'plain'} ${rows}×${k}→${n} ${store?.kind ?? 'set'} ${weight.kind}`;
}

/** The kernel for a product of a matrix that is stored as `weight`. */
export function variantFor(
  choice: KernelChoice,
  matrix: string,
  options: MatmulOptions,
  rows: number,
): MatmulVariant {
  const tuned = choice.tiles?.get(shapeKey(options, rows));
  if (options.weight.kind === 'half') {
    const units = choice.units!;
    const tile = tuned && 'span' in tuned ? tuned : defaultUnitTile(units);
    return { kind: 'units', ...units, tile };
  }
  const half = choice.arithmetic !== 'f32' && isLarge(matrix);
  const tile = tuned && 'k' in tuned ? { tile: tuned } : half ? { tile: HALF_TILE } : {};
  return { kind: 'tile', number: half ? 'f16' : 'f32', ...tile };
}

/** Twice as deep as the default for f32: the same memory. */
const HALF_TILE: Tile = { m: 16, n: 64, k: 32, slices: 1 };

/** Weight formats of a device whose matrix units are used, by matrix; others keep theirs. */
export type FormatRule = (matrix: string, stored: WeightFormat) => WeightFormat;
