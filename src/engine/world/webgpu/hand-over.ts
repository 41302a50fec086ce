import type { WorldSpec } from '../../package/model-json.ts';
import { type AttentionOptions, isOnUnits } from './attention-program.ts';
import type { KernelChoice } from './kernel-choice.ts';
import { MATMUL, type MatmulOptions, type NextScale, SQUARED, type WeightFormat } from './matmul-options.ts';
import { LEVEL_ROWS } from './level-table.ts';
import type { Operation, Place } from './operation.ts';
import { PACK_ROWS, packRowsProgram, packRowsWorkgroups } from './pack-rows-program.ts';
import { ceilDivide } from './program.ts';

/** Format by matrix name, e.g. `layers.0.qkv`. */
export type WeightFormats = (name: string) => WeightFormat;

/** What a product of a matrix with normalised and modulated activations is given. */
export interface Modulated {
  prologue: NonNullable<MatmulOptions['prologue']>;
  a: Place;
  places: Readonly<Record<number, Place>>;
}

/** What a product that changes the activations leaves, and where. */
export interface Changed {
  store: NonNullable<MatmulOptions['store']>;
  places: Readonly<Record<number, Place>>;
}

/** A product whose shift's part is made ahead: of so many columns, with a vector of a layer's table. */
export interface Shift {
  matrix: string;
  columns: number;
  layer: number;
  vector: number;
}

/**
 * How products hand activations on. Everywhere as rows of f32, which every product normalises and modulates for itself. Where
 * matrix units multiply, also *packed* (kernels/packed.wgsl) by the product before, multiplied with the next one's 1 + scale;
 * the row's norm is left to the next one's epilogue, and what the shift gives is made once for every noise level:
 *
 *     (x·r·(1 + s) + b)·W = r·(x·(1 + s))·W + b·W
 */
export class HandOver {
  readonly isPacked: boolean;
  readonly #spec: WorldSpec;
  readonly #formats: WeightFormats;
  readonly #choice: KernelChoice;
  readonly #tokens: number;

  constructor(spec: WorldSpec, formats: WeightFormats, choice: KernelChoice, tokens: number) {
    this.#spec = spec;
    this.#formats = formats;
    this.#choice = choice;
    this.#tokens = tokens;
    this.isPacked = canPack(spec, choice);
  }

  /** Whether a matrix's products take packed activations. */
  takesPacked(matrix: string): boolean {
    return this.isPacked && this.#formats(matrix).kind === 'half';
  }

  /** A packed work tensor of so many columns. */
  packed(name: string, columns: number): Place {
    const { unit, number } = this.#choice.units!;
    const numbers = unit.m * ceilDivide(this.#tokens, unit.m) * columns;
    return { kind: 'work', name, floats: number === 'f16' ? numbers / 2 : numbers };
  }

  /** @param vector the first of a layer's nine (or the end's two) vectors that modulate: shift, then scale */
  modulated(matrix: string, layer: number, vector: number): Modulated {
    const { width } = this.#spec;
    if (this.takesPacked(matrix)) {
      return {
        prologue: { kind: 'packed_modulated' },
        a: this.#next,
        places: {
          ...{ [MATMUL.mask]: MASK, [MATMUL.squares]: this.x },
          [MATMUL.shifts]: { kind: 'shifts', matrix },
        },
      };
    }
    const [shift, scale] = [vector * width, (vector + 1) * width];
    return {
      prologue: { kind: 'modulate', tableStride: this.#stride(layer), shift, scale },
      a: this.x,
      places: { [MATMUL.table]: { kind: 'table', layer }, [MATMUL.mask]: MASK },
    };
  }

  /** Adds to the activations by a layer's gate. @param vector of the gate: 2, 5 or 8 */
  gated(layer: number, vector: number): Changed {
    const { width } = this.#spec;
    const gate = { kind: 'gate', tableStride: this.#stride(layer), gate: vector * width } as const;
    const places = { [MATMUL.table]: { kind: 'table', layer } as Place, [MATMUL.mask]: MASK };
    if (!this.isPacked) return { store: gate, places };
    // The scale of the next part of the layer, or of the first of the next layer.
    const isLast = vector === 8;
    const next: NextScale = isLast
      ? { base: LEVEL_ROWS * 9 * width + width, stride: this.#stride(layer + 1) }
      : { base: (vector + 2) * width, stride: this.#stride(layer) };
    return {
      store: { ...gate, next },
      places: {
        ...places,
        [MATMUL.table]: { kind: 'table', layer, andNext: isLast },
        [MATMUL.next]: this.#next,
      },
    };
  }

  /** Packs the embedding for the first layer. */
  begin(): Operation[] {
    if (!this.isPacked) return [];
    const { unit, number } = this.#choice.units!;
    const { width } = this.#spec;
    return [
      {
        name: 'pack',
        program: packRowsProgram({ width, tableStride: 9 * width, scale: width, unit, number }),
        workgroups: packRowsWorkgroups(width, this.#tokens),
        places: {
          ...{
            [PACK_ROWS.x]: this.x,
            [PACK_ROWS.table]: { kind: 'table', layer: 0 },
            [PACK_ROWS.mask]: MASK,
          },
          [PACK_ROWS.next]: this.#next,
        },
      },
    ];
  }

  /** What has to be made ahead for every noise level. */
  shifts(projectionColumns: (layer: number) => number): Shift[] {
    const { width, mlpWidth, latentChannels, layers } = this.#spec;
    const of = (layer: number): Shift[] => [
      { matrix: `layers.${layer}.projection`, columns: projectionColumns(layer), layer, vector: 0 },
      { matrix: `layers.${layer}.qkv`, columns: 3 * width, layer, vector: 3 },
      { matrix: `layers.${layer}.mlpUp`, columns: mlpWidth, layer, vector: 6 },
    ];
    const last = { matrix: 'finalProj', columns: latentChannels, layer: layers.length, vector: 0 };
    return [...layers.flatMap((_, layer) => of(layer)), last].filter(({ matrix }) =>
      this.takesPacked(matrix),
    );
  }

  /** Numbers from one row of a layer's modulation table to the next. */
  #stride(layer: number): number {
    return (layer === this.#spec.layers.length ? 2 : 9) * this.#spec.width;
  }

  /** The activations; where they are handed on packed their sums of squares come after them. */
  get x(): Place {
    const numbers = this.#tokens * this.#spec.width;
    return { kind: 'work', name: 'x', floats: this.isPacked ? numbers + numbers / SQUARED : numbers };
  }

  get #next(): Place {
    return this.packed('packed x', this.#spec.width);
  }
}

/** The attention of a pass over so many chunks of all rollouts. */
export function attentionOf(spec: WorldSpec, choice: KernelChoice, chunks: number): AttentionOptions {
  const { width, grid, framesPerChunk, attention } = spec;
  const { heads } = attention;
  const { limits, units, attentionSubgroups: subgroups } = choice;
  const chunkTokens = framesPerChunk * grid.rows * grid.columns;
  const shape = {
    ...{ heads, headLength: width / heads, chunkTokens, chunks, limits, units },
    ...(subgroups === undefined ? {} : { subgroups }),
  };
  const narrow = canPack(spec, choice) && isOnUnits(shape);
  return { ...shape, narrow, packedOut: narrow };
}

/** What a rollout's keys and values are kept as on the device. */
export function keptNumber(spec: WorldSpec, choice: KernelChoice): 'f16' | 'f32' {
  return attentionOf(spec, choice, 1).narrow ? choice.units!.number : 'f32';
}

const MASK: Place = { kind: 'input', name: 'mask' };

/** Sums of units must hold what is not normalised yet; rows must be whole units and whole groups of squares. */
function canPack({ width, mlpWidth }: WorldSpec, { units }: KernelChoice): boolean {
  if (!units?.packed || units.unit.result !== 'f32') return false;
  return width % units.unit.k === 0 && mlpWidth % units.unit.k === 0 && width % SQUARED === 0;
}
