import type { AttentionOptions } from './attention-program.ts';
import type { UnitsChoice } from './kernel-choice.ts';
import { DEFAULT_WORKGROUP, type WorkgroupLimits } from './matmul-options.ts';
import { ceilDivide } from './program.ts';

/** Subgroups of a workgroup of kernels/attention-units.wgsl where it may be as large. */
const SUBGROUPS = 8;

/** Vectors of four numbers that an invocation has under way for each of two pieces. */
const FETCHES = 6;

/** Constants of kernels/attention-units.wgsl; undefined where matrix units or a workgroup cannot make this attention. */
export function attentionUnitsConstants(
  options: AttentionOptions,
): Record<string, number | string> | undefined {
  const { heads, headLength, chunkTokens, units, limits = DEFAULT_WORKGROUP } = options;
  if (!units) return undefined;
  const { unit, subgroup, number } = units;
  const subgroups = Math.min(SUBGROUPS, Math.floor(limits.invocations / subgroup));
  const piece = pieceOf(options, units, subgroups, limits);
  if (headLength % unit.n !== 0 || headLength % unit.k !== 0) return undefined;
  if (subgroups === 0 || (subgroups * subgroup) % unit.m !== 0 || piece === 0) return undefined;
  return {
    ...{ HEADS: heads, HEAD_LENGTH: headLength, CHUNK_TOKENS: chunkTokens, PIECE: piece },
    ...{
      UNIT_M: unit.m,
      UNIT_N: unit.n,
      UNIT_K: unit.k,
      RESULT: unit.result,
      LEFT: 'factors',
      RIGHT: 'factors',
    },
    ...{ OUT: options.packedOut ? 'packed' : 'rows', KEPT: options.narrow ? number : 'f32' },
    ...{ NUMBER: number, SUBGROUP: subgroup, SUBGROUPS: subgroups },
    ...{ LENGTH_UNITS: headLength / unit.k, PIECE_UNITS: piece / unit.k },
    KEY_JOBS: ceilDivide(piece / unit.n, subgroups),
    OUT_JOBS: ceilDivide(headLength / unit.n, subgroups),
  };
}

/** Keys of a piece: what fits registers and workgroup memory, in blocks of two pieces of about equal size; 0 where none fits. */
function pieceOf(
  { headLength, chunkTokens }: AttentionOptions,
  units: UnitsChoice,
  subgroups: number,
  limits: WorkgroupLimits,
): number {
  const { unit, subgroup } = units;
  // Sizes of units are powers of two.
  const step = Math.max(unit.n, unit.k);
  const inRegisters = Math.floor((FETCHES * subgroups * subgroup * 4) / headLength / step) * step;
  let most = Math.max(step, inRegisters);
  while (most > 0 && attentionUnitsBytes(headLength, most, units, subgroups) > limits.bytes) most -= step;
  if (most === 0) return 0;
  const blocks = ceilDivide(chunkTokens, 2 * most);
  return step * ceilDivide(chunkTokens, 2 * blocks * step);
}

/** Workgroup memory that the kernel takes. */
function attentionUnitsBytes(
  headLength: number,
  piece: number,
  { unit, subgroup, number }: UnitsChoice,
  subgroups: number,
): number {
  const [pitch, blockPitch] = [headLength + 8, 2 * piece + 8];
  const factors = unit.m * pitch + 2 * piece * pitch + unit.m * blockPitch;
  const results = unit.m * blockPitch + unit.m * pitch;
  const bytes = (type: 'f16' | 'f32'): number => (type === 'f16' ? 2 : 4);
  return factors * bytes(number) + results * bytes(unit.result) + 4 * subgroups * subgroup;
}
