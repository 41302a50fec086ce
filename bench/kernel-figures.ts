import { wanderingRollout } from '../src/engine/parity/wandering.ts';
import type { ModelJson } from '../src/engine/package/model-json.ts';
import { levelsFor } from '../src/engine/sampler/levels.ts';
import { stepsFor } from '../src/engine/scheduler/profiles.ts';
import type { Operation } from '../src/engine/world/webgpu/operation.ts';
import { launchOf } from '../src/engine/world/webgpu/rollout-passes.ts';
import { timeOperations, timeSpans } from '../src/engine/world/webgpu/timings.ts';
import type { SinglePass, WebGpuWorldSession } from '../src/engine/world/webgpu/webgpu-session.ts';
import type { WebGpuWorldModel } from '../src/engine/world/webgpu/webgpu-world.ts';
import type { Chunk } from '../src/engine/world/world-model.ts';
import { type Bound, type Ceilings, floorOf } from './floor.ts';
import { type PassTimes, timePass, usesOf } from './pass-times.ts';
import { type Work, workOf } from './work.ts';

/** All uses of one kernel with one set of constants in a pass. */
export interface KernelFigures {
  what: string;
  uses: number;
  /** One use, mean, timed by itself. */
  microseconds: number;
  /** What one use adds to the pass, mean. */
  inPassMicroseconds: number;
  flopsASecond: number;
  bytesASecond: number;
  floorMicroseconds: number;
  bound: Bound;
}

export interface PassFigures {
  pass: 'denoise step' | 'commit' | `denoise step of ${number} rollouts`;
  dispatches: number;
  /** The whole pass in one compute pass, as in a rollout: median. */
  microseconds: number;
  /** Sum of the kernels timed one by one, each repeated. */
  sumMicroseconds: number;
  floorMicroseconds: number;
  /** Share of the measured pass that the floor is. */
  floorShare: number;
  flops: number;
  bytes: number;
  kernels: KernelFigures[];
}

/**
 * Times every kernel of a denoise step, of a commit and of a denoise step of as many rollouts as go in one pass, with
 * timestamp queries, and compares it with its floor.
 * @throws LongtakeError `backend` on devices without timestamp queries
 */
export async function measureKernels(
  model: ModelJson,
  world: WebGpuWorldModel,
  ceilings: Ceilings,
  repeats: number,
): Promise<PassFigures[]> {
  const { chunks } = wanderingRollout(model, 2, 1);
  const levels = levelsFor(model.sampler, stepsFor(model, 'preview'));
  const denoise: SinglePass = {
    ...{ kind: 'denoise', chunk: chunks[2]!, level: levels[0]!, next: levels[1]! },
    noise: { seed: 1, chunk: 2 },
  };
  const commit: SinglePass = { kind: 'commit', chunk: chunks[2]! };
  const figures: PassFigures[] = [];
  const session = await world.createSession();
  try {
    await session.commit(chunks.slice(0, 2));
    for (const pass of [denoise, commit]) {
      const plan = pass.kind === 'denoise' ? world.denoisePlan : world.commitPlans.at(-1)!;
      await session.time(pass, repeats);
      const times = (await session.time(pass, repeats)).slice(plan.sections.before.length);
      const inPass = await session.measure(pass, (step, time) => timePass(time, step, repeats));
      const rows = pass.chunk.mask.length;
      const works = plan.sections.step.map((operation) => workOf(operation, rows));
      figures.push(
        summarise(
          pass.kind === 'denoise' ? 'denoise step' : 'commit',
          plan.sections.step,
          works,
          times.map(({ microseconds }) => microseconds),
          inPass,
          ceilings,
        ),
      );
    }
  } finally {
    session.dispose();
  }
  const { most } = world.merged;
  if (most > 1) figures.push(await measureMerged(world, chunks, denoise, most, ceilings, repeats));
  return figures;
}

/** Times a denoise step of several rollouts in one pass, all with the same chunk. */
async function measureMerged(
  world: WebGpuWorldModel,
  chunks: readonly Chunk[],
  { chunk, level, next, noise }: Extract<SinglePass, { kind: 'denoise' }>,
  count: number,
  ceilings: Ceilings,
  repeats: number,
): Promise<PassFigures> {
  const sessions: WebGpuWorldSession[] = [];
  try {
    for (let i = 0; i < count; i++) sessions.push(await world.createSession());
    for (const session of sessions) await session.commit(chunks.slice(0, 2));
    return await world.turns.alone(async () => {
      const { bank } = sessions[0]!.lease;
      const plan = world.merged.denoise(count);
      const { step } = await world.bound(plan, bank);
      const same = sessions.map(() => chunk);
      world.passes.write(
        world.memoryOf(plan, bank),
        same,
        same.map(({ latents }) => latents),
        false,
      );
      const launch = world.passes.launch(
        sessions.map((session) => launchOf(session, noise)),
        1,
      );
      world.writeLaunch({ ...launch, levelRow: world.levelRow([level]), ratio: next / level });
      const begin = (pass: GPUComputePassEncoder): void => world.beginLaunch(pass, 0);
      await timeOperations(world.gpu, step, begin, repeats);
      const times = await timeOperations(world.gpu, step, begin, repeats);
      const inPass = await timePass((lists) => timeSpans(world.gpu, lists, begin), step, repeats);
      const rows = count * chunk.mask.length;
      return summarise(
        `denoise step of ${count} rollouts`,
        plan.sections.step,
        plan.sections.step.map((operation) => workOf(operation, rows, { rollouts: count })),
        times.map(({ microseconds }) => microseconds),
        inPass,
        ceilings,
      );
    });
  } finally {
    for (const session of sessions) session.dispose();
  }
}

/**
 * Puts a pass's times beside its floors.
 * @param times of the operations one by one, in microseconds
 * @param inPass of the pass and of every kernel in it
 */
export function summarise(
  pass: PassFigures['pass'],
  operations: readonly Operation[],
  works: readonly Work[],
  times: readonly number[],
  { whole, shares }: PassTimes,
  ceilings: Ceilings,
): PassFigures {
  const kernels = [...usesOf(operations)].map(([key, uses]): KernelFigures => {
    const mean = uses.reduce((sum, i) => sum + times[i]!, 0) / uses.length;
    const work = works[uses[0]!]!;
    const floor = floorOf(work, ceilings);
    return {
      what: describe(operations[uses[0]!]!),
      uses: uses.length,
      microseconds: mean,
      inPassMicroseconds: (shares.get(key) ?? NaN) / uses.length,
      flopsASecond: work.flops / (mean * 1e-6),
      bytesASecond: work.bytes / (mean * 1e-6),
      floorMicroseconds: floor.seconds * 1e6,
      bound: floor.bound,
    };
  });
  const floor = works.reduce((sum, work) => sum + floorOf(work, ceilings).seconds, 0) * 1e6;
  return {
    pass,
    dispatches: operations.length,
    microseconds: whole,
    sumMicroseconds: times.reduce((a, b) => a + b, 0),
    floorMicroseconds: floor,
    floorShare: floor / whole,
    flops: works.reduce((sum, { flops }) => sum + flops, 0),
    bytes: works.reduce((sum, { bytes }) => sum + bytes, 0),
    kernels: kernels.sort((a, b) => b.uses * b.microseconds - a.uses * a.microseconds),
  };
}

/** The operation without its layer, and its shape. */
function describe({ name, program: { file, constants } }: Operation): string {
  const what = name.replace(/^\d+ /, '');
  return file.startsWith('matmul') ? `${what} ${constants['K']}→${constants['N']}` : what;
}
