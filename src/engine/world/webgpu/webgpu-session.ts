import { throwIfCancelled } from '../../cancel.ts';
import { LongtakeError } from '../../types.ts';
import type { Chunk, Generated, NoiseKey, WorldSession, WorldSnapshot } from '../world-model.ts';
import { fromHalf, toHalves } from './half.ts';
import type { LaunchValues } from './launch.ts';
import type { Operation } from './operation.ts';
import type { BoundOperation, Plan } from './plan.ts';
import { launchOf, type Rollout } from './rollout-passes.ts';
import type { BoundPlan, Lease } from './state-bank.ts';
import { stateSizes } from './state-sizes.ts';
import { type OperationTime, timeOperations, timeSpans } from './timings.ts';
import type { WebGpuWorldModel } from './webgpu-world.ts';

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

/** A rollout on a WebGPU device: its state lies in a slot of a bank on the device. */
export class WebGpuWorldSession implements WorldSession, Rollout {
  readonly lease: Lease;
  readonly #model: WebGpuWorldModel;
  #committed = 0;
  #previous: 0 | 1 | 2 = 0;
  #closed = false;

  constructor(model: WebGpuWorldModel, lease: Lease) {
    this.#model = model;
    this.lease = lease;
  }

  get committed(): number {
    return this.#committed;
  }

  get previous(): 0 | 1 | 2 {
    return this.#previous;
  }

  throwIfClosed(): void {
    this.#model.throwIfGone();
    if (this.#closed) throw new LongtakeError('internal', 'The rollout was closed.');
  }

  advance(chunks: number): void {
    this.#committed += chunks;
    this.#previous = this.#previous === 1 ? 2 : 1;
  }

  commit(chunks: readonly Chunk[], signal?: AbortSignal): Promise<void> {
    for (const chunk of chunks) this.#check(chunk);
    return this.#model.passes.commit(this, chunks, signal);
  }

  denoise(
    chunk: Chunk,
    levels: readonly number[],
    noise: NoiseKey | Float32Array,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    this.#check(chunk);
    return this.#model.passes.denoise({ rollout: this, chunk, levels, noise, signal });
  }

  generate(
    chunk: Chunk,
    levels: readonly number[],
    noise: NoiseKey | Float32Array,
    signal?: AbortSignal,
  ): Promise<Generated> {
    this.#check(chunk);
    return this.#model.passes.generate({ rollout: this, chunk, levels, noise, signal });
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
      const { plan, bound, launch } = await this.#prepare(pass);
      for (const one of [...bound.before, ...bound.step]) {
        const { operation } = one;
        const before = await this.#contents(operation, plan);
        await this.#model.ready();
        throwIfCancelled(signal);
        this.#model.submit(operation.name, [one], 0);
        visit({ operation, launch, before, after: await this.#contents(operation, plan) });
      }
      if (pass.kind === 'commit') this.advance(1);
    });
  }

  /**
   * Times every operation of a pass on the device (timings.ts). The state is worthless after a commit pass.
   * @throws LongtakeError `backend` on devices without timestamp queries
   */
  time(pass: SinglePass, repeats: number): Promise<OperationTime[]> {
    this.#check(pass.chunk);
    return this.#call(async () => {
      const { before, step } = (await this.#prepare(pass)).bound;
      const begin = (encoder: GPUComputePassEncoder): void => this.#model.beginLaunch(encoder, 0);
      return timeOperations(this.#model.gpu, [...before, ...step], begin, repeats);
    });
  }

  /**
   * Lets `measure` time lists of a pass's operations on the device. The state is worthless after commit passes.
   * @param measure gets the pass's operations and a timer of lists, each run in one compute pass as in a rollout, in microseconds
   * @throws LongtakeError `backend` on devices without timestamp queries
   */
  measure<T>(
    pass: SinglePass,
    measure: (
      step: readonly BoundOperation[],
      time: (lists: readonly (readonly BoundOperation[])[]) => Promise<number[]>,
    ) => Promise<T>,
  ): Promise<T> {
    this.#check(pass.chunk);
    return this.#call(async () => {
      const { bound } = await this.#prepare(pass);
      const begin = (encoder: GPUComputePassEncoder): void => this.#model.beginLaunch(encoder, 0);
      return measure(bound.step, (lists) => timeSpans(this.#model.gpu, lists, begin));
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
      const { sizes, places } = this.#places(this.#previous === 2 ? 2 : 1);
      const bytes = await this.#model.gpu.read(places);
      let at = 0;
      const take = (numbers: number, kind: 'f16' | 'f32'): Float32Array => {
        const start = at;
        at += numbers * bytesOf(kind);
        const part = bytes.slice(start, at);
        return kind === 'f16' ? fromHalf(new Uint16Array(part)) : new Float32Array(part);
      };
      const { kept } = this.#model;
      return {
        committed: this.#committed,
        layers: sizes.map(({ scan, cache }) => ({
          scan: take(scan, 'f32'),
          keys: take(cache, kept),
          values: take(cache, kept),
        })),
      };
    });
  }

  restore(snapshot: WorldSnapshot): Promise<void> {
    return this.#call(async () => {
      const { sizes, places } = this.#places(1);
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
      const { kept } = this.#model;
      const asKept = (numbers: Float32Array): Float32Array | Uint16Array =>
        kept === 'f16' ? toHalves(numbers) : numbers;
      const write = ({ buffer, offset }: (typeof places)[0], data: ArrayBufferView, skip = 0): void =>
        queue.writeBuffer(buffer, offset + skip, data as Uint8Array<ArrayBuffer>);
      snapshot.layers.forEach(({ scan, keys, values }, layer) => {
        const cache = places[2 * layer + 1]!;
        write(places[2 * layer]!, scan);
        write(cache, asKept(keys));
        write(cache, asKept(values), cache.bytes / 2);
      });
      this.#committed = snapshot.committed;
      this.#previous = snapshot.committed > 0 ? 1 : 0;
    });
  }

  dispose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#model.forget(this);
  }

  /**
   * Where the state lies: of every layer the scan states, then keys and values of one half of the attention cache; and how
   * many numbers they are.
   */
  #places(half: 1 | 2): {
    sizes: { scan: number; cache: number }[];
    places: { buffer: GPUBuffer; offset: number; bytes: number }[];
  } {
    const { bank, slot } = this.lease;
    const sizes = stateSizes(this.#model.spec);
    const places = sizes.flatMap(({ scan, cache }, layer) => [
      { buffer: bank.layers[layer]!.scan, offset: slot * scan * 4, bytes: scan * 4 },
      {
        buffer: bank.layers[layer]!.cache,
        offset: (4 * slot + 2 * (half - 1)) * cache * bytesOf(this.#model.kept),
        bytes: 2 * cache * bytesOf(this.#model.kept),
      },
    ]);
    return { sizes, places };
  }

  /** Writes the inputs and launch values (slot 0) of a pass. */
  async #prepare(pass: SinglePass): Promise<{ plan: Plan; bound: BoundPlan; launch: LaunchValues }> {
    const model = this.#model;
    const { passes } = model;
    const { chunk } = pass;
    const commit = pass.kind === 'commit';
    const plan = commit ? model.commitPlans.at(-1)! : model.denoisePlan;
    const { bank } = this.lease;
    const bound = await model.bound(plan, bank);
    passes.write(model.memoryOf(plan, bank), [chunk], [chunk.latents], commit);
    const launch: LaunchValues = {
      ...passes.launch([launchOf(this, commit ? null : pass.noise)], 1),
      levelRow: model.levelRow([commit ? 0 : pass.level]),
      ...(commit ? {} : { ratio: pass.next / pass.level }),
    };
    model.writeLaunch(launch);
    return { plan, bound, launch };
  }

  /** What the bindings of an operation hold, by number. */
  async #contents(operation: Operation, plan: Plan): Promise<Record<number, ArrayBuffer>> {
    const contents: Record<number, ArrayBuffer> = {};
    for (const [number, place] of Object.entries(operation.places)) {
      const { buffer, offset = 0, size } = this.#model.resolve(place, plan, this.lease.bank);
      const bytes = size ?? buffer.size - offset;
      contents[Number(number)] = await this.#model.gpu.read([{ buffer, offset, bytes }]);
    }
    return contents;
  }

  #call<T>(call: () => Promise<T>): Promise<T> {
    return this.#model.turns.alone(async () => {
      this.throwIfClosed();
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

function bytesOf(number: 'f16' | 'f32'): number {
  return number === 'f16' ? 2 : 4;
}
