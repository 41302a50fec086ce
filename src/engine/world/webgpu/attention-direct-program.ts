import type { AttentionOptions } from './attention-program.ts';
import { DEFAULT_WORKGROUP } from './matmul-options.ts';
import { ceilDivide } from './program.ts';

/** Subgroups of a workgroup where it may be as large; the same for all passes, so that sums are added up in one order. */
const SUBGROUPS = 16;

/**
 * Constants of kernels/attention-direct.wgsl; undefined where queries, keys and values are not kept as matrix units multiply
 * them, where chunks and heads are not whole units, or where a workgroup has no room.
 */
export function attentionDirectConstants(
  options: AttentionOptions,
): Record<string, number | string> | undefined {
  const { heads, headLength, chunkTokens, units, narrow, limits = DEFAULT_WORKGROUP } = options;
  if (!units || !narrow) return undefined;
  const { unit, subgroup, number } = units;
  const whole = chunkTokens % unit.m === 0 && headLength % unit.n === 0 && headLength % unit.k === 0;
  if (!whole) return undefined;
  const most = Math.min(options.subgroups ?? SUBGROUPS, Math.floor(limits.invocations / subgroup));
  const columns = headLength / unit.n;
  if (columns > most) return undefined;
  // Sizes of units are powers of two.
  const step = Math.max(unit.n, unit.k);
  for (let piece = chunkTokens; piece >= step; piece--) {
    if (chunkTokens % piece !== 0 || piece % step !== 0) continue;
    let parts = Math.floor(most / columns);
    while ((piece / unit.k) % parts !== 0) parts--;
    const scores = piece / unit.n;
    const jobs = ceilDivide(scores, most);
    const subgroups = Math.max(columns * parts, ceilDivide(scores, jobs));
    if (bytesOf(options, piece, parts) > limits.bytes) continue;
    return {
      ...{ HEADS: heads, HEAD_LENGTH: headLength, CHUNK_TOKENS: chunkTokens, PIECE: piece, PARTS: parts },
      ...{ UNIT_M: unit.m, UNIT_N: unit.n, UNIT_K: unit.k, RESULT: unit.result },
      ...{ LEFT: 'factors', RIGHT: 'kept', NUMBER: number, OUT: options.packedOut ? 'packed' : 'rows' },
      ...{ KEPT: number, SUBGROUP: subgroup, SUBGROUPS: subgroups, KEY_JOBS: jobs },
      ...{ QUERY_JOBS: ceilDivide(unit.m, subgroups), LENGTH_UNITS: headLength / unit.k },
      PART_UNITS: piece / unit.k / parts,
    };
  }
  return undefined;
}

/** Workgroup memory that the kernel takes. */
function bytesOf({ units, headLength }: AttentionOptions, piece: number, parts: number): number {
  const { unit, number } = units!;
  const size = (type: 'f16' | 'f32'): number => (type === 'f16' ? 2 : 4);
  const factors = unit.m * (piece + 8);
  const results = Math.max(factors, parts * unit.m * (headLength + 8));
  return factors * size(number) + results * size(unit.result) + 4 * unit.m;
}
