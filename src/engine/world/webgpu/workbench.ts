import type { Gpu } from './gpu.ts';
import { LAUNCH_BYTES, LAUNCH_SLOT, packLaunch, plainLaunch } from './launch.ts';
import { MATMUL, type MatmulOptions, SQUARED } from './matmul-options.ts';
import type { Operation } from './operation.ts';
import { contentsFor, numbersOf } from './packed-numbers.ts';
import { type BoundOperation, record } from './plan.ts';
import { ceilDivide } from './program.ts';

/** Buffers on which one product is tried: the model's weights, numbers of no meaning for the rest. */
export class Workbench {
  readonly #gpu: Gpu;
  readonly #buffers = new Map<number, GPUBuffer>();
  readonly #own: GPUBuffer[] = [];
  readonly #outBytes: number;
  readonly #launch: GPUBindGroup;

  private constructor(gpu: Gpu, operation: Operation, weights: ReadonlyMap<string, GPUBuffer>) {
    this.#gpu = gpu;
    this.#outBytes = numbersFor(MATMUL.out, operation).byteLength;
    for (const number of Object.keys(operation.program.bindings).map(Number)) {
      const place = operation.places[number]!;
      if (place.kind === 'weight' && weights.has(place.name)) {
        this.#buffers.set(number, weights.get(place.name)!);
      } else {
        const buffer = gpu.upload(`tuning ${number}`, numbersFor(number, operation));
        this.#buffers.set(number, buffer);
        this.#own.push(buffer);
      }
    }
    const uniform = gpu.uniform('tuning launch', LAUNCH_SLOT);
    this.#own.push(uniform);
    const values = new ArrayBuffer(LAUNCH_SLOT);
    packLaunch({ ...plainLaunch(operation.product!.rows), levelRow: 1, ratio: 0.5 }, values, 0);
    gpu.device.queue.writeBuffer(uniform, 0, values);
    this.#launch = gpu.device.createBindGroup({
      layout: gpu.launchLayout,
      entries: [{ binding: 0, resource: { buffer: uniform, size: LAUNCH_BYTES } }],
    });
  }

  /** @throws OutOfGpuMemoryError */
  static create(gpu: Gpu, operation: Operation, weights: ReadonlyMap<string, GPUBuffer>): Promise<Workbench> {
    return gpu.allocate(() => new Workbench(gpu, operation, weights));
  }

  begin(pass: GPUComputePassEncoder): void {
    pass.setBindGroup(0, this.#launch, [0]);
  }

  async bind(operation: Operation): Promise<BoundOperation> {
    const pipeline = await this.#gpu.pipeline(operation.program);
    const bindings = Object.fromEntries([...this.#buffers].map(([number, buffer]) => [number, { buffer }]));
    return { operation, pipeline, bindGroup: this.#gpu.bindGroup(operation.program, bindings) };
  }

  /** What a candidate makes of the numbers, the output being zero before. */
  async run(candidate: BoundOperation): Promise<Float32Array> {
    const out = this.#buffers.get(MATMUL.out)!;
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'tuning' });
    encoder.clearBuffer(out);
    const pass = encoder.beginComputePass();
    this.begin(pass);
    record(pass, [candidate]);
    pass.end();
    this.#gpu.device.queue.submit([encoder.finish()]);
    const bytes = await this.#gpu.read([{ buffer: out, bytes: this.#outBytes }]);
    return numbersOf(candidate.operation.program, MATMUL.out, bytes);
  }

  free(): void {
    for (const buffer of this.#own) buffer.destroy();
  }
}

/** Numbers after which the arbitrary ones repeat: a prime, so that rows and columns differ. */
const PERIOD = 1999;

/** Numbers between −1 and 1, the same every time. */
function arbitrary(count: number): Float32Array {
  const numbers = new Float32Array(count);
  const own = Math.min(count, PERIOD);
  for (let i = 0; i < own; i++) numbers[i] = ((i * 7919) % PERIOD) / 1000 - 1;
  // Copied, not computed: making the numbers of many shapes took a good part of the time that tuning has.
  for (let filled = own; filled < count; filled *= 2) numbers.copyWithin(filled, 0, filled);
  return numbers;
}

/** What a product is given at one of its bindings. */
function numbersFor(number: number, { program, product }: Operation): Float32Array | Uint32Array {
  const { options, rows } = product!;
  if (number === MATMUL.mask) return Uint32Array.from({ length: rows }, (_, i) => i % 2);
  // Packed activations are whole units.
  const unit = Number(program.constants['UNIT_M'] ?? 1);
  const numbers = arbitrary(floatsOf(number, options, rows, unit * ceilDivide(rows, unit)));
  const given = number === MATMUL.squares ? numbers.map(Math.abs) : numbers;
  return contentsFor(program, number, given);
}

/** Numbers that a product reads or writes at one of its bindings. */
function floatsOf(
  number: number,
  { n, k, outStride, prologue, store }: MatmulOptions,
  rows: number,
  whole: number,
): number {
  switch (number) {
    case MATMUL.a:
      return whole * k;
    case MATMUL.out:
      return whole * (outStride ?? n) + (store?.kind === 'gate' && store.next ? (rows * n) / SQUARED : 0);
    case MATMUL.next:
      return whole * n;
    case MATMUL.squares:
      return rows * (k + k / SQUARED);
    case MATMUL.shifts:
      return 2 * n;
    case MATMUL.table:
      // Rows for level 0 and the one that the launch values name.
      return (
        2 * (prologue?.kind === 'modulate' ? prologue.tableStride : tableStride(store)) + nextTable(store)
      );
    default:
      if (prologue?.kind === 'head_gate') return rows * prologue.gateStride;
      if (store?.kind === 'extra') return rows * store.stride;
      if (store?.kind === 'heads') {
        const { grid, pairs } = store;
        return 2 * (grid.rows * pairs.row + grid.columns * pairs.column + rows * pairs.time);
      }
      return (grid(store) + 1) * n;
  }
}

function tableStride(store: MatmulOptions['store']): number {
  return store?.kind === 'gate' ? store.tableStride : 0;
}

/** Numbers of the table that a product after this one is scaled from. */
function nextTable(store: MatmulOptions['store']): number {
  return store?.kind === 'gate' && store.next ? store.next.base + 2 * store.next.stride : 0;
}

function grid(store: MatmulOptions['store']): number {
  return store?.kind === 'camera' ? store.gridRows + store.gridColumns : 0;
}
