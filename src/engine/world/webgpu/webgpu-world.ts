import { throwIfCancelled } from '../../cancel.ts';
import type { WorldSpec } from '../../package/model-json.ts';
import type { WorldModel, WorldSession } from '../world-model.ts';
import { type DeviceWeights, uploadWeights } from './device-weights.ts';
import { DeviceLostError } from './errors.ts';
import type { Binding, Gpu } from './gpu.ts';
import { keptNumber } from './hand-over.ts';
import type { Arithmetic, KernelChoice } from './kernel-choice.ts';
import {
  LAUNCH_BYTES,
  LAUNCH_SLOT,
  LAUNCH_SLOTS,
  type LaunchValues,
  packLaunch,
  plainLaunch,
} from './launch.ts';
import { LEVEL_ROWS, LevelTable } from './level-table.ts';
import { MATMUL } from './matmul-options.ts';
import type { Place } from './operation.ts';
import { PassMemory } from './pass-memory.ts';
import { type BoundOperation, bindOperations, type Plan, record } from './plan.ts';
import { RolloutPasses } from './rollout-passes.ts';
import type { BoundPlan, StateBank } from './state-bank.ts';
import { StatePool } from './state-pool.ts';
import { tunedTiles, type Tuning } from './tune.ts';
import { Turns } from './turns.ts';
import { WebGpuWorldSession } from './webgpu-session.ts';
import { makePlans, type MergedPlans, type Plans } from './world-plans.ts';
import { LEVEL_FEATURES, type WorldWeights } from './world-weights.ts';

/** Submissions that may be under way at once: enough to keep the device busy, few enough to cancel quickly. */
const IN_FLIGHT = 2;

export interface WebGpuWorldOptions {
  /** Most chunks of one commit pass. */
  primingChunks: number;
  /** Called as the parts of the model become ready. */
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
  signal?: AbortSignal | undefined;
  choice: KernelChoice;
  tuning?: Tuning | undefined;
  /** Destroy the device with the model. */
  ownsDevice: boolean;
}

/**
 * A world model on a WebGPU device. Weights, inputs and work tensors are shared by all sessions, whose calls therefore take
 * turns; those of several sessions that wait at the same time are carried out in common passes where that is possible.
 */
export class WebGpuWorldModel implements WorldModel {
  readonly backend = 'webgpu';
  readonly spec: WorldSpec;
  readonly gpu: Gpu;
  readonly arithmetic: Arithmetic;
  /** What keys and values of rollouts are kept as on the device. */
  readonly kept: 'f16' | 'f32';
  readonly denoisePlan: Plan;
  /** By number of chunks, largest first; the last is for one chunk. */
  readonly commitPlans: readonly Plan[];
  readonly merged: MergedPlans;
  readonly turns: Turns;
  readonly passes: RolloutPasses;
  readonly #weights: DeviceWeights;
  /** Of passes over one rollout. */
  readonly #memory: PassMemory;
  readonly #pool: StatePool;
  readonly #levelFeatures: GPUBuffer;
  /** Of the level table, which may be filled anew while a chunk's tensors are alive. */
  readonly #levelWork: readonly GPUBuffer[];
  readonly #levelPlan: Plan;
  readonly #tables: GPUBuffer;
  /** What matrices make of the shifts of all levels, where activations are handed on packed. */
  readonly #shifts: ReadonlyMap<string, GPUBuffer>;
  readonly #arena: GPUBuffer;
  readonly #launchGroup: GPUBindGroup;
  readonly #levels = new LevelTable();
  #levelOperations: BoundOperation[] = [];
  readonly #sessions = new Set<WebGpuWorldSession>();
  readonly #inFlight: Promise<unknown>[] = [];
  readonly #ownsDevice: boolean;
  #disposed = false;

  private constructor(
    gpu: Gpu,
    spec: WorldSpec,
    weights: DeviceWeights,
    plans: Plans,
    options: WebGpuWorldOptions,
  ) {
    this.gpu = gpu;
    this.spec = spec;
    this.#weights = weights;
    this.arithmetic = options.choice.arithmetic;
    this.denoisePlan = plans.denoise;
    this.commitPlans = plans.commits;
    this.merged = plans.merged;
    this.turns = new Turns(() => this.#sessions.size > 1);
    this.passes = new RolloutPasses(this);
    this.#ownsDevice = options.ownsDevice;
    this.#memory = new PassMemory(gpu, spec, [plans.denoise, ...plans.commits]);
    this.kept = keptNumber(spec, options.choice);
    this.#pool = new StatePool(gpu, spec, plans.merged, this.kept);
    this.#levelFeatures = gpu.storage('levels', LEVEL_ROWS * LEVEL_FEATURES * 4);
    this.#levelPlan = plans.levels;
    this.#levelWork = plans.levels.workspace.sizes.map((bytes, slot) =>
      gpu.storage(`level work ${slot}`, bytes),
    );
    this.#tables = gpu.storage('modulation', LEVEL_ROWS * (9 * spec.layers.length + 2) * spec.width * 4);
    this.#shifts = new Map(
      plans.levels.sections.step.flatMap(({ places, product }) => {
        const out = places[MATMUL.out];
        if (out?.kind !== 'shifts') return [];
        const bytes = LEVEL_ROWS * product!.options.n * 4;
        return [[out.matrix, gpu.storage(`shifts of ${out.matrix}`, bytes)] as const];
      }),
    );
    this.#arena = gpu.device.createBuffer({
      label: 'launch arena',
      size: LAUNCH_SLOTS * LAUNCH_SLOT,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.#launchGroup = gpu.device.createBindGroup({
      label: 'launch',
      layout: gpu.launchLayout,
      entries: [{ binding: 0, resource: { buffer: this.#arena, size: LAUNCH_BYTES } }],
    });
  }

  /**
   * Allocates everything and makes every pipeline.
   * @throws LongtakeError `backend` (OutOfGpuMemoryError, DeviceLostError), `cancelled`
   */
  static async create(
    gpu: Gpu,
    spec: WorldSpec,
    weights: WorldWeights,
    options: WebGpuWorldOptions,
  ): Promise<WebGpuWorldModel> {
    const device = await uploadWeights(gpu, weights);
    try {
      const makeOwn = (choice: KernelChoice): Plans =>
        makePlans(spec, device.formats, options.primingChunks, choice, gpu.device.limits);
      const { choice, tuning } = options;
      const untuned = makeOwn(choice);
      const tiles = tuning && (await tunedTiles(gpu, untuned, device.buffers, choice, tuning));
      const plans = tiles ? makeOwn({ ...choice, tiles }) : untuned;
      throwIfCancelled(options.signal);
      await compile(gpu, plans, options);
      const model = await gpu.allocate(() => new WebGpuWorldModel(gpu, spec, device, plans, options));
      const level = await bindOperations(gpu, plans.levels.sections.step, (place) =>
        model.resolve(place, plans.levels, null),
      );
      model.#levelOperations = level;
      return model;
    } catch (error) {
      for (const buffer of device.buffers.values()) buffer.destroy();
      throw error;
    }
  }

  /** Bytes allocated on the device for the model, without its sessions. */
  get bytes(): number {
    return this.#weights.bytes + this.#buffers().reduce((sum, buffer) => sum + buffer.size, 0);
  }

  createSession(): Promise<WebGpuWorldSession & WorldSession> {
    return this.turns.alone(async () => {
      this.throwIfGone();
      const session = new WebGpuWorldSession(this, await this.#pool.rent());
      this.#sessions.add(session);
      return session;
    });
  }

  /** Called by a session that is disposed of. */
  forget(session: WebGpuWorldSession): void {
    this.#sessions.delete(session);
    this.turns.between(() => this.#pool.free(session.lease));
  }

  /**
   * @throws DeviceLostError once the device is gone or the model was disposed of, as it is when another rollout finds that
   *   its device failed; LongtakeError `backend` once the device refused a command
   */
  throwIfGone(): void {
    this.gpu.throwIfBroken();
    if (this.#disposed) throw new DeviceLostError('The world model was disposed of.');
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const session of [...this.#sessions]) session.dispose();
    this.#pool.destroy();
    for (const buffer of this.#weights.buffers.values()) buffer.destroy();
    for (const buffer of this.#buffers()) buffer.destroy();
    if (this.#ownsDevice) this.gpu.device.destroy();
  }

  /** The inputs and work tensors that a plan uses for rollouts of a bank. */
  memoryOf(plan: Plan, bank: StateBank): PassMemory {
    return plan.extent.rollouts > 1 ? bank.memory! : this.#memory;
  }

  /** A plan ready to be recorded for rollouts of a bank. */
  bound(plan: Plan, bank: StateBank): Promise<BoundPlan> {
    return bank.bound(plan, (place) => this.resolve(place, plan, bank));
  }

  /**
   * The buffer behind a place of an operation of `plan`.
   * @param bank of the rollouts; null for the level table, which belongs to none
   */
  resolve(place: Place, plan: Plan, bank: StateBank | null): Binding {
    switch (place.kind) {
      case 'weight':
        return { buffer: this.#weights.buffers.get(place.name)! };
      case 'levels':
        return { buffer: this.#levelFeatures };
      case 'input':
        return { buffer: this.memoryOf(plan, bank!).inputs[place.name] };
      case 'state':
        return { buffer: bank!.layers[place.layer]![place.part] };
      case 'work': {
        const work = plan === this.#levelPlan ? this.#levelWork : this.memoryOf(plan, bank!).work;
        return { buffer: work[plan.workspace.slots.get(place.name)!]!, size: place.floats * 4 };
      }
      case 'table': {
        const layerBytes = LEVEL_ROWS * 9 * this.spec.width * 4;
        const bytesOf = (layer: number): number =>
          layer === this.spec.layers.length ? (layerBytes / 9) * 2 : layerBytes;
        return {
          buffer: this.#tables,
          offset: place.layer * layerBytes,
          size: bytesOf(place.layer) + (place.andNext ? bytesOf(place.layer + 1) : 0),
        };
      }
      case 'shifts':
        return { buffer: this.#shifts.get(place.matrix)! };
    }
  }

  /**
   * Row of the modulation table for a level; fills the table when the level is not in it.
   * @param upcoming the level and those needed next
   */
  levelRow(upcoming: readonly number[]): number {
    const known = this.#levels.row(upcoming[0]!);
    if (known !== undefined) return known;
    const features = this.#levels.fill(upcoming) as Float32Array<ArrayBuffer>;
    this.gpu.device.queue.writeBuffer(this.#levelFeatures, 0, features);
    this.writeLaunch(plainLaunch(LEVEL_ROWS), LAUNCH_SLOTS - 1);
    this.submit('levels', this.#levelOperations, LAUNCH_SLOTS - 1);
    return this.#levels.row(upcoming[0]!)!;
  }

  /** Writes launch values into a slot of the arena. */
  writeLaunch(values: LaunchValues, slot = 0): void {
    const bytes = new ArrayBuffer(LAUNCH_SLOT);
    packLaunch(values, bytes, 0);
    this.gpu.device.queue.writeBuffer(this.#arena, slot * LAUNCH_SLOT, bytes);
  }

  /** Makes a slot of the arena current in a pass. */
  beginLaunch(pass: GPUComputePassEncoder, slot: number): void {
    pass.setBindGroup(0, this.#launchGroup, [slot * LAUNCH_SLOT]);
  }

  /** Waits until fewer than IN_FLIGHT submissions are unfinished. @throws DeviceLostError */
  async ready(): Promise<void> {
    while (this.#inFlight.length >= IN_FLIGHT) await this.gpu.guard(this.#inFlight.shift()!);
    this.throwIfGone();
  }

  /**
   * Submits operations as one pass, with the launch values in a slot of the arena.
   * @param after what else is done once the pass is over
   */
  submit(
    label: string,
    operations: readonly BoundOperation[],
    slot: number,
    after?: (encoder: GPUCommandEncoder) => void,
  ): void {
    const { queue } = this.gpu.device;
    const encoder = this.gpu.device.createCommandEncoder({ label });
    const pass = encoder.beginComputePass({ label });
    this.beginLaunch(pass, slot);
    record(pass, operations);
    pass.end();
    after?.(encoder);
    queue.submit([encoder.finish()]);
    const done = queue.onSubmittedWorkDone();
    done.catch(() => undefined);
    this.#inFlight.push(done);
  }

  /** Everything on the device but the weights. */
  #buffers(): GPUBuffer[] {
    const own = [
      this.#levelFeatures,
      ...this.#levelWork,
      this.#tables,
      ...this.#shifts.values(),
      this.#arena,
    ];
    return [...this.#memory.buffers, ...own];
  }
}

async function compile(gpu: Gpu, plans: Plans, options: WebGpuWorldOptions): Promise<void> {
  const { levels, denoise, commits, merged } = plans;
  // Smaller merged passes have no kernels that these have not.
  const several = merged.most > 1 ? [merged.denoise(merged.most), merged.commit(merged.most)] : [];
  const programs = [levels, denoise, ...commits, ...several].flatMap(({ sections }) =>
    [...sections.before, ...sections.step].map(({ program }) => program),
  );
  const pipelines = [...new Set(programs.map((program) => gpu.pipeline(program)))];
  let done = 0;
  options.onProgress?.({ done, total: pipelines.length });
  await Promise.all(
    pipelines.map(async (pipeline) => {
      await pipeline;
      throwIfCancelled(options.signal);
      options.onProgress?.({ done: ++done, total: pipelines.length });
    }),
  );
}
