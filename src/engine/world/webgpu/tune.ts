import type { WorldPackage } from '../../package/world-package.ts';
import { LongtakeError } from '../../types.ts';
import { compareCandidates, fastestOf } from './candidate-times.ts';
import { DeviceLostError, OutOfGpuMemoryError } from './errors.ts';
import type { Gpu } from './gpu.ts';
import type { KernelChoice } from './kernel-choice.ts';
import { isPacked, type MatmulOptions, type Tile, type UnitTile } from './matmul-options.ts';
import type { Operation, Product } from './operation.ts';
import { LONG_PASS } from './operations.ts';
import type { Plan } from './plan.ts';
import { type CandidateNumbers, ProductTrial } from './product-trial.ts';
import { isSoftwareInfo } from './software-adapter.ts';
import { type Candidate, spanOn, spanTimer, type SpanTimer } from './span-timer.ts';
import { candidatesFor } from './tile-candidates.ts';
import type { Plans } from './world-plans.ts';

/** Where the tiles found for a device and a model are remembered. Failing to keep them is no error. */
export interface TilesStore {
  read(file: string): Promise<Uint8Array | null>;
  write(file: string, bytes: Uint8Array): Promise<void>;
}

export interface Tuning {
  store: TilesStore;
  /** Distinguishes models, such as the hash of the weights. */
  model: string;
  /** Milliseconds; the time of day unless given. */
  now?: () => number;
  /** Measures on the device unless given; given, software devices are tuned too. */
  time?: SpanTimer<Candidate>;
  /** What a candidate makes of given numbers; run on the device unless given. */
  numbers?: CandidateNumbers;
}

/** Tuning of a package's model. */
export function tuningOf({ model }: WorldPackage, store: TilesStore): Tuning {
  const weights = model.files.find(({ path }) => path === model.world.weights);
  return { store, model: `${model.name} ${weights?.sha256.slice(0, 16) ?? ''}` };
}

export type Tiles = ReadonlyMap<string, Tile | UnitTile>;

/**
 * Milliseconds after which no more shapes are made, and those that timing takes. Shapes that are not reached in either take the
 * tile of the one most like them.
 */
const [MAKING, TIMING] = [500, 500];

/** What was found for a shape; null: the default. */
interface Found {
  product: Product;
  tile: Tile | UnitTile | null;
}

/**
 * The fastest tile for every shape of matrix product in a model's passes: remembered, or tried now, what generation spends
 * most on first, for about a second. First kernels are made, then all are timed at one go: a card that waits for a compiler
 * lowers its clock. A candidate that the device refuses, or that gives other numbers, is passed over.
 * @param weights the model's buffers by name
 * @returns tiles by `shapeKey`; shapes that are not in it keep their default
 * @throws DeviceLostError, LongtakeError `backend` where the device refused a command
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
  const shapes = shapesOf(plans);
  const trials: ProductTrial[] = [];
  let found: Found[];
  let refused: ReadonlySet<string>;
  try {
    refused = await makeTrials(trials, gpu, shapes, weights, choice, tuning);
    found = await timeTrials(trials, gpu, tuning);
  } finally {
    for (const trial of trials) trial.free();
  }
  const tiles = new Map<string, Tile | UnitTile>();
  for (const { product } of shapes) {
    if (refused.has(product!.key)) continue;
    const own = found.find(({ product: { key } }) => key === product!.key);
    const tile = own ? own.tile : mostAlike(product!, found);
    if (tile) tiles.set(product!.key, tile);
  }
  // Where nothing could be tried (for want of memory, say) the next load tries again.
  if (found.length > 0) {
    await tuning.store.write(file, new TextEncoder().encode(JSON.stringify([...tiles])));
  }
  return tiles;
}

/**
 * Makes the candidates of as many shapes as there is time for.
 * @param trials gets what was made, also where this throws
 * @returns keys of shapes that cannot be tried (for want of memory, say): they keep their default
 */
async function makeTrials(
  trials: ProductTrial[],
  gpu: Gpu,
  shapes: readonly Operation[],
  weights: ReadonlyMap<string, GPUBuffer>,
  choice: KernelChoice,
  tuning: Tuning,
): Promise<Set<string>> {
  const now = clockOf(tuning);
  const start = now();
  const refused = new Set<string>();
  for (const operation of shapes) {
    if (now() - start > MAKING) break;
    const { options, tileRows, key } = operation.product!;
    const tiles = candidatesFor(options, tileRows, choice);
    try {
      trials.push(await ProductTrial.make(gpu, operation, weights, choice, tiles, tuning.numbers));
    } catch (error) {
      if (error instanceof DeviceLostError || !(error instanceof LongtakeError)) throw error;
      refused.add(key);
    }
  }
  return refused;
}

/** @param trials those that there is no memory left to time are freed and taken out */
async function timeTrials(trials: ProductTrial[], gpu: Gpu, tuning: Tuning): Promise<Found[]> {
  const time = tuning.time ?? spanTimer(gpu);
  const limits = { span: spanOn(gpu), budget: TIMING, now: clockOf(tuning) };
  for (;;) {
    try {
      const groups = trials.map(({ made }) => made.map(({ candidate }) => candidate));
      const comparisons = await compareCandidates(time, groups, limits);
      return comparisons.flatMap((comparison, i) => {
        if (!comparison) return [];
        const { product, made } = trials[i]!;
        const best = fastestOf(comparison);
        return [{ product, tile: best === null ? null : made[best + 1]!.tile }];
      });
    } catch (error) {
      if (!(error instanceof OutOfGpuMemoryError)) throw error;
      // The buffers of all shapes are there at once: those with least work make room.
      for (const trial of trials.splice(trials.length >> 1)) trial.free();
    }
  }
}

function clockOf({ now }: Tuning): () => number {
  return now ?? ((): number => performance.now());
}

function fileName(info: GPUAdapterInfo, { arithmetic }: KernelChoice, model: string): string {
  const device = [info.vendor, info.architecture, info.device, info.description].join(' ');
  return `tiles 6 ${device} ${arithmetic} ${model}.json`;
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
function mostAlike({ tileRows, options }: Product, tried: readonly Found[]): Tile | UnitTile | null {
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
