import { readFile } from 'node:fs/promises';
import { adapterInfoOf } from '../src/engine/world/webgpu/device.ts';
import { preprocess, type KernelConstants } from '../src/engine/world/webgpu/preprocess.ts';
import type { Ceilings } from './floor.ts';
import { median } from '../src/engine/median.ts';

/** What our own micro-benchmarks reach on a device; absent where it lacks the feature. */
export interface Peaks {
  /** Matrix product of f32 numbers on plain tiles, operations a second. */
  f32Tile: number;
  f16Tile?: number;
  /** On the matrix units, f16 numbers and f32 sums; right factors row after row, or column after column. */
  subgroupMatrix?: number;
  turnedSubgroupMatrix?: number;
  /** A kernel that copies, bytes read plus bytes written a second. */
  copy: number;
  /** Seconds a dispatch that depends on the one before it, in one pass. */
  dispatch: number;
  /** Seconds from a submission of one such dispatch to its result on the processor. */
  roundTrip: number;
}

export interface PeakSizes {
  /** Side of the matrices, a multiple of 128. */
  matrix: number;
  copyBytes: number;
  repeats: number;
}

/** Large enough to fill a graphics card. */
export const FULL_SIZES: PeakSizes = { matrix: 4096, copyBytes: 2 ** 29, repeats: 5 };
/** For software devices: says that it works, not what the device can do. */
export const SMALL_SIZES: PeakSizes = { matrix: 128, copyBytes: 2 ** 20, repeats: 3 };

/** The best that arithmetic reached on the device, and its memory and dispatches. */
export function ceilingsOf(peaks: Peaks): Ceilings {
  return {
    flops: Math.max(
      peaks.f32Tile,
      peaks.f16Tile ?? 0,
      peaks.subgroupMatrix ?? 0,
      peaks.turnedSubgroupMatrix ?? 0,
    ),
    bandwidth: peaks.copy,
    dispatch: peaks.dispatch,
  };
}

/** Runs the micro-benchmarks. Everything they allocate is freed. */
export async function measurePeaks(device: GPUDevice, sizes: PeakSizes): Promise<Peaks> {
  const runner = new Runner(device, sizes.repeats);
  const f16 = device.features.has('shader-f16');
  try {
    const flops = 2 * sizes.matrix ** 3;
    const f32Tile = flops / (await runner.tile('f32', sizes.matrix));
    const f16Tile = f16 ? flops / (await runner.tile('f16', sizes.matrix)) : null;
    const matrixTime = f16 ? await runner.subgroupMatrix(sizes.matrix, false) : null;
    const turnedTime = f16 ? await runner.subgroupMatrix(sizes.matrix, true) : null;
    const copy = (2 * sizes.copyBytes) / (await runner.copy(sizes.copyBytes));
    return {
      f32Tile,
      ...(f16Tile === null ? {} : { f16Tile }),
      ...(matrixTime === null ? {} : { subgroupMatrix: flops / matrixTime }),
      ...(turnedTime === null ? {} : { turnedSubgroupMatrix: flops / turnedTime }),
      copy,
      dispatch: await runner.dispatch(),
      roundTrip: await runner.roundTrip(),
    };
  } finally {
    runner.free();
  }
}

class Runner {
  readonly #device: GPUDevice;
  readonly #repeats: number;
  #buffers: GPUBuffer[] = [];

  constructor(device: GPUDevice, repeats: number) {
    this.#device = device;
    this.#repeats = repeats;
  }

  /** Seconds of a product of two matrices on plain tiles. */
  async tile(type: 'f32' | 'f16', size: number): Promise<number> {
    const bytes = size * size * (type === 'f16' ? 2 : 4);
    const buffers = [this.#random(bytes, type), this.#random(bytes, type), this.#storage(bytes)];
    const pipeline = await this.#pipeline('matmul-tile.wgsl', { TYPE: type, SIZE: `${size}u` });
    return this.#time(pipeline, buffers, [size / 128, size / 128], 4);
  }

  /** Seconds of a product on the matrix units; null where the device offers none that we know how to use. */
  async subgroupMatrix(size: number, turned: boolean): Promise<number | null> {
    const info = adapterInfoOf(this.#device);
    const feature = 'chromium-experimental-subgroup-matrix' as GPUFeatureName;
    if (!this.#device.features.has(feature)) return null;
    const fits = [...(info.subgroupMatrixConfigs ?? [])].filter(
      ({ componentType, resultComponentType, M, N }) =>
        componentType === 'f16' &&
        resultComponentType === 'f32' &&
        size % (4 * M) === 0 &&
        size % (4 * N) === 0,
    );
    const config = fits.sort((x, y) => y.M * y.N - x.M * x.N)[0];
    if (!config) return null;
    const { M, N, K } = config;
    const bytes = size * size * 2;
    const buffers = [this.#random(bytes, 'f16'), this.#random(bytes, 'f16'), this.#storage(2 * bytes)];
    const pipeline = await this.#pipeline('matmul-subgroup.wgsl', {
      ...{ M: `${M}u`, N: `${N}u`, K: `${K}u`, SIZE: `${size}u` },
      ...{ SUBGROUP: info.subgroupMaxSize ?? 32, TURNED: turned ? 1 : 0 },
    });
    return this.#time(pipeline, buffers, [size / (4 * N), size / (4 * M)], 4);
  }

  /** Seconds of copying a buffer of random numbers. */
  async copy(bytes: number): Promise<number> {
    const pipeline = await this.#pipeline('copy.wgsl', {});
    const groups = bytes / 16 / 256;
    const across = Math.min(groups, 32768);
    return this.#time(
      pipeline,
      [this.#random(bytes, 'f32'), this.#storage(bytes)],
      [across, groups / across],
      4,
    );
  }

  /** Seconds a dispatch in a chain: the slope between two lengths, so that the submission does not count. */
  async dispatch(): Promise<number> {
    const pipeline = await this.#pipeline('chain.wgsl', {});
    const buffer = [this.#storage(256)];
    const [few, many] = [50, 450];
    const short = few * (await this.#time(pipeline, buffer, [1, 1], few));
    const long = many * (await this.#time(pipeline, buffer, [1, 1], many));
    return Math.max(0, long - short) / (many - few);
  }

  /** Seconds until a result of 256 bytes is on the processor. */
  async roundTrip(): Promise<number> {
    const pipeline = await this.#pipeline('chain.wgsl', {});
    const buffer = this.#storage(256);
    const staging = this.#keep(
      this.#device.createBuffer({ size: 256, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST }),
    );
    const group = this.#group(pipeline, [buffer]);
    const times: number[] = [];
    for (let i = 0; i < 4 * this.#repeats; i++) {
      const start = performance.now();
      const encoder = this.#device.createCommandEncoder();
      record(encoder.beginComputePass(), pipeline, group, [1, 1], 1);
      encoder.copyBufferToBuffer(buffer, 0, staging, 0, 256);
      this.#device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      staging.unmap();
      times.push((performance.now() - start) / 1000);
    }
    return median(times);
  }

  free(): void {
    for (const buffer of this.#buffers) buffer.destroy();
    this.#buffers = [];
  }

  /** Median seconds of one dispatch among `count` in a pass, by timestamps where the device has them. */
  async #time(
    pipeline: GPUComputePipeline,
    buffers: readonly GPUBuffer[],
    groups: readonly [number, number],
    count: number,
  ): Promise<number> {
    const group = this.#group(pipeline, buffers);
    const times: number[] = [];
    for (let i = 0; i < this.#repeats + 1; i++) {
      const seconds = await this.#timed((encoder, timestamps) =>
        record(encoder.beginComputePass(timestamps), pipeline, group, groups, count),
      );
      // The first run compiles and warms up.
      if (i > 0) times.push(seconds / count);
    }
    return median(times);
  }

  async #timed(
    run: (encoder: GPUCommandEncoder, descriptor: GPUComputePassDescriptor) => void,
  ): Promise<number> {
    const device = this.#device;
    const encoder = device.createCommandEncoder();
    if (!device.features.has('timestamp-query')) {
      run(encoder, {});
      const start = performance.now();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      return (performance.now() - start) / 1000;
    }
    const querySet = device.createQuerySet({ type: 'timestamp', count: 2 });
    const resolved = device.createBuffer({
      size: 16,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    const staging = device.createBuffer({
      size: 16,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    try {
      run(encoder, {
        timestampWrites: { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
      });
      encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      const [begin, end] = new BigUint64Array(staging.getMappedRange().slice(0)) as unknown as [
        bigint,
        bigint,
      ];
      return Number(end - begin) / 1e9;
    } finally {
      querySet.destroy();
      resolved.destroy();
      staging.destroy();
    }
  }

  async #pipeline(file: string, constants: KernelConstants): Promise<GPUComputePipeline> {
    const text = await readFile(new URL(`kernels/${file}`, import.meta.url), 'utf8');
    const code = preprocess(new Map([[file, text]]), file, constants);
    return this.#device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module: this.#device.createShaderModule({ label: file, code }) },
    });
  }

  #group(pipeline: GPUComputePipeline, buffers: readonly GPUBuffer[]): GPUBindGroup {
    return this.#device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
  }

  #storage(bytes: number): GPUBuffer {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    return this.#keep(this.#device.createBuffer({ size: bytes, usage }));
  }

  /** Random numbers in −1 … 1: zeros run faster than real data on some devices. */
  #random(bytes: number, type: 'f32' | 'f16'): GPUBuffer {
    const buffer = this.#storage(bytes);
    const block = new Uint8Array(Math.min(bytes, 2 ** 20));
    if (type === 'f32')
      new Float32Array(block.buffer).forEach((_, i, all) => (all[i] = 2 * Math.random() - 1));
    else {
      // Sign and fraction at random, exponents of 2^-4 … 2^-1.
      new Uint16Array(block.buffer).forEach((_, i, all) => {
        all[i] = (Math.random() < 0.5 ? 0x8000 : 0) | ((11 + Math.floor(4 * Math.random())) << 10);
        all[i]! |= Math.floor(1024 * Math.random());
      });
    }
    for (let at = 0; at < bytes; at += block.byteLength) {
      this.#device.queue.writeBuffer(buffer, at, block, 0, Math.min(block.byteLength, bytes - at));
    }
    return buffer;
  }

  #keep(buffer: GPUBuffer): GPUBuffer {
    this.#buffers.push(buffer);
    return buffer;
  }
}

function record(
  pass: GPUComputePassEncoder,
  pipeline: GPUComputePipeline,
  group: GPUBindGroup,
  [x, y]: readonly [number, number],
  count: number,
): void {
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  for (let i = 0; i < count; i++) pass.dispatchWorkgroups(x, y);
  pass.end();
}
