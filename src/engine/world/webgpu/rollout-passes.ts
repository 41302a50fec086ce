import { throwIfCancelled } from '../../cancel.ts';
import type { Chunk, Generated, NoiseKey } from '../world-model.ts';
import { LAUNCH_SLOTS, type LaunchValues, type RolloutLaunch } from './launch.ts';
import type { Extent } from './operation.ts';
import type { PassMemory } from './pass-memory.ts';
import type { BoundOperation, Plan } from './plan.ts';
import { rotations } from './rotations.ts';
import type { Lease } from './state-bank.ts';
import type { CallKind, Waiting } from './turns.ts';
import type { WebGpuWorldModel } from './webgpu-world.ts';

/** What passes need to know of a rollout, and tell it. */
export interface Rollout {
  readonly lease: Lease;
  /** Half of its attention cache that holds the last committed chunk, 0 before the first. */
  readonly previous: 0 | 1 | 2;
  /** @throws DeviceLostError once the model is gone, LongtakeError `internal` once the rollout is closed */
  throwIfClosed(): void;
  /** Chunks were committed in one pass: it wrote the other half of the cache. */
  advance(chunks: number): void;
}

interface Job {
  rollout: Rollout;
  chunk: Chunk;
  signal: AbortSignal | undefined;
}

export interface DenoiseJob extends Job {
  levels: readonly number[];
  noise: NoiseKey | Float32Array;
  /** Commit what the chunk becomes. */
  thenCommit: boolean;
}

/**
 * Records and submits the passes of rollouts. Calls of several rollouts that wait at the same time go in common passes:
 * denoising with equal levels, and commits of one chunk. A rollout's numbers do not depend on who else is in a pass.
 */
export class RolloutPasses {
  readonly #model: WebGpuWorldModel;
  readonly #denoising: CallKind<DenoiseJob, Float32Array> = {
    ...{ long: true, most: mostOf, run: (calls) => this.#denoise(calls) },
    fits: (job, other) =>
      canMerge(job, other) &&
      job.thenCommit === other.thenCommit &&
      job.noise instanceof Float32Array === other.noise instanceof Float32Array &&
      job.levels.length === other.levels.length &&
      job.levels.every((level, step) => level === other.levels[step]),
  };
  readonly #committing: CallKind<Job, void> = {
    ...{ long: false, fits: canMerge, most: mostOf, run: (calls) => this.#commit(calls) },
  };

  constructor(model: WebGpuWorldModel) {
    this.#model = model;
  }

  /** @returns the finished latents [F, S, c] @throws LongtakeError `cancelled` between passes, DeviceLostError */
  denoise(job: Omit<DenoiseJob, 'thenCommit'>): Promise<Float32Array> {
    return this.#model.turns.add(this.#denoising, { ...job, thenCommit: false });
  }

  /** As `denoise`; the commit is submitted before the latents are read. */
  async generate(job: Omit<DenoiseJob, 'thenCommit'>): Promise<Generated> {
    const latents = await this.#model.turns.add(this.#denoising, { ...job, thenCommit: true });
    return { latents, committed: Promise.resolve() };
  }

  /** @throws LongtakeError `cancelled` between passes, DeviceLostError */
  commit(rollout: Rollout, chunks: readonly Chunk[], signal: AbortSignal | undefined): Promise<void> {
    const { turns } = this.#model;
    const [chunk] = chunks;
    if (chunk && chunks.length === 1) return turns.add(this.#committing, { rollout, chunk, signal });
    return turns.alone(() => this.#commitMany(rollout, chunks, signal), { long: true });
  }

  /** Launch values of a pass over chunks of rollouts, as many of each. */
  launch(rollouts: readonly RolloutLaunch[], chunks: number): LaunchValues {
    const { grid, framesPerChunk } = this.#model.spec;
    const frames = chunks * framesPerChunk;
    const tokens = rollouts.length * frames * grid.rows * grid.columns;
    return { tokens, frames, chunks, levelRow: 0, ratio: 0, stream: 0, rollouts };
  }

  /** Writes the inputs of a pass but the launch values. @param given take every token as given, whatever its mask */
  write(
    memory: PassMemory,
    chunks: readonly Chunk[],
    latents: readonly Float32Array[],
    given: boolean,
  ): void {
    const { grid, attention } = this.#model.spec;
    memory.write('latents', latents);
    memory.write(
      'mask',
      chunks.map(({ mask }) => (given ? new Uint32Array(mask.length) : new Uint32Array(mask))),
    );
    memory.write(
      'rays',
      chunks.map(({ rays }) => rays),
    );
    memory.write(
      'known',
      chunks.map(({ cameraKnown }) => new Uint32Array(cameraKnown)),
    );
    const times = chunks.flatMap((chunk) => [...chunk.times]);
    memory.write('rotations', [rotations(grid, attention.rope, times)]);
  }

  async #denoise(calls: readonly Waiting<DenoiseJob, Float32Array>[]): Promise<void> {
    const model = this.#model;
    await model.ready();
    const open = calls.filter(isWanted);
    if (open.length === 0) return;
    const jobs = open.map(({ job }) => job);
    const [{ rollout, levels, noise }] = jobs as [DenoiseJob];
    const { bank } = rollout.lease;
    const plan = jobs.length > 1 ? model.merged.denoise(jobs.length) : model.denoisePlan;
    const bound = await model.bound(plan, bank);
    const before = bound.before.filter(
      ({ operation }) => !(noise instanceof Float32Array) || operation.program.file !== 'noise.wgsl',
    );
    const memory = model.memoryOf(plan, bank);
    const chunks = jobs.map(({ chunk }) => chunk);
    this.write(memory, chunks, jobs.map(startOf), false);
    const launch = this.launch(
      jobs.map((job) => launchOf(job.rollout, job.noise)),
      1,
    );
    // The last slot is the level table's.
    const window = LAUNCH_SLOTS - 1;
    const { length } = chunks[0]!.latents;
    const floats = open.length * length;
    for (let step = 0; step + 1 < levels.length; step++) {
      if (step > 0) await model.ready();
      if (open.filter(isWanted).length === 0) return;
      const levelRow = model.levelRow(levels.slice(step, -1));
      model.writeLaunch({ ...launch, levelRow, ratio: levels[step + 1]! / levels[step]! }, step % window);
      const operations = [...(step === 0 ? before : []), ...bound.step];
      const isLast = step + 2 === levels.length;
      model.submit('denoise step', operations, step % window, (encoder) => {
        if (isLast) memory.copyLatents(encoder, floats);
      });
    }
    if (open.filter(isWanted).length === 0) return;
    // Copied in the last step, so the commit may follow at once.
    if (jobs[0]!.thenCommit) await this.#commitMade(jobs, memory);
    const latents = await memory.readLatents(floats);
    open.forEach((call, index) => {
      if (isWanted(call)) call.resolve(latents.slice(index * length, (index + 1) * length));
    });
  }

  /** Commits chunks that were denoised just now: their latents and cameras still lie in the inputs. */
  async #commitMade(jobs: readonly DenoiseJob[], memory: PassMemory): Promise<void> {
    const model = this.#model;
    const plan = this.#commitPlan(jobs.length);
    const { step } = await model.bound(plan, jobs[0]!.rollout.lease.bank);
    await model.ready();
    memory.write(
      'mask',
      jobs.map(({ chunk }) => new Uint32Array(chunk.mask.length)),
    );
    this.#submitCommit(plan.extent, step, jobs);
  }

  #commitPlan(count: number): Plan {
    return count > 1 ? this.#model.merged.commit(count) : this.#model.commitPlans.at(-1)!;
  }

  async #commit(calls: readonly Waiting<Job, void>[]): Promise<void> {
    const model = this.#model;
    await model.ready();
    const open = calls.filter(isWanted);
    if (open.length === 0) return;
    const jobs = open.map(({ job }) => job);
    const { bank } = jobs[0]!.rollout.lease;
    const plan = this.#commitPlan(jobs.length);
    const { step } = await model.bound(plan, bank);
    this.#writeGiven(
      model.memoryOf(plan, bank),
      jobs.map(({ chunk }) => chunk),
    );
    this.#submitCommit(plan.extent, step, jobs);
    for (const call of open) call.resolve();
  }

  async #commitMany(
    rollout: Rollout,
    chunks: readonly Chunk[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const model = this.#model;
    const { bank } = rollout.lease;
    for (let start = 0; start < chunks.length;) {
      const left = chunks.length - start;
      const plan = model.commitPlans.find(({ extent }) => extent.chunks <= left)!;
      const { step } = await model.bound(plan, bank);
      await model.ready();
      throwIfOver({ rollout, signal });
      const batch = chunks.slice(start, start + plan.extent.chunks);
      this.#writeGiven(model.memoryOf(plan, bank), batch);
      this.#submitCommit(plan.extent, step, [{ rollout }]);
      start += plan.extent.chunks;
    }
  }

  #writeGiven(memory: PassMemory, chunks: readonly Chunk[]): void {
    const latents = chunks.map((chunk) => chunk.latents);
    this.write(memory, chunks, latents, true);
  }

  #submitCommit(
    extent: Extent,
    operations: readonly BoundOperation[],
    jobs: readonly Pick<Job, 'rollout'>[],
  ): void {
    const model = this.#model;
    const rollouts = jobs.map(({ rollout }) => launchOf(rollout, null));
    model.writeLaunch({ ...this.launch(rollouts, extent.chunks), levelRow: model.levelRow([0]) });
    model.submit('commit', operations, 0);
    for (const { rollout } of jobs) rollout.advance(extent.chunks);
  }
}

/** Launch values of a rollout. @param noise null where none is made */
export function launchOf({ lease, previous }: Rollout, noise: NoiseKey | Float32Array | null): RolloutLaunch {
  const { seed, chunk } = noise instanceof Float32Array || !noise ? { seed: 0, chunk: 0 } : noise;
  return { slot: lease.slot, previous, seed, chunk };
}

function canMerge({ rollout }: Job, { rollout: other }: Job): boolean {
  return rollout !== other && rollout.lease.bank === other.lease.bank;
}

function mostOf({ rollout }: Job): number {
  return rollout.lease.bank.capacity;
}

/** Whether somebody still waits for a call; otherwise it is over. */
function isWanted({ job, reject }: { job: Job; reject(error: unknown): void }): boolean {
  try {
    throwIfOver(job);
    return true;
  } catch (error) {
    reject(error);
    return false;
  }
}

function throwIfOver({ rollout, signal }: Pick<Job, 'rollout' | 'signal'>): void {
  rollout.throwIfClosed();
  throwIfCancelled(signal);
}

/** What a denoise call starts from: the chunk's latents, with noise at the tokens to be generated where it is given. */
function startOf({ chunk, noise }: DenoiseJob): Float32Array {
  if (!(noise instanceof Float32Array)) return chunk.latents;
  const channels = chunk.latents.length / chunk.mask.length;
  return chunk.latents.map((value, i) => (chunk.mask[Math.floor(i / channels)] ? noise[i]! : value));
}
