import { LongtakeError } from '../../../types.ts';
import type { LayerKind } from '../../../package/model-json.ts';
import type { LaunchValues } from '../launch.ts';
import type { Program } from '../program.ts';
import { ATTENTION } from '../attention-program.ts';
import { PACK_ROWS } from '../pack-rows-program.ts';
import { CACHE_STORE, NOISE, POINT_FEATURES, RAY_FEATURES, SCAN } from '../programs.ts';
import { SCORES } from '../scan-scores.ts';
import { Bindings, columnsOf, type Contents } from './bindings.ts';
import { matmul, nextOf } from './matmul-reference.ts';
import { packed } from './packed-reference.ts';
import { attend, noise, type Numbers, pointFeatures, rayFeatures, scan } from './reference.ts';
import { blockScores, putScores, putWeighted, type ScoresInput } from './scores-reference.ts';

/**
 * What a kernel should leave in the buffers it writes, in double precision, given what it found in its bindings.
 * @returns by binding number
 */
export function expectedOutputs(
  program: Program,
  launch: LaunchValues,
  contents: Contents,
): Record<number, Float64Array> {
  const kernel = KERNELS[program.file];
  if (!kernel) throw new LongtakeError('internal', `There is no reference for the kernel ${program.file}.`);
  return kernel(new Bindings(program, contents), launch);
}

type Kernel = (bindings: Bindings, launch: LaunchValues) => Record<number, Float64Array>;

const KERNELS: Readonly<Record<string, Kernel>> = {
  'matmul.wgsl': matmul,
  'ssd.wgsl': (own, launch) => blockScan('ssd', own, launch),
  'gated-delta.wgsl': (own, launch) => blockScan('gated-delta', own, launch),
  'ssd-read.wgsl': (own, launch) => ({ [SCAN.out]: scanned('ssd', own, launch).y }),
  'ssd-write.wgsl': (own, launch) => ({ [SCAN.state]: scanned('ssd', own, launch).state }),
  'ssd-scores.wgsl': scores,
  'ssd-scores-read.wgsl': (own, launch) => ({ [SCORES.out]: scanned('ssd', own, launch).y }),
  'ssd-scores-write.wgsl': (own, launch) => ({ [SCORES.state]: scanned('ssd', own, launch).state }),
  'matmul-units.wgsl': matmul,
  'matmul-packed.wgsl': matmul,
  'pack-rows.wgsl': packRows,
  'attention.wgsl': (own, launch) => ({ [ATTENTION.out]: attention(own, launch) }),
  'attention-units.wgsl': unitsAttention,
  'attention-direct.wgsl': unitsAttention,
  'cache-store.wgsl': (own, launch) => ({
    [CACHE_STORE.cache]: ring(own, launch, CACHE_STORE, own.number('WIDTH')),
  }),
  'ray-features.wgsl': (own, { tokens }) => ({
    [RAY_FEATURES.features]: rayFeatures(
      own.floats(RAY_FEATURES.rays).subarray(0, tokens * 6),
      own.words(RAY_FEATURES.known),
      own.floats(RAY_FEATURES.frequencies),
      own.number('TOKENS_PER_FRAME'),
    ),
  }),
  'point-features.wgsl': (own, { tokens }) => {
    const points = own.floats(POINT_FEATURES.points);
    const frequencies = own.number('FREQUENCIES') * 3;
    const depths = own.number('DEPTHS');
    const projection = own.floats(POINT_FEATURES.projection);
    return {
      [POINT_FEATURES.features]: pointFeatures(
        own.floats(POINT_FEATURES.rays).subarray(0, tokens * 6),
        own.words(POINT_FEATURES.known),
        points.subarray(0, frequencies),
        points.subarray(frequencies, frequencies + depths),
        columnsOf(projection, tokens, own.number('STRIDE'), own.number('LOGITS'), depths),
        own.number('TOKENS_PER_FRAME'),
      ),
    };
  },
  'noise.wgsl': (own, { tokens, rollouts, stream }) => {
    const channels = own.number('CHANNELS');
    const mask = own.words(NOISE.mask);
    const latents = Float64Array.from(own.floats(NOISE.latents));
    const count = (tokens / rollouts.length) * channels;
    rollouts.forEach(({ seed, chunk }, index) => {
      noise(count, seed, chunk, stream).forEach((value, i) => {
        const at = index * count + i;
        if (mask[Math.floor(at / channels)]) latents[at] = value;
      });
    });
    return { [NOISE.latents]: latents };
  },
};

function packRows(own: Bindings, { tokens, levelRow }: LaunchValues): Record<number, Float64Array> {
  const [table, mask] = [own.floats(PACK_ROWS.table), own.words(PACK_ROWS.mask)];
  const start = own.number('TABLE_SCALE');
  const scale = (row: number, column: number): number =>
    table[(mask[row] ? levelRow * own.number('TABLE_STRIDE') : 0) + start + column]!;
  const rows = { out: own.floats(PACK_ROWS.x), scale, rows: tokens, columns: own.number('WIDTH') };
  const made = nextOf(rows, own, PACK_ROWS.next);
  return { [PACK_ROWS.x]: made.rows, [PACK_ROWS.next]: made.next };
}

function blockScan(kind: LayerKind, own: Bindings, launch: LaunchValues): Record<number, Float64Array> {
  const { y, state } = scanned(kind, own, launch);
  return own.number('COMMIT') ? { [SCAN.out]: y, [SCAN.state]: state } : { [SCAN.out]: y };
}

/** What tokens read, and all states after the pass. */
function scanned(
  kind: LayerKind,
  own: Bindings,
  { tokens, rollouts }: LaunchValues,
): { y: Float64Array; state: Float64Array } {
  const stride = own.number('STRIDE');
  const state = Float64Array.from(own.floats(SCAN.state));
  const y = new Float64Array(tokens * own.number('HEADS') * own.number('VALUE_LENGTH'));
  const blocks = blocksOf(own);
  const size = blocks * own.number('HEADS') * own.number('KEY_LENGTH') * own.number('VALUE_LENGTH');
  const rows = tokens / rollouts.length;
  rollouts.forEach(({ slot }, index) => {
    const projection = own.floats(SCAN.projection).subarray(index * rows * stride);
    const before = state.subarray(slot * size, (slot + 1) * size);
    const one = scannedOne(kind, own, rows, projection, before);
    y.set(one.y, (index * y.length) / rollouts.length);
    state.set(one.state, slot * size);
  });
  return { y, state };
}

function blocksOf(own: Bindings): number {
  const cells = own.number('GRID_ROWS') * own.number('GRID_COLUMNS');
  return cells / (own.number('BLOCK_ROWS') * own.number('BLOCK_COLUMNS'));
}

function scannedOne(
  kind: LayerKind,
  own: Bindings,
  tokens: number,
  projection: Numbers,
  state: Numbers,
): { y: Float64Array; state: Float64Array } {
  const [heads, valueLength] = [own.number('HEADS'), own.number('VALUE_LENGTH')];
  const values = scanPart(own, tokens, projection, 'VALUES', heads * valueLength);
  return scan({ ...scoresInput(own, tokens, projection), ...{ kind, valueLength, values, state } });
}

/** What the short `ssd` scan's products are made from. */
function scores(own: Bindings, { tokens, rollouts }: LaunchValues): Record<number, Float64Array> {
  const rows = tokens / rollouts.length;
  const blocks = rollouts.flatMap((_, index) => {
    const projection = own.floats(SCORES.projection).subarray(index * rows * own.number('STRIDE'));
    return blockScores(scoresInput(own, rows, projection));
  });
  const keyLength = own.number('KEY_LENGTH');
  return {
    [SCORES.scores]: putScores(blocks, keyLength, own.floats(SCORES.scores)),
    ...(own.number('COMMIT') ? { [SCORES.weighted]: putWeighted(blocks, keyLength) } : {}),
  };
}

function scoresInput(own: Bindings, tokens: number, projection: Numbers): ScoresInput {
  const [heads, keyLength] = [own.number('HEADS'), own.number('KEY_LENGTH')];
  return {
    ...{ heads, keyLength },
    grid: { rows: own.number('GRID_ROWS'), columns: own.number('GRID_COLUMNS') },
    block: [own.number('BLOCK_ROWS'), own.number('BLOCK_COLUMNS')],
    keys: scanPart(own, tokens, projection, 'KEYS', heads * keyLength),
    queries: scanPart(own, tokens, projection, 'QUERIES', heads * keyLength),
    writes: scanPart(own, tokens, projection, 'WRITES', heads),
    decays: scanPart(own, tokens, projection, 'DECAYS', heads),
  };
}

/** @param name of the constant that holds the first column */
function scanPart(
  own: Bindings,
  tokens: number,
  projection: Numbers,
  name: string,
  count: number,
): Float64Array {
  return columnsOf(projection, tokens, own.number('STRIDE'), own.number(name), count);
}

function unitsAttention(own: Bindings, launch: LaunchValues): Record<number, Float64Array> {
  const out = attention(own, launch);
  if (own.word('OUT') !== 'packed') return { [ATTENTION.out]: out };
  const packing = own.packing(own.number('HEADS') * own.number('HEAD_LENGTH'));
  return { [ATTENTION.out]: packed(out, own.floats(ATTENTION.out), packing) };
}

function attention(own: Bindings, { tokens, chunks, rollouts }: LaunchValues): Float64Array {
  const [heads, headLength, chunkTokens] = [
    own.number('HEADS'),
    own.number('HEAD_LENGTH'),
    own.number('CHUNK_TOKENS'),
  ];
  const width = heads * headLength;
  const size = chunkTokens * width;
  const [queries, keys, values] = [0, 1, 2].map((kind) =>
    columnsOf(own.floats(ATTENTION.qkv), tokens, 3 * width, kind * width, width),
  ) as [Float64Array, Float64Array, Float64Array];
  const out = new Float64Array(tokens * width);
  for (let start = 0; start < tokens * width; start += size) {
    const chunk = start / size;
    const { slot, previous } = rollouts[Math.floor(chunk / chunks)]!;
    const half = (4 * slot + (previous === 2 ? 2 : 0)) * size;
    const cache = Float64Array.from(own.floats(ATTENTION.cache).subarray(half, half + 2 * size));
    const joined = (x: Float64Array, cached: Float64Array): Float64Array => {
      const inPass = chunk % chunks > 0;
      const before = inPass ? x.subarray(start - size, start) : previous ? cached : new Float64Array(0);
      const both = new Float64Array(before.length + size);
      both.set(before);
      both.set(x.subarray(start, start + size), before.length);
      return both;
    };
    out.set(
      attend(
        queries.subarray(start, start + size),
        joined(keys, cache.subarray(0, size)),
        joined(values, cache.subarray(size)),
        heads,
        headLength,
      ),
      start,
    );
  }
  return out;
}

/** The rings of two chunks after the last chunk of every rollout was put into its own. */
function ring(
  own: Bindings,
  { chunks, rollouts }: LaunchValues,
  numbers: { qkv: number; cache: number },
  width: number,
): Float64Array {
  const chunkTokens = own.number('CHUNK_TOKENS');
  const size = chunkTokens * width;
  const cache = Float64Array.from(own.floats(numbers.cache));
  rollouts.forEach(({ slot, previous }, index) => {
    const last = (index + 1) * chunks - 1;
    const qkv = own.floats(numbers.qkv).subarray(last * 3 * size);
    const half = (4 * slot + (previous === 1 ? 2 : 0)) * size;
    for (const kind of [0, 1]) {
      const part = columnsOf(qkv, chunkTokens, 3 * width, (kind + 1) * width, width);
      cache.set(part, half + kind * size);
    }
  });
  return cache;
}
