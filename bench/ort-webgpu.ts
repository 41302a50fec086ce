import { readFile } from 'node:fs/promises';
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import type { WorldPackage } from '../src/engine/package/world-package.ts';
import { inOrtQueue, type OrtModule } from '../src/engine/world/ort/ort-module.ts';
import { preprocess } from '../src/engine/world/webgpu/preprocess.ts';
import { chunkNoise } from '../src/engine/sampler/noise.ts';
import type { Chunk, NoiseKey } from '../src/engine/world/world-model.ts';
import { webGpuOptions } from './ort-runtime.ts';

/** The noise that a rollout starts from. */
export const PROBE_NOISE: NoiseKey = { seed: 1, chunk: 0 };

/**
 * The package's step graphs through onnxruntime's WebGPU provider, as fast as it goes: every tensor stays on the device,
 * runs are captured and replayed where the graph allows it, the sampler step is a kernel of ours between them.
 */
export class OrtWebGpuRollout {
  /** Whether denoise and commit are replayed from a capture; null or why not. */
  readonly notCaptured: { denoise: string | null; commit: string | null };
  readonly #device: GPUDevice;
  readonly #denoise: Graph;
  readonly #commit: Graph;
  readonly #sampler: { pipeline: GPUComputePipeline; groups: number; ratio: GPUBuffer };
  readonly #states: readonly string[];
  #samplerGroup: GPUBindGroup | null = null;

  private constructor(
    device: GPUDevice,
    denoise: Graph,
    commit: Graph,
    sampler: { pipeline: GPUComputePipeline; groups: number; ratio: GPUBuffer },
    states: readonly string[],
  ) {
    this.#device = device;
    this.#denoise = denoise;
    this.#commit = commit;
    this.#sampler = sampler;
    this.#states = states;
    this.notCaptured = { denoise: denoise.notCaptured, commit: commit.notCaptured };
  }

  /**
   * @param device ours; with `shader-f16`, `subgroups` and large limits where it has them
   * @param chunk gives the inputs: rays, times and mask stay for the whole rollout
   * @throws whatever onnxruntime does not support
   */
  static async create(
    module: OrtModule,
    device: GPUDevice,
    pkg: WorldPackage,
    chunk: Chunk,
  ): Promise<OrtWebGpuRollout> {
    const { world } = pkg.model;
    const tokens = chunk.mask.length;
    const frames = world.framesPerChunk;
    const cache = [tokens, world.width];
    const { heads, keyLength, valueLength } = world.scan;
    const shared: Record<string, Input> = {
      z: { type: 'float32', dims: [tokens, world.latentChannels], data: noised(chunk) },
      rays: { type: 'float32', dims: [tokens, 6], data: chunk.rays },
      known: { type: 'float32', dims: [tokens, 1], data: new Float32Array(tokens).fill(1) },
      times: { type: 'float32', dims: [frames], data: Float32Array.from(chunk.times) },
      cache_bias: { type: 'float32', dims: [1], data: new Float32Array(1) },
    };
    const states: string[] = [];
    world.layers.forEach(({ block }, layer) => {
      const blocks = (world.grid.rows * world.grid.columns) / (block[0] * block[1]);
      const scan = [blocks, heads, keyLength, valueLength];
      for (const [name, dims] of [
        ['scan', scan],
        ['keys', cache],
        ['values', cache],
      ] as const) {
        states.push(`${name}.${layer}`);
        const zeros = new Float32Array(dims.reduce((a, b) => a * b, 1));
        shared[`${name}.${layer}`] = { type: 'float32', dims, data: zeros };
      }
    });
    const inputs = new Map(
      Object.entries(shared).map(([name, input]) => [name, place(module, device, input)]),
    );
    const own: Record<string, Input> = {
      level: { type: 'float32', dims: [], data: Float32Array.of(1) },
      noised: { type: 'bool', dims: [tokens, 1], data: chunk.mask },
    };
    const denoiseInputs = new Map([
      ...inputs,
      ...Object.entries(own).map(([name, input]) => [name, place(module, device, input)] as const),
    ]);
    const open = (graph: string, feeds: ReadonlyMap<string, Tensor>): Promise<Graph> =>
      Graph.open(module, device, pkg, graph, feeds, { T: tokens, frames, chunks: 1 });
    const denoise = await open(world.graphs.denoise, denoiseInputs);
    const commit = await open(world.graphs.commit, inputs);
    const count = tokens * world.latentChannels;
    const file = 'sampler-step.wgsl';
    const text = await readFile(new URL(`kernels/${file}`, import.meta.url), 'utf8');
    const code = preprocess(new Map([[file, text]]), file, {
      COUNT: `${count}u`,
      CHANNELS: `${world.latentChannels}u`,
    });
    const pipeline = await device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code }) },
    });
    const ratio = device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
    return new OrtWebGpuRollout(
      device,
      denoise,
      commit,
      { pipeline, groups: Math.ceil(count / 64), ratio },
      states,
    );
  }

  /** Makes and commits one chunk; the latents come to the processor. */
  async chunk(levels: readonly number[]): Promise<Float32Array> {
    const { queue } = this.#device;
    const z = this.#denoise.input('z');
    for (let step = 0; step + 1 < levels.length; step++) {
      queue.writeBuffer(this.#denoise.input('level'), 0, Float32Array.of(levels[step]!));
      queue.writeBuffer(this.#sampler.ratio, 0, Float32Array.of(levels[step + 1]! / levels[step]!));
      const { clean } = await this.#denoise.run();
      this.#submit((encoder) => this.#step(encoder, clean!.gpuBuffer as GPUBuffer));
    }
    const latents = await this.#read(z);
    const next = await this.#commit.run();
    this.#submit((encoder) => {
      for (const name of this.#states) {
        const target = this.#commit.input(name);
        encoder.copyBufferToBuffer(next[`next.${name}`]!.gpuBuffer as GPUBuffer, 0, target, 0, target.size);
      }
    });
    return latents;
  }

  /** One run of the step graph, until the device is done. */
  async step(): Promise<void> {
    await this.#denoise.run();
    await this.#device.queue.onSubmittedWorkDone();
  }

  async dispose(): Promise<void> {
    await this.#denoise.release();
    await this.#commit.release();
  }

  #step(encoder: GPUCommandEncoder, clean: GPUBuffer): void {
    const { pipeline, groups, ratio } = this.#sampler;
    const buffers = [clean, this.#denoise.input('z'), ratio, this.#denoise.input('noised')];
    // A captured run gives the same buffer every time.
    const group =
      this.#samplerGroup ??
      this.#device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
      });
    if (this.#denoise.notCaptured === null) this.#samplerGroup = group;
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(groups);
    pass.end();
  }

  #submit(record: (encoder: GPUCommandEncoder) => void): void {
    const encoder = this.#device.createCommandEncoder();
    record(encoder);
    this.#device.queue.submit([encoder.finish()]);
  }

  async #read(buffer: GPUBuffer): Promise<Float32Array> {
    const staging = this.#device.createBuffer({
      size: buffer.size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    this.#submit((encoder) => encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size));
    await staging.mapAsync(GPUMapMode.READ);
    const copy = new Float32Array(staging.getMappedRange().slice(0));
    staging.destroy();
    return copy;
  }
}

interface Input {
  type: 'float32' | 'bool';
  dims: readonly number[];
  data: Float32Array | Uint8Array;
}

/** One graph with its inputs on the device. */
class Graph {
  readonly #session: InferenceSession;
  readonly #feeds: Record<string, Tensor>;

  private constructor(
    session: InferenceSession,
    feeds: Record<string, Tensor>,
    readonly notCaptured: string | null,
  ) {
    this.#session = session;
    this.#feeds = feeds;
  }

  /** Opens a graph with capture, or where that does not work without. */
  static async open(
    module: OrtModule,
    device: GPUDevice,
    pkg: WorldPackage,
    file: string,
    inputs: ReadonlyMap<string, Tensor>,
    freeDimensions: Record<string, number>,
  ): Promise<Graph> {
    const weights = pkg.model.world.weights;
    const open = async (capture: boolean, notCaptured: string | null): Promise<Graph> => {
      const session = await inOrtQueue(() =>
        module.InferenceSession.create(pkg.file(file), {
          ...webGpuOptions(device, capture, freeDimensions),
          externalData: [{ path: weights, data: pkg.file(weights) }],
        }),
      );
      // An input that a graph has no use for was left out when it was made.
      const used = session.inputNames.map((name) => [name, inputs.get(name)!] as const);
      const graph = new Graph(session, Object.fromEntries(used), notCaptured);
      try {
        // The first run makes pipelines, the second is captured or replays.
        for (let i = 0; i < 3; i++) await graph.run();
        return graph;
      } catch (error) {
        await graph.release();
        throw error;
      }
    };
    try {
      return await open(true, null);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return open(false, reason.split('\n')[0]!.slice(0, 300));
    }
  }

  /** Without pre-allocated outputs: with them a captured graph fails at its second run in onnxruntime-web 1.30. */
  run(): Promise<InferenceSession.ReturnType> {
    return inOrtQueue(() => this.#session.run(this.#feeds));
  }

  input(name: string): GPUBuffer {
    return this.#feeds[name]!.gpuBuffer as GPUBuffer;
  }

  async release(): Promise<void> {
    await inOrtQueue(() => this.#session.release());
  }
}

/** A tensor in a buffer of its own. */
function place(module: OrtModule, device: GPUDevice, { type, dims, data }: Input): Tensor {
  const buffer = device.createBuffer({
    size: Math.ceil(data.byteLength / 16) * 16,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
  const padded = new Uint8Array(buffer.size);
  padded.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  device.queue.writeBuffer(buffer, 0, padded);
  const { fromGpuBuffer } = module.Tensor as unknown as {
    fromGpuBuffer(buffer: GPUBuffer, options: { dataType: string; dims: readonly number[] }): Tensor;
  };
  return fromGpuBuffer(buffer, { dataType: type, dims });
}

function noised(chunk: Chunk): Float32Array {
  const channels = chunk.latents.length / chunk.mask.length;
  const noise = chunkNoise(chunk.latents.length, PROBE_NOISE.seed, PROBE_NOISE.chunk);
  return chunk.latents.map((value, i) => (chunk.mask[Math.floor(i / channels)] ? noise[i]! : value));
}
