/**
 * Tries ways of cutting kernels up on this device: every tile of matrix units for every shape of product in a denoise step
 * of one rollout and of eight, subgroups of attention, and splits of the scans that go token after token. Prints the
 * microseconds of a use: of tiles the default's at the card's highest speed, what the others take of it, and how much longer
 * or shorter a whole step is with them.
 *
 *     npx tsx bench/kernel-variants.ts [MODEL-FOLDER] [SECONDS]
 *
 * What is found becomes a default (kernel-choice.ts) or a candidate of the tuning (tile-candidates.ts) by hand.
 */
import { median } from '../src/engine/median.ts';
import { nodeFolder, openPackage } from '../src/engine/node.ts';
import { wanderingRollout } from '../src/engine/parity/wandering.ts';
import { compareCandidates } from '../src/engine/world/webgpu/candidate-times.ts';
import { requestWebGpuDevice } from '../src/engine/world/webgpu/device.ts';
import { uploadWeights } from '../src/engine/world/webgpu/device-weights.ts';
import { Gpu } from '../src/engine/world/webgpu/gpu.ts';
import { createWith } from '../src/engine/world/webgpu/index.ts';
import { chooseKernels, fitsUnits, type KernelChoice } from '../src/engine/world/webgpu/kernel-choice.ts';
import { isPacked, type UnitTile } from '../src/engine/world/webgpu/matmul-options.ts';
import type { Operation } from '../src/engine/world/webgpu/operation.ts';
import { packMatrix } from '../src/engine/world/webgpu/pack.ts';
import { packForUnits } from '../src/engine/world/webgpu/pack-units.ts';
import { loadKernelSources, openGpu } from '../src/engine/world/webgpu/platform.node.ts';
import { ProductTrial } from '../src/engine/world/webgpu/product-trial.ts';
import type { BoundOperation } from '../src/engine/world/webgpu/plan.ts';
import { launchOf } from '../src/engine/world/webgpu/rollout-passes.ts';
import { type Candidate, spanOn, spanTimer } from '../src/engine/world/webgpu/span-timer.ts';
import { timeOperations, timeSpans } from '../src/engine/world/webgpu/timings.ts';
import type { WebGpuWorldModel } from '../src/engine/world/webgpu/webgpu-world.ts';
import { readWorldWeights } from '../src/engine/world/webgpu/world-weights.ts';
import { difference } from './pass-times.ts';

const [folder = 'models/maze-64', seconds = '60'] = process.argv.slice(2);
const { model, file } = await openPackage(nodeFolder(folder));
const spec = model.world;
const bytes = file(spec.weights);
const sources = await loadKernelSources();
const device = await requestWebGpuDevice(await openGpu({ software: true }));
const gpu = new Gpu(device, sources);
const found = chooseKernels(device, 'matrix-units');
if (!found?.units) throw new Error('This device has no matrix units.');
const choice: KernelChoice & { units: NonNullable<KernelChoice['units']> } = { ...found, units: found.units };
const { unit, subgroup, number } = choice.units;

await tryAttention();
await tryScans();
await tryTiles();
process.exit();

/** A denoise step of so many rollouts in a whole model. */
interface Step {
  bound: readonly BoundOperation[];
  begin: (pass: GPUComputePassEncoder) => void;
}

async function stepOf(world: WebGpuWorldModel, rollouts: number): Promise<Step> {
  const { chunks } = wanderingRollout(model, 2, 1);
  const sessions = [];
  for (let i = 0; i < rollouts; i++) sessions.push(await world.createSession());
  for (const session of sessions) await session.commit(chunks.slice(0, 2));
  const plan = rollouts === 1 ? world.denoisePlan : world.merged.denoise(rollouts);
  const { step } = await world.bound(plan, sessions[0]!.lease.bank);
  const launches = sessions.map((session) => launchOf(session, null));
  world.writeLaunch({ ...world.passes.launch(launches, 1), levelRow: world.levelRow([1]), ratio: 0.5 });
  return { bound: step, begin: (pass) => world.beginLaunch(pass, 0) };
}

/** Operations of a denoise step of one rollout and of several that run a kernel file: microseconds of each. */
async function timeSteps(
  own: KernelChoice,
  file: string,
  take: (rollouts: number, name: string, microseconds: number) => void,
): Promise<void> {
  for (const several of [false, true]) {
    const world = await createWith(own, gpu, spec, bytes, { device });
    const rollouts = several ? world.merged.most : 1;
    const { bound, begin } = await stepOf(world, rollouts);
    const timed = bound.filter(({ operation }) => operation.program.file === file);
    // A card that was idle is slow at first.
    for (let warm = 0; warm < 20; warm++) await timeOperations(gpu, timed, begin, 32);
    for (const { name, microseconds } of await timeOperations(gpu, timed, begin, 32))
      take(rollouts, name, microseconds);
    world.dispose();
  }
}

/** Subgroups of attention straight from memory, and attention by way of workgroup memory, timed in whole models. */
async function tryAttention(): Promise<void> {
  const ways: [string, KernelChoice, string][] = [
    ...[8, 10, 16, 20].map((subgroups): [string, KernelChoice, string] => [
      `${subgroups} subgroups`,
      { ...choice, attentionSubgroups: subgroups },
      'attention-direct.wgsl',
    ]),
    ['staged', { ...choice, attentionSubgroups: 0 }, 'attention-units.wgsl'],
  ];
  for (const [name, own, file] of ways) {
    const times = new Map<number, number[]>();
    await timeSteps(own, file, (rollouts, _, microseconds) => {
      times.set(rollouts, [...(times.get(rollouts) ?? []), microseconds]);
    });
    const cells = [...times].map(([rollouts, all]) => `rollouts ${rollouts}: ${median(all).toFixed(1)} µs`);
    console.log(`attention, ${name}: ${cells.join(', ')}`);
  }
}

/** Splits of the scans, timed in whole models. */
async function tryScans(): Promise<void> {
  const splits = [
    { columns: 64, parts: 4 },
    { columns: 64, parts: 8 },
    { columns: 32, parts: 8 },
    { columns: 32, parts: 4 },
    { columns: 16, parts: 8 },
    { columns: 16, parts: 16 },
  ];
  const table = new Map<string, string[]>();
  for (const scan of splits) {
    await timeSteps({ ...choice, scan }, 'gated-delta.wgsl', (rollouts, name, microseconds) => {
      const row = `${name}, rollouts: ${rollouts}`;
      table.set(row, [...(table.get(row) ?? []), microseconds.toFixed(1)]);
    });
  }
  const heads = splits.map(({ columns, parts }) => `${columns}×${parts}`.padStart(8));
  console.log(`${'columns × parts'.padEnd(36)}${heads.join('')}`);
  for (const [row, times] of table)
    console.log(`${row.padEnd(36)}${times.map((t) => t.padStart(8)).join('')}`);
}

/** Tiles of matrix units, of one rollout and of as many as go in one pass. */
async function tryTiles(): Promise<void> {
  const packed = readWorldWeights(spec, bytes, (name, parts) =>
    fitsUnits(choice.units, spec.width / spec.attention.heads, name)
      ? packForUnits(parts, unit, number)
      : packMatrix(parts),
  );
  const weights = await uploadWeights(gpu, packed);
  const share = Number(seconds) / 2;
  for (const several of [false, true]) {
    const world = await createWith(choice, gpu, spec, bytes, { device });
    const step = await stepOf(world, several ? world.merged.most : 1);
    const shapes = new Map<string, { operation: Operation; work: number }>();
    for (const { operation } of step.bound) {
      const { product } = operation;
      if (product?.options.weight.kind !== 'half') continue;
      const known = shapes.get(product.key) ?? { operation, work: 0 };
      known.work += product.options.n * product.options.k;
      shapes.set(product.key, known);
    }
    const end = performance.now() + 1000 * share;
    for (const { operation } of [...shapes.values()].sort((a, b) => b.work - a.work)) {
      if (performance.now() > end) {
        console.log('Out of time.');
        break;
      }
      await tryShape(operation, weights.buffers, step);
    }
    world.dispose();
  }
}

/** Tiles of a shape that are tried in the step, and how often. */
const [IN_STEP, STEPS] = [3, 24];

/** Prints how the tiles of a product do, the fastest first, by themselves and in the step. */
async function tryShape(
  operation: Operation,
  weights: ReadonlyMap<string, GPUBuffer>,
  { bound, begin }: Step,
): Promise<void> {
  const { options, rows, key } = operation.product!;
  const tiles = isPacked(options) ? packedTilesFor(rows) : tilesFor(rows);
  const trial = await ProductTrial.make(gpu, operation, weights, choice, tiles);
  try {
    const candidates = trial.made.map(({ candidate }) => candidate);
    const limits = { span: spanOn(gpu), budget: 700, now: () => performance.now() };
    const [comparison] = await compareCandidates(spanTimer(gpu), [candidates], limits);
    const { microseconds, standings } = comparison!;
    const judged = standings
      .map((standing, i) => ({ ...standing, candidate: candidates[i + 1]! }))
      .filter(({ ratio }) => !Number.isNaN(ratio))
      .sort((a, b) => a.ratio - b.ratio);
    console.log(
      `${key} (${judged.length + 1} of ${trial.asked}), default ${microseconds.toFixed(1)}: ${labelOf(candidates[0]!)}`,
    );
    for (const [place, { ratio, noise, candidate }] of judged.slice(0, 5).entries()) {
      const share = `${ratio.toFixed(3)} ± ${noise.toFixed(3)}`;
      let line = `  ${(ratio * microseconds).toFixed(2).padStart(7)}  ${share}  ${labelOf(candidate)}`;
      if (place < IN_STEP) {
        const other = bound.map((one) => inPlaceOf(one, key, candidate));
        const change = await difference((lists) => timeSpans(gpu, lists, begin), other, bound, STEPS);
        line += `  step ${change > 0 ? '+' : ''}${change.toFixed(1)} µs`;
      }
      console.log(line);
    }
  } finally {
    trial.free();
  }
}

/** An operation of a step, with a candidate's kernel where it makes a product of that shape. */
function inPlaceOf(one: BoundOperation, key: string, { bound }: Candidate): BoundOperation {
  if (one.operation.product?.key !== key) return one;
  const { program, workgroups } = bound.operation;
  return { ...one, operation: { ...one.operation, program, workgroups }, pipeline: bound.pipeline };
}

function labelOf({ bound }: Candidate): string {
  const { operation } = bound;
  const made = operation.program.constants;
  const packed = isPacked(operation.product!.options);
  const cut = packed ? `rise ${made['RISE']} deep ${made['DEEP']}` : `depth ${made['DEPTH']}`;
  return `${made['TILE_M']}×${made['TILE_N']} slices ${made['SLICES']} span ${made['SPAN']} ${cut}`;
}

function tilesFor(rows: number): UnitTile[] {
  const tiles: UnitTile[] = [];
  for (const m of rows > 1000 ? [16, 32, 64, 128] : [16, 32, 64]) {
    for (const n of [32, 64, 128]) {
      for (const slices of rows > 1000 ? [1, 2] : [1, 2, 4, 8]) {
        for (const span of [1, 2, 4]) {
          const invocations = (n / (unit.n * span)) * slices * subgroup;
          if (n % (unit.n * span) === 0 && invocations <= 1024 && invocations >= 64)
            tiles.push({ m, n, slices, span });
        }
      }
    }
  }
  return tiles;
}

/** Tiles of products whose factors both come packed: subgroups make blocks of one to four units down and across. */
function packedTilesFor(rows: number): UnitTile[] {
  const many = rows > 1000;
  const tiles: UnitTile[] = [];
  for (const m of many ? [32, 64, 128] : [16, 32, 64]) {
    for (const n of many ? [64, 128] : [32, 64, 128]) {
      for (const slices of many ? [1, 2] : [1, 2, 4, 8]) {
        for (const span of [1, 2, 4]) {
          for (const rise of [1, 2, 4]) {
            const jobs = (m / (unit.m * rise)) * (n / (unit.n * span)) * slices;
            const even = m % (unit.m * rise) === 0 && n % (unit.n * span) === 0;
            if (even && jobs * subgroup <= 512 && jobs * subgroup >= 64)
              tiles.push({ m, n, slices, span, rise });
          }
        }
      }
    }
  }
  return tiles;
}
