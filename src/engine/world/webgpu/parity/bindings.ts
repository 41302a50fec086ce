import type { Program } from '../program.ts';
import { numbersOf } from '../packed-numbers.ts';
import type { Packing } from './packed-reference.ts';
import type { Numbers } from './reference.ts';

/** What a kernel found in its bindings, by number. */
export type Contents = Readonly<Record<number, ArrayBuffer>>;

/** A kernel's constants and what it found in its bindings. */
export class Bindings {
  readonly #program: Program;
  readonly #contents: Contents;

  constructor(program: Program, contents: Contents) {
    this.#program = program;
    this.#contents = contents;
  }

  number(name: string): number {
    return this.#program.constants[name] as number;
  }

  word(name: string): string {
    return String(this.#program.constants[name]);
  }

  floats(binding: number): Float32Array {
    return numbersOf(this.#program, binding, this.#contents[binding] ?? new ArrayBuffer(0));
  }

  /** How packed activations of so many columns lie. */
  packing(columns: number): Packing {
    return { unitM: this.number('UNIT_M'), unitK: this.number('UNIT_K'), columns };
  }

  words(binding: number): Uint32Array {
    return new Uint32Array(this.#contents[binding]!);
  }

  halves(binding: number): Uint16Array {
    return new Uint16Array(this.#contents[binding]!);
  }

  bytes(binding: number): Int8Array {
    return new Int8Array(this.#contents[binding]!);
  }
}

/** Columns `start` … `start + count − 1` of the first rows of a matrix with `stride` columns. */
export function columnsOf(
  matrix: Numbers,
  rows: number,
  stride: number,
  start: number,
  count: number,
): Float64Array {
  const part = new Float64Array(rows * count);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < count; i++) part[row * count + i] = matrix[row * stride + start + i]!;
  }
  return part;
}
