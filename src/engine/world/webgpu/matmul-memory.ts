import type { MatmulOptions } from './matmul-options.ts';

/** A tile of whole heads where the epilogue needs them. */
export function wholeHeads({ store }: MatmulOptions, n: number): number {
  return store?.kind === 'heads' ? Math.max(1, Math.floor(n / store.headLength)) * store.headLength : n;
}

/** Workgroup memory that the epilogue takes. @param each bytes kept of a tile's number before it is stored */
export function epilogueBytes(
  { store }: MatmulOptions,
  tile: { m: number; n: number },
  each: number,
): number {
  const squares = store?.kind === 'heads' ? (16 * tile.m * tile.n) / store.headLength : 0;
  return tile.m * tile.n * each + squares;
}

/** Workgroup memory that the prologue takes. */
export function prologueBytes({ prologue, k }: MatmulOptions, rows: number, invocations: number): number {
  if (prologue?.kind === 'modulate') return 4 * (invocations + rows);
  return prologue?.kind === 'head_gate' ? 4 * rows * (k / prologue.headLength) : 0;
}
