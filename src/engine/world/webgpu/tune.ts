import type { WorldPackage } from '../../package/world-package.ts';
import { LongtakeError } from '../../types.ts';
import { DeviceLostError } from './errors.ts';
import type { Gpu } from './gpu.ts';
import { timeCandidates } from './candidate-times.ts';
import {
  defaultUnitTile,
  type KernelChoice,
  MANY_ROWS,
  type UnitsChoice,
  variantFor,
} from './kernel-choice.ts';
import { isPacked, type MatmulOptions, type Tile, type UnitTile } from './matmul-options.ts';
import { matmulProgram, matmulWorkgroups } from './matmul-program.ts';
import type { Operation, Product } from './operation.ts';
import { LONG_PASS } from './operations.ts';
import type { BoundOperation, Plan } from './plan.ts';
import { programKey } from './program.ts';
import { isSoftwareInfo } from './software-adapter.ts';
import { Workbench } from './workbench.ts';
import type { Plans } from './world-plans.ts';

/** Where the tiles found for a device and a model are remembered. Failing to keep them is no error. */
export interface TilesStore {
  read(file: string): Promise<Uint8Array | null>;
  write(file: string, bytes: Uint8Array): Promise<void>;
}

/** Microseconds of every candidate. @param begin sets the launch values of a pass */
export type CandidateTimer = (
  gpu: Gpu,
  candidates: readonly BoundOperation[],
  begin: (pass: GPUComputePassEncoder) => void,
) => Promise<number[]>;

export interface Tuning {
  store: TilesStore;
  /** Distinguishes models, such as the hash of the weights. */
  model: string;
  /** Milliseconds; the time of day unless given. */
  now?: () => number;
  /** Measures on the device unless given; given, software devices are tuned too. */
  time?: CandidateTimer;
  /** What a candidate makes of given numbers; run on the device unless given. */
  numbers?: (candidate: BoundOperation) => Promise<Float32Array>;
}

/** Tuning of a package's model. */
export function tuningOf({ model }: WorldPackage, store: TilesStore): Tuning {
  const weights = model.files.find(({ path }) => path === model.world.weights);
  return { store, model: `${model.name} ${weights?.sha256.slice(0, 16) ?? ''}` };
}

export type Tiles = ReadonlyMap<string, Tile | UnitTile>;

/** No more shapes are tried after so many milliseconds; they take the tile of the one most like them. */
const BUDGET = 1000;
/** Candidates whose numbers differ by more from the default's, as a share of the largest, are not taken. */
const TOLERANCE = 0.02;

/**
 * The fastest tile for every shape of matrix product in a model's passes: remembered, or tried now, what generation spends
 * most on first, for at most about a second. A candidate that the device refuses, or that gives other numbers, is passed over.
 * @param weights the model's buffers by name
 * @returns tiles by `shapeKey`; shapes that are not in it keep their default
 * @throws DeviceLostError
 */
export async function tunedTiles(
  gpu: Gpu,
  plans: Plans,
  weights: ReadonlyMap<string, GPUBuffer>,
  choice: KernelChoice,
  tuning: Tuning,
): Promise<Tiles> {
  if (!tuning.time && isSoftwareInfo(gpu.device.adapterInfo)) return new Map();
  const file = fileName(gpu.device.adapterInfo, choice, tuning.model);
  const kept = readTiles(await tuning.store.read(file));
  if (kept) return kept;
  const now = tuning.now ?? ((): number => performance.now());
  const start = now();
  const tried: { product: Product; tile: Tile | UnitTile | null }[] = [];
  const tiles = new Map<string, Tile | UnitTile>();
  for (const operation of shapesOf(plans)) {
    const product = operation.product!;
    let tile: Tile | UnitTile | null = null;
    if (now() - start > BUDGET) {
      tile = mostAlike(product, tried);
    } else {
      try {
        tile = await fastest(gpu, operation, weights, choice, tuning);
        tried.push({ product, tile });
      } catch (error) {
        // What cannot be tried (for want of memory, say) keeps its default.
        if (error instanceof DeviceLostError || !(error instanceof LongtakeError)) throw error;
      }
    }
    if (tile) tiles.set(product.key, tile);
  }
  await tuning.store.write(file, new TextEncoder().encode(JSON.stringify([...tiles])));
  return tiles;
}

function fileName(info: GPUAdapterInfo, { arithmetic }: KernelChoice, model: string): string {
  const device = [info.vendor, info.architecture, info.device, info.description].join(' ');
  return `tiles 5 ${device} ${arithmetic} ${model}.json`;
}

function readTiles(bytes: Uint8Array | null): Tiles | null {
  if (!bytes) return null;
  try {
    const entries = JSON.parse(new TextDecoder().decode(bytes)) as [string, Tile | UnitTile][];
    const whole = entries.every(
      ([key, tile]) =>
        typeof key === 'string' && Object.values(tile).every((size) => Number.isInteger(size) && size > 0),
    );
    return whole ? new Map(entries) : null;
  } catch {
    return null;
  }
}

/** What was found for the shape of as many rows whose sums and columns are most like another's; null: the default. */
function mostAlike(
  { tileRows, options }: Product,
  tried: readonly { product: Product; tile: Tile | UnitTile | null }[],
): Tile | UnitTile | null {
  const distance = (own: MatmulOptions): number =>
    Math.abs(Math.log2(own.k / options.k)) + Math.abs(Math.log2(own.n / options.n)) / 4;
  const kindOf = (own: MatmulOptions): string => `${own.weight.kind === 'half'} ${isPacked(own)}`;
  const alike = tried
    .filter(({ product: own }) => own.tileRows === tileRows && kindOf(own.options) === kindOf(options))
    .sort((a, b) => distance(a.product.options) - distance(b.product.options));
  return alike[0]?.tile ?? null;
}

/**
 * One operation of every shape, what a chunk spends most on first: the denoise steps and its commit, then passes over many
 * chunks of a prefix, then what only merged passes have.
 */
function shapesOf({ denoise, commits, merged }: Plans): Operation[] {
  const shapes = new Map<string, { operation: Operation; work: number }>();
  const add = (plans: readonly Plan[], weight: number): void => {
    for (const operation of plans.flatMap(({ sections }) => sections.step)) {
      if (!operation.product) continue;
      const { options, rows, key } = operation.product;
      const known = shapes.get(key) ?? { operation, work: 0 };
      known.work += weight * rows * options.n * options.k;
      shapes.set(key, known);
    }
  };
  add([denoise], 4);
  add(commits.slice(-1), 1);
  add(commits.slice(0, -1), 1e-3);
  if (merged.most >= LONG_PASS) add([merged.denoise(merged.most), merged.commit(merged.most)], 1e-9);
  return [...shapes.values()].sort((a, b) => b.work - a.work).map(({ operation }) => operation);
}

/** Tiles worth trying beside the default. */
function candidatesFor(options: MatmulOptions, rows: number, choice: KernelChoice): (Tile | UnitTile)[] {
  if (options.weight.kind === 'half' && isPacked(options)) return packedCandidates(choice.units!, rows);
  if (options.weight.kind === 'half') {
    const { m, span } = defaultUnitTile(choice.units!, 1);
    const many = rows >= MANY_ROWS;
    return [
      { m: 2 * m, n: 128, slices: 1, span },
      { m, n: 64, slices: 1, span: many ? 2 * span : span },
      { m, n: 64, slices: many ? 2 : 4, span },
      many ? { m: 4 * m, n: 128, slices: 1, span } : { m, n: 32, slices: 2, span },
    ];
  }
  const deep = choice.arithmetic === 'f16' ? 2 : 1;
  return [
    { m: 16, n: 64, k: 8 * deep, slices: 4 },
    { m: 16, n: 64, k: 16 * deep, slices: 4 },
    { m: 16, n: 32, k: 16 * deep, slices: 8 },
    { m: 32, n: 32, k: 16 * deep, slices: 4 },
    { m: 32, n: 64, k: 16 * deep, slices: 2 },
    { m: 64, n: 64, k: 16 * deep, slices: 1 },
  ];
}

function packedCandidates({ unit }: UnitsChoice, rows: number): UnitTile[] {
  const tile = (m: number, n: number, slices: number, down: number, across: number): UnitTile => ({
    ...{ m, n, slices },
    ...{ span: Math.max(1, across / unit.n), rise: Math.max(1, down / unit.m) },
  });
  if (rows >= MANY_ROWS) {
    return [
      tile(64, 64, 1, 32, 32),
      tile(64, 128, 1, 32, 64),
      tile(32, 64, 1, 32, 32),
      tile(64, 64, 1, 64, 32),
      tile(32, 128, 1, 32, 32),
    ];
  }
  return [
    tile(16, 32, 4, 16, 32),
    tile(16, 64, 2, 16, 32),
    tile(32, 64, 2, 32, 32),
    tile(32, 32, 4, 32, 32),
    tile(16, 64, 4, 16, 64),
  ];
}

/** The fastest tile of a product, null when that is the default. */
async function fastest(
  gpu: Gpu,
  operation: Operation,
  weights: ReadonlyMap<string, GPUBuffer>,
  choice: KernelChoice,
  tuning: Tuning,
): Promise<Tile | UnitTile | null> {
  const { matrix, options, rows, tileRows, key: shape } = operation.product!;
  const bench = await Workbench.create(gpu, operation, weights);
  try {
    const programs = new Map<string, { tile: Tile | UnitTile | null; own: Operation }>();
    for (const tile of [null, ...candidatesFor(options, tileRows, choice)]) {
      const tiles = new Map(tile ? [[shape, tile]] : []);
      const variant = variantFor({ ...choice, tiles }, matrix, options.weight, shape, tileRows, options);
      const full = { ...options, variant };
      const program = matmulProgram(full);
      const key = programKey(program);
      if (programs.has(key)) continue;
      const workgroups = matmulWorkgroups(full, rows);
      programs.set(key, { tile, own: { ...operation, program, workgroups } });
    }
    // All at once: drivers compile on several threads.
    const made = await Promise.allSettled([...programs.values()].map(({ own }) => bench.bind(own)));
    const bound: { tile: Tile | UnitTile | null; candidate: BoundOperation; numbers: Float32Array }[] = [];
    for (const [i, { tile }] of [...programs.values()].entries()) {
      const binding = made[i]!;
      if (binding.status === 'rejected') {
        if (binding.reason instanceof DeviceLostError || !tile) throw binding.reason as Error;
        continue;
      }
      const candidate = binding.value;
      const numbers = await (tuning.numbers ?? ((one) => bench.run(one)))(candidate);
      bound.push({ tile, candidate, numbers });
    }
    const right = bound.filter(({ numbers }) => agrees(numbers, bound[0]!.numbers));
    const candidates = right.map(({ candidate }) => candidate);
    const times = await (tuning.time ?? timeCandidates)(gpu, candidates, (pass) => bench.begin(pass));
    return right[times.indexOf(Math.min(...times))]?.tile ?? null;
  } finally {
    bench.free();
  }
}

function agrees(numbers: Float32Array, expected: Float32Array): boolean {
  let [difference, scale] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i]!));
    const own = Math.abs(numbers[i]! - expected[i]!);
    if (!(own <= difference)) difference = own;
  }
  return difference <= TOLERANCE * scale;
}
