import { DeviceLostError } from './errors.ts';
import type { Gpu } from './gpu.ts';
import { type KernelChoice, variantFor } from './kernel-choice.ts';
import type { Tile, UnitTile } from './matmul-options.ts';
import { matmulProgram, matmulWorkgroups } from './matmul-program.ts';
import type { Operation, Product } from './operation.ts';
import type { BoundOperation } from './plan.ts';
import { programKey } from './program.ts';
import type { Candidate } from './span-timer.ts';
import { Workbench } from './workbench.ts';

/** Candidates whose numbers differ by more from the default's, as a share of the largest, are not taken. */
const TOLERANCE = 0.02;

/** A tile whose kernel is ready to be timed; null: the default. */
export interface MadeTile {
  tile: Tile | UnitTile | null;
  candidate: Candidate;
}

/** What a candidate makes of given numbers. */
export type CandidateNumbers = (candidate: BoundOperation) => Promise<Float32Array>;

/** A product with the kernels of several tiles, made and found right, and the buffers that they work on until `free`. */
export class ProductTrial {
  readonly product: Product;
  /** The default first. Without those that the device refuses or that give other numbers. */
  readonly made: readonly MadeTile[];
  /** Different kernels that the tiles come to, those that were passed over included. */
  readonly asked: number;
  readonly #bench: Workbench;

  private constructor(product: Product, made: readonly MadeTile[], asked: number, bench: Workbench) {
    this.product = product;
    this.made = made;
    this.asked = asked;
    this.#bench = bench;
  }

  /**
   * Compiles, binds and checks the default and other tiles of a product.
   * @param weights the model's buffers by name
   * @param tiles beside the default
   * @param numbers run on the device unless given
   * @throws LongtakeError `backend` where the default cannot be made (DeviceLostError, OutOfGpuMemoryError)
   */
  static async make(
    gpu: Gpu,
    operation: Operation,
    weights: ReadonlyMap<string, GPUBuffer>,
    choice: KernelChoice,
    tiles: readonly (Tile | UnitTile)[],
    numbers?: CandidateNumbers,
  ): Promise<ProductTrial> {
    const bench = await Workbench.create(gpu, operation, weights);
    try {
      const programs = programsOf(operation, choice, tiles);
      // All at once: drivers compile on several threads.
      const bindings = await Promise.allSettled(programs.map(({ own }) => bench.bind(own)));
      const made: MadeTile[] = [];
      let expected: Float32Array | undefined;
      for (const [i, binding] of bindings.entries()) {
        const { tile } = programs[i]!;
        if (binding.status === 'rejected') {
          if (binding.reason instanceof DeviceLostError || !tile) throw binding.reason as Error;
          continue;
        }
        const bound = binding.value;
        const own = await (numbers ? numbers(bound) : bench.run(bound));
        expected ??= own;
        if (tile && !agrees(own, expected)) continue;
        made.push({ tile, candidate: { bound, begin: (pass) => bench.begin(pass) } });
      }
      return new ProductTrial(operation.product!, made, programs.length, bench);
    } catch (error) {
      bench.free();
      throw error;
    }
  }

  /** Frees the buffers; nothing can be timed afterwards. */
  free(): void {
    this.#bench.free();
  }
}

/** The kernels that tiles come to, every one once, that of the default first. */
function programsOf(
  operation: Operation,
  choice: KernelChoice,
  candidates: readonly (Tile | UnitTile)[],
): { tile: Tile | UnitTile | null; own: Operation }[] {
  const { matrix, options, rows, tileRows, key: shape } = operation.product!;
  const programs = new Map<string, { tile: Tile | UnitTile | null; own: Operation }>();
  for (const tile of [null, ...candidates]) {
    const tiles = new Map(tile ? [[shape, tile]] : []);
    const variant = variantFor({ ...choice, tiles }, matrix, options.weight, shape, tileRows, options);
    const full = { ...options, variant };
    const program = matmulProgram(full);
    const key = programKey(program);
    if (programs.has(key)) continue;
    programs.set(key, { tile, own: { ...operation, program, workgroups: matmulWorkgroups(full, rows) } });
  }
  return [...programs.values()];
}

function agrees(numbers: Float32Array, expected: Float32Array): boolean {
  let scale = 0;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]!));
  for (let i = 0; i < expected.length; i++) {
    // Not so for what is not a number.
    if (!(Math.abs(numbers[i]! - expected[i]!) <= TOLERANCE * scale)) return false;
  }
  return true;
}
