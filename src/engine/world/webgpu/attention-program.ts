import { attentionDirectConstants } from './attention-direct-program.ts';
import { attentionUnitsConstants } from './attention-units-program.ts';
import type { UnitsChoice } from './kernel-choice.ts';
import { DEFAULT_WORKGROUP, type WorkgroupLimits } from './matmul-options.ts';
import { ceilDivide, type Program, type Workgroups } from './program.ts';

export interface AttentionOptions {
  heads: number;
  headLength: number;
  chunkTokens: number;
  /** Of all rollouts of the pass. */
  chunks: number;
  limits?: WorkgroupLimits;
  /** Matrix units to use where they can make it. */
  units?: UnitsChoice | undefined;
  /** Leave what was attended packed (kernels/packed.wgsl), as matrix units take it. */
  packedOut?: boolean;
  /** Queries, keys and values come, and are kept, as what matrix units multiply. */
  narrow?: boolean;
  /** Most subgroups of a workgroup of kernels/attention-direct.wgsl, to try others than the default. */
  subgroups?: number;
}

/** Binding numbers of all three kernels. */
export const ATTENTION = { qkv: 0, cache: 1, out: 2 } as const;

/**
 * kernels/attention-direct.wgsl where matrix units can make this attention from what is kept, kernels/attention-units.wgsl
 * where they can by way of workgroup memory, else kernels/attention.wgsl.
 */
export function attentionProgram(options: AttentionOptions): Program {
  const direct = attentionDirectConstants(options);
  const onUnits = direct ?? attentionUnitsConstants(options);
  const file = direct ? 'attention-direct.wgsl' : onUnits ? 'attention-units.wgsl' : 'attention.wgsl';
  return {
    file,
    constants: onUnits ?? plainConstants(options),
    bindings: {
      [ATTENTION.qkv]: 'read',
      [ATTENTION.cache]: 'read',
      [ATTENTION.out]: 'write',
    },
  };
}

/** Whether matrix units make an attention. */
export function isOnUnits(options: AttentionOptions): boolean {
  return attentionProgram(options).file !== 'attention.wgsl';
}

export function attentionWorkgroups(options: AttentionOptions): Workgroups {
  const queries = isOnUnits(options) ? options.units!.unit.m : SET * attentionTile(options).sets;
  return [ceilDivide(options.chunkTokens, queries), options.heads, options.chunks];
}

function plainConstants(options: AttentionOptions): Record<string, number> {
  const { heads, headLength, chunkTokens } = options;
  const { sets, lanes, keysEach, partials } = attentionTile(options);
  return {
    ...{ HEADS: heads, HEAD_LENGTH: headLength, CHUNK_TOKENS: chunkTokens },
    ...{ SETS: sets, LANES: lanes, KEYS_EACH: keysEach, PARTIALS: partials },
  };
}

interface AttentionTile {
  /** Sets of eight queries. */
  sets: number;
  /** Invocations of a set. */
  lanes: number;
  /** Keys of a tile that an invocation scores. */
  keysEach: number;
  /** Places where the parts of scores are added up. */
  partials: number;
}

/** As in kernels/attention.wgsl. */
const [SET, PARTS] = [8, 4];

/** Most keys of a tile that an invocation scores: what fits its registers. */
const MOST_KEYS = 5;

/** Workgroups of two sets that give every multiprocessor of a large card two. */
const MANY_WORKGROUPS = 256;

/**
 * The tile of a workgroup. `lanes` and `keysEach`, which decide in what order is added up, are the same for all passes of a
 * model on all devices.
 */
function attentionTile(options: AttentionOptions): AttentionTile {
  const { heads, headLength, chunkTokens, chunks, limits = DEFAULT_WORKGROUP } = options;
  // Sixteen shares of the keys, each as wide as a head, where a workgroup can have as many.
  const lanes = [64, 128].find((count) => count >= 4 * headLength) ?? 256;
  const bytes = (sets: number, keysEach: number, partials: number): number =>
    attentionBytes(headLength, { sets, lanes, keysEach, partials });
  let most = MOST_KEYS;
  while (bytes(1, most, 1) > DEFAULT_WORKGROUP.bytes) most--;
  // Tiles of about equal size.
  const groups = lanes / PARTS;
  const tiles = ceilDivide(chunkTokens, most * groups);
  const keysEach = ceilDivide(chunkTokens, tiles * groups);
  // Two sets halve the reads from the second-level cache where workgroups are many.
  const two =
    heads * ceilDivide(chunkTokens, 2 * SET) * chunks >= MANY_WORKGROUPS &&
    2 * lanes <= limits.invocations &&
    bytes(2, keysEach, 1) <= limits.bytes;
  const sets = two ? 2 : 1;
  // Parts in places of their own need no turns to be added up.
  const partials = bytes(sets, keysEach, PARTS) <= limits.bytes ? PARTS : 1;
  return { sets, lanes, keysEach, partials };
}

/** Workgroup memory that the kernel takes. */
function attentionBytes(headLength: number, { sets, lanes, keysEach, partials }: AttentionTile): number {
  const queries = SET * sets;
  const columns = PARTS * ceilDivide(headLength, 4 * PARTS);
  const scores = (queries / 4) * keysEach * (lanes / PARTS) + 2;
  const watched = (lanes / SET / 4) * queries;
  return 16 * (queries * columns + partials * scores + watched) + 4 * queries;
}
