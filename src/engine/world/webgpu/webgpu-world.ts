import { throwIfCancelled } from '../../cancel.ts';
import type { WorldSpec } from '../../package/model-json.ts';
import type { WorldModel, WorldSession } from '../world-model.ts';
import { type DeviceWeights, uploadWeights } from './device-weights.ts';
import { type Binding, type Gpu, LAUNCH_BYTES, LAUNCH_SLOT } from './gpu.ts';
import type { Arithmetic, KernelChoice } from './kernel-choice.ts';
import { type LaunchValues, packLaunch } from './launch.ts';
import { LevelTable } from './level-table.ts';
import { LEVEL_ROWS, type Place } from './operations.ts';
import { type BoundOperation, bindOperations, type Plan, record } from './plan.ts';
import { tunedTiles, type Tuning } from './tune.ts';
import { WebGpuWorldSession } from './webgpu-session.ts';
import { commonSizes } from './workspace.ts';
import { makePlans, type Plans } from './world-plans.ts';
import { LEVEL_FEATURES, type WorldWeights } from './world-weights.ts';

/** Slots of the uniform arena: one a pass of a call; longer calls write it again. */
export const LAUNCH_SLOTS = 64;

/** Submissions that may be under way at once: enough to keep the device busy, few enough to cancel quickly. */
const IN_FLIGHT = 2;

/** What a session binds beside the shared buffers. */
export interface SessionState {
  scan: GPUBuffer;
  /** [2, 2, F·S, d], a ring of two chunks: keys, values. */
  cache: GPUBuffer;
}

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

type InputName = Extract<Place, { kind: 'input' }>['name'];

/**
 * A world model on a WebGPU device. Buffers are allocated once: weights, inputs and work tensors are shared by all
 * sessions, whose calls therefore take turns; a session owns its state alone.
 */
export class WebGpuWorldModel implements WorldModel {
  readonly backend = 'webgpu';
  readonly spec: WorldSpec;
  readonly gpu: Gpu;
  readonly arithmetic: Arithmetic;
  readonly denoisePlan: Plan;
  /** By number of chunks, largest first; the last is for one chunk. */
  readonly commitPlans: readonly Plan[];
  readonly #weights: DeviceWeights;
  readonly #inputs: Readonly<Record<InputName, GPUBuffer>>;
  readonly #work: readonly GPUBuffer[];
  /** Of the level table, which may be filled anew while a chunk's tensors are alive. */
  readonly #levelWork: readonly GPUBuffer[];
  readonly #levelPlan: Plan;
  readonly #tables: GPUBuffer;
  readonly #arena: GPUBuffer;
  readonly #launchGroup: GPUBindGroup;
  readonly #levels = new LevelTable();
  #levelOperations: BoundOperation[] = [];
  readonly #sessions = new Set<WebGpuWorldSession>();
  readonly #inFlight: Promise<unknown>[] = [];
  readonly #ownsDevice: boolean;
  #turn: Promise<unknown> = Promise.resolve();
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
    this.#ownsDevice = options.ownsDevice;
    const { grid, framesPerChunk, latentChannels, attention } = spec;
    const frames = framesPerChunk * plans.commits[0]!.chunks;
    const tokens = frames * grid.rows * grid.columns;
    const { rope } = attention;
    const pairs = grid.rows * rope.row.length + grid.columns * rope.column.length + frames * rope.time.length;
    this.#inputs = {
      latents: gpu.storage('latents', tokens * latentChannels * 4),
      mask: gpu.storage('mask', tokens * 4),
      rays: gpu.storage('rays', tokens * 6 * 4),
      known: gpu.storage('known', frames * 4),
      rotations: gpu.storage('rotations', pairs * 8),
      levels: gpu.storage('levels', LEVEL_ROWS * LEVEL_FEATURES * 4),
    };
    this.#work = commonSizes([plans.denoise, ...plans.commits].map((plan) => plan.workspace)).map(
      (bytes, slot) => gpu.storage(`work ${slot}`, bytes),
    );
    this.#levelPlan = plans.levels;
    this.#levelWork = plans.levels.workspace.sizes.map((bytes, slot) =>
      gpu.storage(`level work ${slot}`, bytes),
    );
    this.#tables = gpu.storage('modulation', LEVEL_ROWS * (9 * spec.layers.length + 2) * spec.width * 4);
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
        makePlans(spec, device.formats, options.primingChunks, choice);
      const { choice, tuning } = options;
      const untuned = makeOwn(choice);
      const tiles = tuning && (await tunedTiles(gpu, untuned, device.buffers, choice, tuning));
      const plans = tiles ? makeOwn({ ...choice, tiles }) : untuned;
      throwIfCancelled(options.signal);
      await compile(gpu, plans, options);
      const model = await gpu.allocate(() => new WebGpuWorldModel(gpu, spec, device, plans, options));
      const level = await bindOperations(gpu, plans.levels.sections.step, (place) =>
        model.resolve(place, plans.levels, []),
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

  async createSession(): Promise<WebGpuWorldSession & WorldSession> {
    this.gpu.throwIfBroken();
    const session = await WebGpuWorldSession.create(this);
    this.#sessions.add(session);
    return session;
  }

  /** Called by a session that is disposed of. */
  forget(session: WebGpuWorldSession): void {
    this.#sessions.delete(session);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const session of [...this.#sessions]) session.dispose();
    for (const buffer of this.#weights.buffers.values()) buffer.destroy();
    for (const buffer of this.#buffers()) buffer.destroy();
    if (this.#ownsDevice) this.gpu.device.destroy();
  }

  /** Runs a call after all earlier ones of any session: they share the work tensors. */
  inTurn<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(call);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Replaces the start of an input buffer. */
  write(name: InputName, data: Float32Array | Uint32Array): void {
    this.gpu.device.queue.writeBuffer(this.#inputs[name], 0, data as Float32Array<ArrayBuffer>);
  }

  /** Copies the first floats of the latents back. */
  async readLatents(floats: number): Promise<Float32Array> {
    return new Float32Array(await this.gpu.read([{ buffer: this.#inputs.latents, bytes: floats * 4 }]));
  }

  /** The buffer behind a place of an operation of `plan`. */
  resolve(place: Place, plan: Plan, state: readonly SessionState[]): Binding {
    switch (place.kind) {
      case 'weight':
        return { buffer: this.#weights.buffers.get(place.name)! };
      case 'input':
        return { buffer: this.#inputs[place.name] };
      case 'state':
        return { buffer: state[place.layer]![place.part] };
      case 'work':
        return {
          buffer: (plan === this.#levelPlan ? this.#levelWork : this.#work)[
            plan.workspace.slots.get(place.name)!
          ]!,
          size: place.floats * 4,
        };
      case 'table': {
        const layerBytes = LEVEL_ROWS * 9 * this.spec.width * 4;
        const last = place.layer === this.spec.layers.length;
        return {
          buffer: this.#tables,
          offset: place.layer * layerBytes,
          size: last ? (layerBytes / 9) * 2 : layerBytes,
        };
      }
    }
  }

  /**
   * Row of the modulation table for a level; fills the table when the level is not in it.
   * @param upcoming the level and those needed next
   */
  levelRow(upcoming: readonly number[]): number {
    const known = this.#levels.row(upcoming[0]!);
    if (known !== undefined) return known;
    this.write('levels', this.#levels.fill(upcoming));
    const values: LaunchValues = {
      tokens: LEVEL_ROWS,
      frames: 0,
      levelRow: 0,
      previous: 0,
      ratio: 0,
      seed: 0,
      chunk: 0,
      stream: 0,
    };
    this.writeLaunch([values], LAUNCH_SLOTS - 1);
    const encoder = this.gpu.device.createCommandEncoder({ label: 'levels' });
    const pass = encoder.beginComputePass({ label: 'levels' });
    this.beginLaunch(pass, LAUNCH_SLOTS - 1);
    record(pass, this.#levelOperations);
    pass.end();
    this.gpu.device.queue.submit([encoder.finish()]);
    return this.#levels.row(upcoming[0]!)!;
  }

  /** Writes launch values into the arena from a slot on. */
  writeLaunch(values: readonly LaunchValues[], firstSlot = 0): void {
    const bytes = new ArrayBuffer(values.length * LAUNCH_SLOT);
    values.forEach((launch, slot) => packLaunch(launch, bytes, slot));
    this.gpu.device.queue.writeBuffer(this.#arena, firstSlot * LAUNCH_SLOT, bytes);
  }

  /** Makes a slot of the arena current in a pass. */
  beginLaunch(pass: GPUComputePassEncoder, slot: number): void {
    pass.setBindGroup(0, this.#launchGroup, [slot * LAUNCH_SLOT]);
  }

  /**
   * Submits a command buffer once fewer than IN_FLIGHT earlier ones are unfinished.
   * @throws DeviceLostError; LongtakeError `cancelled` when the signal was raised meanwhile
   */
  async submit(commands: () => GPUCommandBuffer, signal: AbortSignal | undefined): Promise<void> {
    while (this.#inFlight.length >= IN_FLIGHT) await this.gpu.guard(this.#inFlight.shift()!);
    throwIfCancelled(signal);
    this.gpu.throwIfBroken();
    this.gpu.device.queue.submit([commands()]);
    const done = this.gpu.device.queue.onSubmittedWorkDone();
    done.catch(() => undefined);
    this.#inFlight.push(done);
  }

  /** Everything on the device but the weights. */
  #buffers(): GPUBuffer[] {
    return [...Object.values(this.#inputs), ...this.#work, ...this.#levelWork, this.#tables, this.#arena];
  }
}

async function compile(gpu: Gpu, plans: Plans, options: WebGpuWorldOptions): Promise<void> {
  const programs = [plans.levels, plans.denoise, ...plans.commits].flatMap(({ sections }) =>
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
