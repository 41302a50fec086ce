/** Mixes two pictures of one size: `(whole − part)/whole` of `a` and `part/whole` of `b`, rounded. */
export function blend(
  a: Uint8ClampedArray,
  b: Uint8ClampedArray,
  part: number,
  whole: number,
): Uint8ClampedArray {
  if (part === 0) return a;
  const share = part / whole;
  const mixed = new Uint8ClampedArray(a.length);
  for (let i = 0; i < a.length; i++) mixed[i] = a[i]! + (b[i]! - a[i]!) * share;
  return mixed;
}
