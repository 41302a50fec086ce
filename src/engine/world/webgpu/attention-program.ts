import { DEFAULT_WORKGROUP, type WorkgroupLimits } from './matmul-program.ts';
import { ceilDivide, type Program, type Workgroups } from './program.ts';

export interface AttentionOptions {
  heads: number;
  headLength: number;
  chunkTokens: number;
  /** Of all rollouts of the pass. */
  chunks: number;
  /** Keep the last chunk's keys and values in the ring (commit pass). */
  commit: boolean;
  limits?: WorkgroupLimits;
}

/** Binding numbers of kernels/attention.wgsl. */
export const ATTENTION = { qkv: 0, cache: 1, out: 2 } as const;

/** kernels/attention.wgsl. */
export function attentionProgram(options: AttentionOptions): Program {
  const { heads, headLength, chunkTokens, commit, limits = DEFAULT_WORKGROUP } = options;
  const queries = attentionQueries(options);
  const keysEach = attentionKeys(chunkTokens);
  // Parts of sums in places of their own need no turns to be added up.
  const partials = attentionBytes(headLength, queries, keysEach, PARTS) <= limits.bytes ? PARTS : 1;
  return {
    file: 'attention.wgsl',
    constants: {
      ...{ HEADS: heads, HEAD_LENGTH: headLength, CHUNK_TOKENS: chunkTokens, COMMIT: commit ? 1 : 0 },
      ...{ QUERIES: queries, KEYS_EACH: keysEach, PARTIALS: partials },
    },
    bindings: {
      [ATTENTION.qkv]: 'read',
      [ATTENTION.cache]: commit ? 'write' : 'read',
      [ATTENTION.out]: 'write',
    },
  };
}

export function attentionWorkgroups(options: AttentionOptions): Workgroups {
  return [ceilDivide(options.chunkTokens, attentionQueries(options)), options.heads, options.chunks];
}

/** Workgroups that give each of a large card's multiprocessors one. */
const MANY_WORKGROUPS = 128;

/**
 * Queries of a workgroup. Keys and values are read once for all of them: 16 halve the reads where that leaves enough
 * workgroups and the queries leave room for their scores. The numbers are the same.
 */
function attentionQueries({ heads, headLength, chunkTokens, chunks }: AttentionOptions): number {
  return headLength <= 64 && heads * ceilDivide(chunkTokens, 16) * chunks >= MANY_WORKGROUPS ? 16 : 8;
}

/** Keys that an invocation scores in a tile: tiles of about equal size, of at most 160 keys. */
function attentionKeys(chunkTokens: number): number {
  const tiles = ceilDivide(chunkTokens, 5 * GROUPS);
  return ceilDivide(chunkTokens, tiles * GROUPS);
}

/** As in the kernel. */
const [GROUPS, PARTS] = [32, 4];

/** Workgroup memory that the kernel takes. */
function attentionBytes(headLength: number, queries: number, keysEach: number, partials: number): number {
  const columns = 8 * ceilDivide(headLength, 32);
  const quads = queries / 8;
  const room = 2 * (quads * 4 * columns + 4) + partials * (2 * (quads * keysEach * GROUPS + 4) + 1);
  return 16 * (room + 4 * queries) + 4 * queries;
}
