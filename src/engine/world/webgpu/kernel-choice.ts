import { adapterInfoOf, type MatrixConfig } from './device.ts';
import {
  DEFAULT_WORKGROUP,
  isPacked,
  type MatmulOptions,
  type MatmulVariant,
  type MatrixUnit,
  type Tile,
  type UnitTile,
  type WeightFormat,
  type WorkgroupLimits,
} from './matmul-options.ts';
import { ceilDivide } from './program.ts';
import type { ScanSplit } from './programs.ts';
import { isSoftwareInfo } from './software-adapter.ts';

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
  /** Products leave what the next one multiplies as the units take it (hand-over.ts). */
  packed?: boolean;
}

/** How a model's matrix products are made on a device. */
export interface KernelChoice {
  arithmetic: Arithmetic;
  limits: WorkgroupLimits;
  /** Given where `arithmetic` is `matrix-units`. */
  units?: UnitsChoice | undefined;
  /** Whether it is a graphics card, which wants many invocations; processors compile and run small kernels faster. */
  card?: boolean;
  /** Tiles by `shapeKey`, where they were tuned. */
  tiles?: ReadonlyMap<string, Tile | UnitTile>;
  /** Most subgroups of attention straight from memory; 0: by way of workgroup memory. The kernel's own unless given. */
  attentionSubgroups?: number;
  /** How scans that go token after token are cut up. */
  scan?: ScanSplit;
}

/** Works on every device. */
export const PLAIN_KERNELS: KernelChoice = { arithmetic: 'f32', limits: DEFAULT_WORKGROUP };

/** From so many rows on a product has tiles enough to fill a card, and larger ones read less. */
export const MANY_ROWS = 1024;

/**
 * Tiles of matrix units before tuning: 16 rows or a unit's and 64 columns, of many rows twice as many columns (on an H100
 * faster than more rows too, for nearly every shape: bench/kernel-variants.ts).
 */
export function defaultUnitTile({ unit }: UnitsChoice, rows: number): UnitTile {
  const [m, n] = [Math.max(16, unit.m), Math.max(64, unit.n)];
  const span = Math.ceil(16 / unit.n);
  return rows < MANY_ROWS ? { m, n, slices: 2, span } : { m, n: 2 * n, slices: 1, span: 2 * span };
}

/**
 * Tiles of products whose factors both come packed, before tuning: of few rows so many workgroups that every multiprocessor has
 * some, of many the ones that were fastest on an H100 for five shapes of seven and close to it for the others (bench/kernel-variants.ts).
 */
export function defaultPackedTile({ unit }: UnitsChoice, { n, k }: MatmulOptions, rows: number): UnitTile {
  const across = (numbers: number): number => Math.max(1, numbers / unit.n);
  const down = (numbers: number): number => Math.max(1, numbers / unit.m);
  if (rows >= MANY_ROWS) return { m: 32, n: 64, slices: 1, span: across(16), rise: down(32) };
  const narrow = ceilDivide(rows, 32) * ceilDivide(n, 64) < FEW_TILES;
  if (narrow) return { m: 16, n: 32, slices: k >= 512 ? 8 : 4, span: across(32), rise: down(16) };
  return { m: 32, n: 64, slices: 2, span: across(32), rise: down(32) };
}

/** Tiles that leave multiprocessors of a large card without work. */
const FEW_TILES = 100;

/** Register tiles before tuning. @param deep how much deeper a step is than of f32 numbers */
function defaultTile({ card, limits }: KernelChoice, deep: number, rows: number): Tile {
  if (!card || rows >= MANY_ROWS) return { m: card ? 64 : 16, n: 64, k: 16 * deep, slices: 1 };
  return { m: 16, n: 64, k: (limits.bytes < 32768 ? 8 : 16) * deep, slices: 4 };
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

/**
 * The kernel for a product of a matrix that is stored as `weight`.
 * @param key `shapeKey` of the product
 * @param rows by which its tile is chosen
 * @param options of the product
 */
export function variantFor(
  choice: KernelChoice,
  matrix: string,
  weight: WeightFormat,
  key: string,
  rows: number,
  options: MatmulOptions,
): MatmulVariant {
  const tuned = choice.tiles?.get(key);
  if (weight.kind === 'half') {
    const units = choice.units!;
    const untuned = isPacked(options)
      ? defaultPackedTile(units, options, rows)
      : defaultUnitTile(units, rows);
    const tile = tuned && 'span' in tuned ? tuned : untuned;
    return { kind: 'units', ...units, tile };
  }
  const half = choice.arithmetic !== 'f32' && isLarge(matrix);
  const tile = tuned && 'k' in tuned ? tuned : defaultTile(choice, half ? 2 : 1, rows);
  return { kind: 'tile', number: half ? 'f16' : 'f32', tile };
}

/** What is tried in place of an arithmetic that a device cannot do. */
export function fallbacks(arithmetic: Arithmetic): Arithmetic[] {
  const all: Arithmetic[] = ['matrix-units', 'f16', 'f32'];
  return all.slice(all.indexOf(arithmetic));
}

/**
 * Twice as many workgroups as elsewhere: a block and head is few for a card. On an H100 a scan of 40 tokens a block takes 21
 * µs instead of 29, and eight rollouts at once as long as before.
 */
const CARD_SCAN: ScanSplit = { columns: 32, parts: 4 };

/** The kernels for a device; null when it lacks what the arithmetic needs. */
export function chooseKernels(device: GPUDevice, arithmetic: Arithmetic): KernelChoice | null {
  const { maxComputeWorkgroupStorageSize: bytes, maxComputeInvocationsPerWorkgroup: invocations } =
    device.limits;
  const card = !isSoftwareInfo(device.adapterInfo);
  const common = { limits: { bytes, invocations }, card, ...(card ? { scan: CARD_SCAN } : {}) };
  if (arithmetic === 'f32') return { arithmetic, ...common };
  if (!device.features.has('shader-f16')) return null;
  if (arithmetic === 'f16') return { arithmetic, ...common };
  const units = unitsOf(device);
  return units && { arithmetic, ...common, units };
}

/** The largest unit for f16 numbers, one with f32 sums before one with f16 sums. */
function unitsOf(device: GPUDevice): UnitsChoice | null {
  const needed = ['subgroups', 'chromium-experimental-subgroup-matrix'];
  if (!needed.every((feature) => device.features.has(feature))) return null;
  const info = adapterInfoOf(device);
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
  return { unit, subgroup: info.subgroupMaxSize, number: 'f16', packed: true };
}
