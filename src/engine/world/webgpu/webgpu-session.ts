import { throwIfCancelled } from '../../cancel.ts';
import { LongtakeError } from '../../types.ts';
import type { Chunk, NoiseKey, WorldSession, WorldSnapshot } from '../world-model.ts';
import type { LaunchValues } from './launch.ts';
import type { Operation } from './operations.ts';
import { type BoundOperation, bindOperations, type Plan, record, type Section } from './plan.ts';
import { rotations } from './rotations.ts';
import { type OperationTime, timeOperations, timeSpans } from './timings.ts';
import { LAUNCH_SLOTS, type SessionState, type WebGpuWorldModel } from './webgpu-world.ts';

/** A commit of one chunk, or the first denoise step of a chunk from one level to the next, with seeded noise. */
export type SinglePass =
  | { kind: 'commit'; chunk: Chunk }
  | { kind: 'denoise'; chunk: Chunk; level: number; next: number; noise: NoiseKey };

/** One operation of a pass with the contents of its bindings, by number. */
export interface InspectedOperation {
  operation: Operation;
  launch: LaunchValues;
  before: Record<number, ArrayBuffer>;
  after: Record<number, ArrayBuffer>;
}

type BoundPlan = Record<Section, BoundOperation[]>;

/** A rollout on a WebGPU device: the state lies on the device, bind groups are made once. */
export class WebGpuWorldSession implements WorldSession {
  readonly #model: WebGpuWorldModel;
  readonly #state: readonly SessionState[];
  readonly #plans: ReadonlyMap<Plan, BoundPlan>;
  #committed = 0;
  /** Half of the attention caches that holds the last committed chunk. */
  #half: 0 | 1 | 2 = 0;
  #disposed = false;

  private constructor(
    model: WebGpuWorldModel,
    state: readonly SessionState[],
    plans: ReadonlyMap<Plan, BoundPlan>,
  ) {
    this.#model = model;
    this.#state = state;
    this.#plans = plans;
  }

  /** @throws OutOfGpuMemoryError, DeviceLostError */
  static async create(model: WebGpuWorldModel): Promise<WebGpuWorldSession> {
    const { gpu } = model;
    const state = await gpu.allocate(() =>
      stateSizes(model).map(({ scan, cache }, layer) => ({
        scan: gpu.storage(`scan ${layer}`, scan * 4),
        cache: gpu.storage(`cache ${layer}`, 4 * cache * 4),
      })),
    );
    const plans = new Map<Plan, BoundPlan>();
    for (const plan of [model.denoisePlan, ...model.commitPlans]) {
      const bind = (section: Section): Promise<BoundOperation[]> =>
        bindOperations(gpu, plan.sections[section], (place) => model.resolve(place, plan, state));
      plans.set(plan, { before: await bind('before'), step: await bind('step') });
    }
    return new WebGpuWorldSession(model, state, plans);
  }

  get committed(): number {
    return this.#committed;
  }

  commit(chunks: readonly Chunk[], signal?: AbortSignal): Promise<void> {
    for (const chunk of chunks) this.#check(chunk);
    return this.#call(async () => {
      for (let start = 0; start < chunks.length;) {
        const left = chunks.length - start;
        const plan = this.#model.commitPlans.find((candidate) => candidate.chunks <= left)!;
        await this.#commitBatch(plan, chunks.slice(start, start + plan.chunks), signal);
        start += plan.chunks;
        this.#advance(plan.chunks);
      }
    });
  }

  denoise(
    chunk: Chunk,
    levels: readonly number[],
    noise: NoiseKey | Float32Array,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    this.#check(chunk);
    return this.#call(async () => {
      const model = this.#model;
      this.#writeInputs([chunk], chunk.mask);
      const key = noise instanceof Float32Array ? null : noise;
      model.write('latents', key ? chunk.latents : replaceNoised(chunk, noise as Float32Array));
      const before = this.#bound(model.denoisePlan).before.filter(
        ({ operation }) => key || operation.program.file !== 'noise.wgsl',
      );
      // The last slot is the level table's.
      const window = LAUNCH_SLOTS - 1;
      for (let step = 0; step + 1 < levels.length; step++) {
        const levelRow = model.levelRow(levels.slice(step, -1));
        const values = {
          ...this.#launch(1),
          ...{ levelRow, ratio: levels[step + 1]! / levels[step]! },
          ...{ seed: key?.seed ?? 0, chunk: key?.chunk ?? 0 },
        };
        model.writeLaunch([values], step % window);
        const operations = [...(step === 0 ? before : []), ...this.#bound(model.denoisePlan).step];
        await this.#submit('denoise step', operations, step % window, signal);
      }
      throwIfCancelled(signal);
      return model.readLatents(chunk.latents.length);
    });
  }

  /**
   * Runs one pass an operation at a time, for parity reports and tests.
   * @param visit called after every operation with what its bindings held before and after
   */
  inspect(
    pass: SinglePass,
    visit: (inspected: InspectedOperation) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    this.#check(pass.chunk);
    return this.#call(async () => {
      const { plan, operations, launch } = this.#prepare(pass);
      for (const bound of operations) {
        const before = await this.#contents(bound.operation, plan);
        await this.#submit(bound.operation.name, [bound], 0, signal);
        const after = await this.#contents(bound.operation, plan);
        visit({ operation: bound.operation, launch, before, after });
      }
      if (pass.kind === 'commit') this.#advance(1);
    });
  }

  /**
   * Times every operation of a pass on the device (timings.ts). The state is worthless after a commit pass.
   * @throws LongtakeError `backend` on devices without timestamp queries
   */
  time(pass: SinglePass, repeats: number): Promise<OperationTime[]> {
    this.#check(pass.chunk);
    return this.#call(async () => {
      const { operations } = this.#prepare(pass);
      const begin = (encoder: GPUComputePassEncoder): void => this.#model.beginLaunch(encoder, 0);
      return timeOperations(this.#model.gpu, operations, begin, repeats);
    });
  }

  /**
   * Times whole passes on the device, each in one compute pass as in a rollout: the microseconds of every run. The state
   * is worthless after commit passes.
   * @throws LongtakeError `backend` on devices without timestamp queries
   */
  timeWhole(pass: SinglePass, runs: number): Promise<number[]> {
    this.#check(pass.chunk);
    return this.#call(async () => {
      const { plan } = this.#prepare(pass);
      const begin = (encoder: GPUComputePassEncoder): void => this.#model.beginLaunch(encoder, 0);
      const spans = Array.from({ length: runs }, () => this.#bound(plan).step);
      return timeSpans(this.#model.gpu, spans, begin);
    });
  }

  settle(): Promise<void> {
    return this.#call(async () => {
      const { gpu } = this.#model;
      await gpu.guard(gpu.device.queue.onSubmittedWorkDone());
    });
  }

  snapshot(): Promise<WorldSnapshot> {
    return this.#call(async () => {
      const sizes = stateSizes(this.#model);
      const sources = this.#state.flatMap(({ scan, cache }, layer) => [
        { buffer: scan, bytes: sizes[layer]!.scan * 4 },
        {
          buffer: cache,
          bytes: 2 * sizes[layer]!.cache * 4,
          offset: this.#half === 2 ? 2 * sizes[layer]!.cache * 4 : 0,
        },
      ]);
      const bytes = await this.#model.gpu.read(sources);
      let at = 0;
      const take = (floats: number): Float32Array => {
        const part = new Float32Array(bytes.slice(at, at + floats * 4));
        at += floats * 4;
        return part;
      };
      return {
        committed: this.#committed,
        layers: sizes.map(({ scan, cache }) => ({
          scan: take(scan),
          keys: take(cache),
          values: take(cache),
        })),
      };
    });
  }

  restore(snapshot: WorldSnapshot): Promise<void> {
    return this.#call(async () => {
      const sizes = stateSizes(this.#model);
      const fits =
        snapshot.layers.length === sizes.length &&
        snapshot.layers.every(
          ({ scan, keys, values }, layer) =>
            scan.length === sizes[layer]!.scan &&
            keys.length === sizes[layer]!.cache &&
            values.length === sizes[layer]!.cache,
        );
      if (!fits) throw new LongtakeError('internal', 'The saved state belongs to another world model.');
      const { queue } = this.#model.gpu.device;
      const write = (buffer: GPUBuffer, offset: number, data: Float32Array): void =>
        queue.writeBuffer(buffer, offset, data as Float32Array<ArrayBuffer>);
      snapshot.layers.forEach(({ scan, keys, values }, layer) => {
        write(this.#state[layer]!.scan, 0, scan);
        write(this.#state[layer]!.cache, 0, keys);
        write(this.#state[layer]!.cache, keys.byteLength, values);
      });
      this.#committed = snapshot.committed;
      this.#half = snapshot.committed > 0 ? 1 : 0;
    });
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const { scan, cache } of this.#state) {
      scan.destroy();
      cache.destroy();
    }
    this.#model.forget(this);
  }

  /** Writes the inputs and launch values (slot 0) of a pass. */
  #prepare(pass: SinglePass): { plan: Plan; operations: readonly BoundOperation[]; launch: LaunchValues } {
    const model = this.#model;
    const { chunk } = pass;
    const commit = pass.kind === 'commit';
    const plan = commit ? model.commitPlans.at(-1)! : model.denoisePlan;
    this.#writeInputs([chunk], commit ? new Uint8Array(chunk.mask.length) : chunk.mask);
    model.write('latents', chunk.latents);
    const launch: LaunchValues = {
      ...this.#launch(1),
      levelRow: model.levelRow([commit ? 0 : pass.level]),
      ...(commit ? {} : { ratio: pass.next / pass.level, ...pass.noise }),
    };
    model.writeLaunch([launch]);
    const { before, step } = this.#bound(plan);
    return { plan, operations: [...before, ...step], launch };
  }

  /** What the bindings of an operation hold, by number. */
  async #contents(operation: Operation, plan: Plan): Promise<Record<number, ArrayBuffer>> {
    const contents: Record<number, ArrayBuffer> = {};
    for (const [number, place] of Object.entries(operation.places)) {
      const { buffer, offset = 0, size } = this.#model.resolve(place, plan, this.#state);
      const bytes = size ?? buffer.size - offset;
      contents[Number(number)] = await this.#model.gpu.read([{ buffer, offset, bytes }]);
    }
    return contents;
  }

  async #commitBatch(plan: Plan, chunks: readonly Chunk[], signal: AbortSignal | undefined): Promise<void> {
    const model = this.#model;
    const given = new Uint8Array(chunks.length * chunks[0]!.mask.length);
    this.#writeInputs(chunks, given);
    model.write('latents', joined(chunks.map(({ latents }) => latents)));
    const levelRow = model.levelRow([0]);
    model.writeLaunch([{ ...this.#launch(chunks.length), levelRow }]);
    await this.#submit('commit', this.#bound(plan).step, 0, signal);
  }

  async #submit(
    label: string,
    operations: readonly BoundOperation[],
    slot: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await this.#model.submit(() => {
      const encoder = this.#model.gpu.device.createCommandEncoder({ label });
      const pass = encoder.beginComputePass({ label });
      this.#model.beginLaunch(pass, slot);
      record(pass, operations);
      pass.end();
      return encoder.finish();
    }, signal);
  }

  /** Counts chunks that a pass committed: it wrote the other half of the caches. */
  #advance(chunks: number): void {
    this.#committed += chunks;
    this.#half = this.#half === 1 ? 2 : 1;
  }

  #launch(chunks: number): LaunchValues {
    const { grid, framesPerChunk } = this.#model.spec;
    const frames = chunks * framesPerChunk;
    return {
      ...{ frames, tokens: frames * grid.rows * grid.columns, previous: this.#half },
      ...{ levelRow: 0, ratio: 0, seed: 0, chunk: 0, stream: 0 },
    };
  }

  #writeInputs(chunks: readonly Chunk[], mask: Uint8Array): void {
    const { grid, attention } = this.#model.spec;
    this.#model.write('mask', Uint32Array.from(mask));
    this.#model.write('rays', joined(chunks.map(({ rays }) => rays)));
    this.#model.write('known', Uint32Array.from(chunks.flatMap(({ cameraKnown }) => [...cameraKnown])));
    const times = chunks.flatMap((chunk) => [...chunk.times]);
    this.#model.write('rotations', rotations(grid, attention.rope, times));
  }

  #bound(plan: Plan): BoundPlan {
    return this.#plans.get(plan)!;
  }

  #call<T>(call: () => Promise<T>): Promise<T> {
    return this.#model.inTurn(async () => {
      if (this.#disposed) throw new LongtakeError('internal', 'The rollout was closed.');
      this.#model.gpu.throwIfBroken();
      return call();
    });
  }

  #check(chunk: Chunk): void {
    const { grid, framesPerChunk: frames, latentChannels } = this.#model.spec;
    const tokens = frames * grid.rows * grid.columns;
    const fits =
      chunk.latents.length === tokens * latentChannels &&
      chunk.mask.length === tokens &&
      chunk.rays.length === tokens * 6 &&
      chunk.cameraKnown.length === frames &&
      chunk.times.length === frames;
    if (!fits) throw new LongtakeError('internal', 'A chunk does not have the shape of the world model.');
  }
}

/** Floats of a session's state by layer: scan states, and keys (or values) of the attention cache. */
function stateSizes(model: WebGpuWorldModel): { scan: number; cache: number }[] {
  const { grid, framesPerChunk, width, layers, scan } = model.spec;
  const tokens = grid.rows * grid.columns;
  return layers.map(({ block }) => ({
    scan: (tokens / (block[0] * block[1])) * scan.heads * scan.keyLength * scan.valueLength,
    cache: framesPerChunk * tokens * width,
  }));
}

/** The chunk's latents with noise at the tokens to be generated. */
function replaceNoised(chunk: Chunk, noise: Float32Array): Float32Array {
  const channels = chunk.latents.length / chunk.mask.length;
  return chunk.latents.map((value, i) => (chunk.mask[Math.floor(i / channels)] ? noise[i]! : value));
}

function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
