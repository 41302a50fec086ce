/** Numbers of 16 bits (IEEE 754 binary16), as their bits. */

const bits = new Uint32Array(1);
const number = new Float32Array(bits.buffer);

/** Bits of the f16 nearest to a number, ties to even; beyond ±65504 infinity. */
export function toHalf(value: number): number {
  number[0] = value;
  const word = bits[0]!;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude >= 0x7f800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  // From 65520 on the nearest is infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Below 2^-14 the last place is 2^-24; adding 1/2 leaves it as the last place of the sum.
    number[0] = Math.abs(value) + 0.5;
    return sign | (bits[0]! - 0x3f000000);
  }
  const odd = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
}

/** Numbers from their bits. */
export function fromHalf(halves: Uint16Array): Float32Array {
  all ??= Float32Array.from({ length: 65536 }, (_, half) => numberOf(half));
  const numbers = new Float32Array(halves.length);
  // Of all bits: a state has a million numbers.
  for (let i = 0; i < halves.length; i++) numbers[i] = all[halves[i]!]!;
  return numbers;
}

let all: Float32Array | undefined;

function numberOf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24);
}

/** Bits of the nearest numbers. */
export function toHalves(numbers: Float32Array): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) halves[i] = toHalf(numbers[i]!);
  return halves;
}
