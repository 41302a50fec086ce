import type { LayerKind } from '../../package/model-json.ts';
import type { KernelConstants } from './preprocess.ts';
import { ceilDivide, type Program, type Workgroups } from './program.ts';

/** Where the parts of a scan layer's projection lie in its rows. */
export interface ScanColumns {
  keys: number;
  queries: number;
  values: number;
  gates: number;
  writes: number;
  decays: number;
  depths: number;
  /** Numbers a row, a multiple of 4. */
  stride: number;
}

/** Places of the parts of the projection: keys, queries, values, gates, writes, decays, depth logits. */
export function scanColumns(
  heads: number,
  keyLength: number,
  valueLength: number,
  depths: number,
): ScanColumns {
  const queries = heads * keyLength;
  const values = 2 * queries;
  const gates = values + heads * valueLength;
  const writes = gates + heads * valueLength;
  const end = writes + 2 * heads + depths;
  return {
    ...{ keys: 0, queries, values, gates, writes, decays: writes + heads, depths: writes + 2 * heads },
    stride: 4 * ceilDivide(end, 4),
  };
}

export interface ScanOptions {
  kind: LayerKind;
  grid: { rows: number; columns: number };
  block: readonly [number, number];
  heads: number;
  keyLength: number;
  valueLength: number;
  columns: ScanColumns;
  /** Write the state (commit pass) or only read it (denoise pass). */
  commit: boolean;
  /** How a scan token after token is cut up; what every device can unless given. */
  split?: ScanSplit | undefined;
}

/** Columns of the state that a workgroup goes over, and invocations that share a column. */
export interface ScanSplit {
  columns: number;
  parts: number;
}

/** Binding numbers of all scan kernels. */
export const SCAN = { projection: 0, state: 1, out: 2 } as const;

/** kernels/ssd.wgsl, kernels/gated-delta.wgsl: token after token. */
export function scanProgram(options: ScanOptions): Program {
  const [columns, parts] = [scanGroupColumns(options), scanParts(options)];
  // Keys and queries of a tile take 8·TILE·KEY_LENGTH bytes of the default workgroup memory.
  const tile = options.keyLength > 128 ? 4 : 8;
  const each = (count: number): number => ceilDivide(count, columns * parts);
  return {
    file: `${options.kind}.wgsl`,
    constants: {
      ...scanShape(options),
      ...{ GROUP_COLUMNS: columns, PARTS: parts, PART4: options.keyLength / 4 / parts },
      ...{ TILE: tile, COMMIT: options.commit ? 1 : 0 },
      ...{ VECTORS: each((tile * options.keyLength) / 2), NUMBERS: each(tile * columns), LOGITS: each(tile) },
    },
    bindings: {
      [SCAN.projection]: 'read',
      [SCAN.state]: options.commit ? 'write' : 'read',
      [SCAN.out]: 'write',
    },
  };
}

export function scanWorkgroups(options: ScanOptions, rollouts = 1): Workgroups {
  const columns = ceilDivide(options.valueLength, scanGroupColumns(options));
  return [columns, options.heads, rollouts * blocksOf(options)];
}

/**
 * Whether a scan is done in tiles of tokens (kernels/ssd-read.wgsl, ssd-write.wgsl), all at once: where a frame alone gives
 * a block a tile. Shorter sequences are not worth a tile's staging.
 */
export function isTiledScan({ kind, block }: Pick<ScanOptions, 'kind' | 'block'>): boolean {
  return kind === 'ssd' && block[0] * block[1] >= SCAN_TILE;
}

/** kernels/ssd-read.wgsl. */
export function tiledReadProgram(options: ScanOptions): Program {
  return {
    file: 'ssd-read.wgsl',
    constants: scanShape(options),
    bindings: { [SCAN.projection]: 'read', [SCAN.state]: 'read', [SCAN.out]: 'write' },
  };
}

/** @param frames of each rollout */
export function tiledReadWorkgroups(options: ScanOptions, frames: number, rollouts = 1): Workgroups {
  const tiles = ceilDivide(frames * options.block[0] * options.block[1], SCAN_TILE);
  return [tiles * ceilDivide(options.valueLength, 64), options.heads, rollouts * blocksOf(options)];
}

/** kernels/ssd-write.wgsl. */
export function tiledWriteProgram(options: ScanOptions): Program {
  return {
    file: 'ssd-write.wgsl',
    constants: scanShape(options),
    bindings: { [SCAN.projection]: 'read', [SCAN.state]: 'write' },
  };
}

export function tiledWriteWorkgroups(options: ScanOptions, rollouts = 1): Workgroups {
  const tiles = ceilDivide(options.keyLength, SCAN_TILE) * ceilDivide(options.valueLength, 64);
  return [tiles, options.heads, rollouts * blocksOf(options)];
}

/** Tokens of a tile; kernels/ssd-tiles.wgsl has it in many places. */
const SCAN_TILE = 16;

/** The constants that all scan kernels have. */
export function scanShape({
  grid,
  block,
  heads,
  keyLength,
  valueLength,
  columns,
}: ScanOptions): KernelConstants {
  return {
    ...{ GRID_ROWS: grid.rows, GRID_COLUMNS: grid.columns },
    ...{ BLOCK_ROWS: block[0], BLOCK_COLUMNS: block[1] },
    ...{ HEADS: heads, KEY_LENGTH: keyLength, VALUE_LENGTH: valueLength },
    ...{ KEYS: columns.keys, QUERIES: columns.queries, VALUES: columns.values },
    ...{ WRITES: columns.writes, DECAYS: columns.decays, STRIDE: columns.stride },
  };
}

export function blocksOf({ grid, block }: ScanOptions): number {
  return (grid.rows / block[0]) * (grid.columns / block[1]);
}

function scanGroupColumns({ split, valueLength }: ScanOptions): number {
  return Math.min(split?.columns ?? 64, valueLength);
}

/** Invocations that share a column of the state: as many as divide it evenly, at most four unless asked for. */
function scanParts({ split, keyLength }: ScanOptions): number {
  return [16, 8, 4, 2, 1].find((parts) => parts <= (split?.parts ?? 4) && (keyLength / 4) % parts === 0)!;
}

/** Binding numbers of kernels/cache-store.wgsl. */
export const CACHE_STORE = { qkv: 0, cache: 1 } as const;

/** kernels/cache-store.wgsl. @param kept what keys and values are kept as */
export function cacheStoreProgram(width: number, chunkTokens: number, kept: 'f16' | 'f32' = 'f32'): Program {
  return {
    file: 'cache-store.wgsl',
    constants: { WIDTH: width, CHUNK_TOKENS: chunkTokens, KEPT: kept },
    bindings: { [CACHE_STORE.qkv]: 'read', [CACHE_STORE.cache]: 'write' },
  };
}

export function cacheStoreWorkgroups(width: number, chunkTokens: number, rollouts = 1): Workgroups {
  return [ceilDivide((2 * chunkTokens * width) / 4, 64), rollouts, 1];
}

/** Binding numbers of kernels/ray-features.wgsl. */
export const RAY_FEATURES = { rays: 0, known: 1, frequencies: 2, features: 3 } as const;

/** kernels/ray-features.wgsl. */
export function rayFeaturesProgram(frequencies: number, tokensPerFrame: number): Program {
  return {
    file: 'ray-features.wgsl',
    constants: { FREQUENCIES: frequencies, TOKENS_PER_FRAME: tokensPerFrame },
    bindings: {
      ...{ [RAY_FEATURES.rays]: 'read', [RAY_FEATURES.known]: 'read' },
      ...{ [RAY_FEATURES.frequencies]: 'read', [RAY_FEATURES.features]: 'write' },
    },
  };
}

/** Binding numbers of kernels/point-features.wgsl. */
export const POINT_FEATURES = { rays: 0, known: 1, points: 2, projection: 3, features: 4 } as const;

/** kernels/point-features.wgsl. */
export function pointFeaturesProgram(
  frequencies: number,
  depths: number,
  tokensPerFrame: number,
  columns: Pick<ScanColumns, 'depths' | 'stride'>,
): Program {
  return {
    file: 'point-features.wgsl',
    constants: {
      ...{ FREQUENCIES: frequencies, DEPTHS: depths, TOKENS_PER_FRAME: tokensPerFrame },
      ...{ LOGITS: columns.depths, STRIDE: columns.stride },
    },
    bindings: {
      ...{ [POINT_FEATURES.rays]: 'read', [POINT_FEATURES.known]: 'read', [POINT_FEATURES.points]: 'read' },
      ...{ [POINT_FEATURES.projection]: 'read', [POINT_FEATURES.features]: 'write' },
    },
  };
}

/** Binding numbers of kernels/noise.wgsl. */
export const NOISE = { mask: 0, latents: 1 } as const;

/** kernels/noise.wgsl. */
export function noiseProgram(channels: number, tokensPerFrame: number): Program {
  return {
    file: 'noise.wgsl',
    constants: { CHANNELS: channels, TOKENS_PER_FRAME: tokensPerFrame },
    bindings: { [NOISE.mask]: 'read', [NOISE.latents]: 'write' },
  };
}

/** Workgroups of a kernel with one invocation an element and 64 a workgroup. */
export function elementWorkgroups(elements: number): Workgroups {
  return [ceilDivide(elements, 64), 1, 1];
}
