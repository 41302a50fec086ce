import type { WorldSpec } from '../../package/model-json.ts';
import type { Gpu } from './gpu.ts';
import type { PassInput } from './operations.ts';
import type { Plan } from './plan.ts';
import { commonSizes } from './workspace.ts';

/** The buffers of passes that are never under way together: inputs and work tensors. */
export class PassMemory {
  readonly inputs: Readonly<Record<PassInput, GPUBuffer>>;
  readonly work: readonly GPUBuffer[];
  readonly #gpu: Gpu;

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

  /** Copies the first floats of the latents back. */
  async readLatents(floats: number): Promise<Float32Array> {
    return new Float32Array(await this.#gpu.read([{ buffer: this.inputs.latents, bytes: floats * 4 }]));
  }

  /** All of them. */
  get buffers(): GPUBuffer[] {
    return [...Object.values(this.inputs), ...this.work];
  }

  destroy(): void {
    for (const buffer of this.buffers) buffer.destroy();
  }
}
