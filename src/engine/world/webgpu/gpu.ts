import { LongtakeError } from '../../types.ts';
import { DeviceLostError, OutOfGpuMemoryError } from './errors.ts';
import { LAUNCH_BYTES } from './launch.ts';
import { preprocess, type KernelSources } from './preprocess.ts';
import { type Program, programKey } from './program.ts';

/** Part of a buffer bound to a kernel. */
export interface Binding {
  buffer: GPUBuffer;
  offset?: number;
  size?: number;
}

/** A device with the pipelines and layouts made on it so far. Layouts are explicit and shared between pipelines. */
export class Gpu {
  readonly device: GPUDevice;
  readonly launchLayout: GPUBindGroupLayout;
  readonly sources: KernelSources;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  #lost: string | undefined;
  /** Buffers made by the allocation under way. */
  #allocating: GPUBuffer[] | null = null;
  /** An error that no scope caught: what was computed since then may be wrong. */
  #fault: string | undefined;

  constructor(device: GPUDevice, sources: KernelSources) {
    this.device = device;
    this.sources = sources;
    this.launchLayout = device.createBindGroupLayout({
      label: 'launch',
      entries: [
        {
          binding: 0,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize: LAUNCH_BYTES },
        },
      ],
    });
    device.addEventListener('uncapturederror', ({ error }) => {
      this.#fault ??= error.message;
    });
    void device.lost.then((info) => {
      this.#lost = info.message || info.reason;
    });
  }

  /** @throws DeviceLostError once the device is gone, LongtakeError `backend` once it refused a command */
  throwIfBroken(): void {
    if (this.#lost !== undefined) throw new DeviceLostError(this.#lost);
    if (this.#fault !== undefined) {
      throw new LongtakeError('backend', 'The graphics device failed while making frames.', {
        cause: new Error(this.#fault),
      });
    }
  }

  /**
   * Awaits GPU work; whatever it rejects with when the device goes away becomes a DeviceLostError.
   */
  async guard<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      this.throwIfBroken();
      return result;
    } catch (cause) {
      // `lost` may settle a moment after the rejection that the loss caused.
      await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, 20))]);
      this.throwIfBroken();
      if (cause instanceof LongtakeError) throw cause;
      throw new LongtakeError('backend', 'The graphics device failed while making frames.', { cause });
    }
  }

  /**
   * Runs `allocate` with error scopes around it. Where it fails, the buffers it made by this class's methods are gone.
   * @throws OutOfGpuMemoryError, LongtakeError `backend` when an object is invalid (e.g. beyond a limit)
   */
  async allocate<T>(allocate: () => T): Promise<T> {
    this.throwIfBroken();
    this.device.pushErrorScope('out-of-memory');
    this.device.pushErrorScope('validation');
    let result: T;
    const made: GPUBuffer[] = (this.#allocating = []);
    const undo = (): void => made.forEach((buffer) => buffer.destroy());
    try {
      result = allocate();
    } catch (cause) {
      void this.device.popErrorScope();
      void this.device.popErrorScope();
      undo();
      if (cause instanceof RangeError) throw new OutOfGpuMemoryError(cause.message);
      throw cause;
    } finally {
      this.#allocating = null;
    }
    const scopes = Promise.all([this.device.popErrorScope(), this.device.popErrorScope()]);
    const [validation, memory] = await this.guard(scopes).catch((error: unknown) => {
      undo();
      throw error;
    });
    if (memory || validation) undo();
    if (memory) throw new OutOfGpuMemoryError(memory.message);
    if (validation) {
      throw new LongtakeError('backend', 'This graphics device cannot hold the model.', {
        cause: new Error(validation.message),
      });
    }
    return result;
  }

  /** A storage buffer that can be copied from and to. Bytes are rounded up to a multiple of 4. */
  storage(label: string, bytes: number): GPUBuffer {
    const buffer = this.device.createBuffer({
      label,
      size: Math.max(4, Math.ceil(bytes / 4) * 4),
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    this.#allocating?.push(buffer);
    return buffer;
  }

  /** A buffer for launch values. */
  uniform(label: string, bytes: number): GPUBuffer {
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    const buffer = this.device.createBuffer({ label, size: bytes, usage });
    this.#allocating?.push(buffer);
    return buffer;
  }

  /** A buffer that timestamps are copied to. */
  timestamps(label: string, bytes: number): GPUBuffer {
    const usage = GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC;
    const buffer = this.device.createBuffer({ label, size: bytes, usage });
    this.#allocating?.push(buffer);
    return buffer;
  }

  /** A buffer that the processor can read what is copied to it from. */
  staging(label: string, bytes: number): GPUBuffer {
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const buffer = this.device.createBuffer({ label, size: bytes, usage });
    this.#allocating?.push(buffer);
    return buffer;
  }

  /** A storage buffer with contents. */
  upload(label: string, data: Float32Array | Uint32Array | Int32Array): GPUBuffer {
    const buffer = this.storage(label, data.byteLength);
    this.device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
    return buffer;
  }

  /** The pipeline of a program; made once, asynchronously. */
  pipeline(program: Program): Promise<GPUComputePipeline> {
    const key = programKey(program);
    let pipeline = this.#pipelines.get(key);
    if (!pipeline) {
      pipeline = this.#createPipeline(program);
      this.#pipelines.set(key, pipeline);
    }
    return pipeline;
  }

  bindGroup(program: Program, bindings: Readonly<Record<number, Binding>>): GPUBindGroup {
    return this.device.createBindGroup({
      label: program.file,
      layout: this.#layout(program),
      entries: Object.keys(program.bindings).map((number) => {
        const binding = bindings[Number(number)];
        if (!binding) throw new LongtakeError('internal', `${program.file}: binding ${number} is not given.`);
        return { binding: Number(number), resource: binding };
      }),
    });
  }

  /** Copies buffers (or their first bytes) to the CPU. */
  async read(
    sources: readonly { buffer: GPUBuffer; bytes: number; offset?: number }[],
  ): Promise<ArrayBuffer> {
    this.throwIfBroken();
    const size = sources.reduce((sum, source) => sum + source.bytes, 0);
    const staging = await this.allocate(() => this.staging('read-back', size));
    try {
      const encoder = this.device.createCommandEncoder({ label: 'read-back' });
      let at = 0;
      for (const source of sources) {
        encoder.copyBufferToBuffer(source.buffer, source.offset ?? 0, staging, at, source.bytes);
        at += source.bytes;
      }
      this.device.queue.submit([encoder.finish()]);
      await this.guard(staging.mapAsync(GPUMapMode.READ));
      return staging.getMappedRange().slice(0);
    } finally {
      staging.destroy();
    }
  }

  #layout(program: Program): GPUBindGroupLayout {
    const key = JSON.stringify(Object.entries(program.bindings));
    let layout = this.#layouts.get(key);
    if (!layout) {
      layout = this.device.createBindGroupLayout({
        label: key,
        entries: Object.entries(program.bindings).map(([number, access]) => ({
          binding: Number(number),
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
        })),
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  async #createPipeline(program: Program): Promise<GPUComputePipeline> {
    this.throwIfBroken();
    const code = preprocess(this.sources, program.file, program.constants);
    // What is wrong with a shader is told by its compilation info below, not by an uncaptured error.
    this.device.pushErrorScope('validation');
    const module = this.device.createShaderModule({ label: program.file, code });
    this.device.popErrorScope().catch(() => undefined);
    try {
      return await this.device.createComputePipelineAsync({
        label: program.file,
        layout: this.device.createPipelineLayout({
          label: program.file,
          bindGroupLayouts: [this.launchLayout, this.#layout(program)],
        }),
        compute: { module, entryPoint: 'main' },
      });
    } catch (cause) {
      const { messages } = await this.guard(module.getCompilationInfo());
      const said = messages.map((message) => `${message.lineNum}: ${message.message}`).join('; ');
      this.throwIfBroken();
      throw new LongtakeError('backend', `This graphics device does not accept the kernel ${program.file}.`, {
        cause: new Error(`${said} ${cause instanceof Error ? cause.message : ''}`),
      });
    }
  }
}
