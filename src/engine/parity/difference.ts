/** Largest difference of two arrays of one length; NaN counts as infinite. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}

/**
 * How far two arrays of one length are from each other: 20·log₁₀ of the second one's range over the root mean square
 * difference; for pictures the PSNR with their own range as peak. Infinity where they are equal, −Infinity where one holds
 * NaN.
 */
export function decibelsApart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return -Infinity;
  let [squares, least, most] = [0, Infinity, -Infinity];
  for (let i = 0; i < b.length; i++) {
    squares += (a[i]! - b[i]!) ** 2;
    least = Math.min(least, b[i]!);
    most = Math.max(most, b[i]!);
  }
  if (squares === 0) return Infinity;
  const decibels = 20 * Math.log10((most - least) / Math.sqrt(squares / b.length));
  return Number.isNaN(decibels) ? -Infinity : decibels;
}
