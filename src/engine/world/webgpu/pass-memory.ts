import type { WorldSpec } from '../../package/model-json.ts';
import type { Gpu } from './gpu.ts';
import type { PassInput } from './operation.ts';
import type { Plan } from './plan.ts';
import { commonSizes } from './workspace.ts';

/** The buffers of passes that are never under way together: inputs and work tensors. */
export class PassMemory {
  readonly inputs: Readonly<Record<PassInput, GPUBuffer>>;
  readonly work: readonly GPUBuffer[];
  readonly #gpu: Gpu;
  /** Latents on their way to the processor: kept, because making a buffer takes longer than a dispatch. */
  readonly #staging: GPUBuffer;

  /**
   * Call inside `Gpu.allocate`.
   * @param plans of the passes
   */
  constructor(gpu: Gpu, spec: WorldSpec, plans: readonly Plan[]) {
    this.#gpu = gpu;
    const { grid, framesPerChunk, latentChannels, attention } = spec;
    const chunks = Math.max(...plans.map(({ extent }) => extent.rollouts * extent.chunks));
    const frames = chunks * framesPerChunk;
    const tokens = frames * grid.rows * grid.columns;
    const { rope } = attention;
    const pairs = grid.rows * rope.row.length + grid.columns * rope.column.length + frames * rope.time.length;
    this.inputs = {
      latents: gpu.storage('latents', tokens * latentChannels * 4),
      mask: gpu.storage('mask', tokens * 4),
      rays: gpu.storage('rays', tokens * 6 * 4),
      known: gpu.storage('known', frames * 4),
      rotations: gpu.storage('rotations', pairs * 8),
    };
    this.#staging = gpu.staging('latents read-back', tokens * latentChannels * 4);
    this.work = commonSizes(plans.map((plan) => plan.workspace)).map((bytes, slot) =>
      gpu.storage(`work ${slot}`, bytes),
    );
  }

  /** Replaces the start of an input by parts, one behind the other. */
  write(name: PassInput, parts: readonly (Float32Array | Uint32Array)[]): void {
    let at = 0;
    for (const part of parts) {
      this.#gpu.device.queue.writeBuffer(this.inputs[name], at, part as Float32Array<ArrayBuffer>);
      at += part.byteLength;
    }
  }

  /** Has an encoder copy the first floats of the latents to where `readLatents` takes them from. */
  copyLatents(encoder: GPUCommandEncoder, floats: number): void {
    encoder.copyBufferToBuffer(this.inputs.latents, 0, this.#staging, 0, floats * 4);
  }

  /** The latents that were copied last, once they are there. */
  async readLatents(floats: number): Promise<Float32Array> {
    await this.#gpu.guard(this.#staging.mapAsync(GPUMapMode.READ, 0, floats * 4));
    try {
      return new Float32Array(this.#staging.getMappedRange(0, floats * 4).slice(0));
    } finally {
      this.#staging.unmap();
    }
  }

  /** All of them. */
  get buffers(): GPUBuffer[] {
    return [...Object.values(this.inputs), ...this.work, this.#staging];
  }

  destroy(): void {
    for (const buffer of this.buffers) buffer.destroy();
  }
}
