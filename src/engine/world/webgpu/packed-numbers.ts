import { ATTENTION } from './attention-program.ts';
import { fromHalf, toHalf } from './half.ts';
import { MATMUL } from './matmul-options.ts';
import { PACK_ROWS } from './pack-rows-program.ts';
import type { Program } from './program.ts';

/** The numbers in one of a kernel's bindings, where activations may be f16. */
export function numbersOf(program: Program, binding: number, contents: ArrayBuffer): Float32Array {
  return isHalf(program, binding) ? fromHalf(new Uint16Array(contents)) : new Float32Array(contents);
}

/** Numbers as a kernel's binding holds them. */
export function contentsFor(
  program: Program,
  binding: number,
  numbers: Float32Array,
): Float32Array | Uint32Array {
  if (!isHalf(program, binding)) return numbers;
  const halves = new Uint16Array(2 * Math.ceil(numbers.length / 2));
  numbers.forEach((number, i) => (halves[i] = toHalf(number)));
  return new Uint32Array(halves.buffer);
}

function isHalf({ file, constants }: Program, binding: number): boolean {
  if (file === 'cache-store.wgsl') return constants['KEPT'] === 'f16';
  if (constants['NUMBER'] !== 'f16') return false;
  if (file === 'pack-rows.wgsl') return binding === PACK_ROWS.next;
  if (file === 'attention-units.wgsl' || file === 'attention-direct.wgsl') {
    return binding === ATTENTION.out ? constants['OUT'] === 'packed' : constants['KEPT'] === 'f16';
  }
  if (!file.startsWith('matmul')) return false;
  if (binding === MATMUL.a) return constants['PACKED'] === 1;
  return binding === MATMUL.next || (binding === MATMUL.out && constants['NARROW'] === 1);
}
