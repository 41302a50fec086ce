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

/** What matrix products have in common that use the same tile. @param rows by which it is chosen */
export function shapeKey({ n, k, prologue, store, weight }: MatmulOptions, rows: number): string {
  return `${prologue?.kind ?? 'plain'} ${rows}×${k}→${n} ${store?.kind ?? 'set'} ${weight.kind}`;
}

/** The kernel for a product of a matrix that is stored as `weight`. @param key `shapeKey` of the product */
export function variantFor(
  choice: KernelChoice,
  matrix: string,
  weight: WeightFormat,
  key: string,
): MatmulVariant {
  const tuned = choice.tiles?.get(key);
  if (weight.kind === 'half') {
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

/** What is tried in place of an arithmetic that a device cannot do. */
export function fallbacks(arithmetic: Arithmetic): Arithmetic[] {
  const all: Arithmetic[] = ['matrix-units', 'f16', 'f32'];
  return all.slice(all.indexOf(arithmetic));
}

/** The kernels for a device; null when it lacks what the arithmetic needs. */
export function chooseKernels(device: GPUDevice, arithmetic: Arithmetic): KernelChoice | null {
  const { maxComputeWorkgroupStorageSize: bytes, maxComputeInvocationsPerWorkgroup: invocations } =
    device.limits;
  const limits = { bytes, invocations };
  if (arithmetic === 'f32') return { arithmetic, limits };
  if (!device.features.has('shader-f16')) return null;
  if (arithmetic === 'f16') return { arithmetic, limits };
  const units = unitsOf(device);
  return units && { arithmetic, limits, units };
}

interface MatrixConfig {
  componentType: string;
  resultComponentType: string;
  M: number;
  N: number;
  K: number;
}

/** The largest unit for f16 numbers, one with f32 sums before one with f16 sums. */
function unitsOf(device: GPUDevice): UnitsChoice | null {
  const needed = ['subgroups', 'chromium-experimental-subgroup-matrix'];
  if (!needed.every((feature) => device.features.has(feature))) return null;
  const info = device.adapterInfo as GPUAdapterInfo & {
    subgroupMatrixConfigs?: Iterable<MatrixConfig>;
    subgroupMaxSize?: number;
  };
  const size = ({ M, N, K }: MatrixConfig): number => M * N * K;
  const [config] = [...(info.subgroupMatrixConfigs ?? [])]
    .filter(({ componentType, M, N }) => componentType === 'f16' && M <= 32 && 64 % N === 0)
    .sort((a, b) => {
      const wide = Number(b.resultComponentType === 'f32') - Number(a.resultComponentType === 'f32');
      return wide || size(b) - size(a);
    });
  if (!config || !info.subgroupMaxSize) return null;
  const result = config.resultComponentType === 'f32' ? 'f32' : 'f16';
  const unit = { m: config.M, n: config.N, k: config.K, result } as const;
  return { unit, subgroup: info.subgroupMaxSize, number: 'f16' };
}
