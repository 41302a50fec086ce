import { beforeAll, describe, expect, it } from 'vitest';
import {
  ATTENTION,
  type AttentionOptions,
  attentionProgram,
  attentionWorkgroups,
} from '../../src/engine/world/webgpu/attention-program.ts';
import type { Gpu } from '../../src/engine/world/webgpu/gpu.ts';
import { runKernel } from '../../src/engine/world/webgpu/kernel-run.ts';
import type { RolloutLaunch } from '../../src/engine/world/webgpu/launch.ts';
import type { UnitsChoice } from '../../src/engine/world/webgpu/kernel-choice.ts';
import { DEFAULT_WORKGROUP, type WorkgroupLimits } from '../../src/engine/world/webgpu/matmul-options.ts';
import { attend } from '../../src/engine/world/webgpu/parity/reference.ts';
import {
  CACHE_STORE,
  cacheStoreProgram,
  cacheStoreWorkgroups,
} from '../../src/engine/world/webgpu/programs.ts';
import { emulatedUnits, withEmulatedUnits, withRoundedUnits } from './emulated-units.ts';
import { largestDifference, randomNumbers } from './numbers.ts';
import { openSoftwareGpu } from './software-device.ts';

let [gpu, emulated]: Gpu[] = [];
beforeAll(async () => {
  gpu = await openSoftwareGpu();
  emulated = await withEmulatedUnits(gpu);
});

/** Columns `start` … `start + length − 1` of rows of `stride` numbers. */
function columnsOf(rows: Float32Array, stride: number, start: number, length: number): Float32Array {
  return Float32Array.from(
    { length: (rows.length / stride) * length },
    (_, i) => rows[Math.floor(i / length) * stride + start + (i % length)]!,
  );
}

/** Rollouts whose chunks before lie in these halves of their caches, the first one's in the last slot. */
function rolloutsOf(halves: readonly (0 | 1 | 2)[]): RolloutLaunch[] {
  return halves.map((previous, index) => ({
    ...{ slot: halves.length - 1 - index, previous },
    ...{ seed: 0, chunk: 0 },
  }));
}

interface Shape {
  heads: number;
  headLength: number;
  chunkTokens: number;
  /** Chunks of each rollout. */
  chunks: number;
  /** Where the chunk before lies in the ring of each rollout. */
  halves: readonly (0 | 1 | 2)[];
}

interface Inputs {
  qkv: Float32Array;
  cache: Float32Array;
}

/** Scores up to some hundreds where the scale is 6 and heads are 64 long: the softmax must not overflow. */
function randomInputs({ heads, headLength, chunkTokens, chunks, halves }: Shape, scale = 6): Inputs {
  const size = chunkTokens * heads * headLength;
  return {
    qkv: randomNumbers(3, halves.length * chunks * 3 * size, scale),
    cache: randomNumbers(4, halves.length * 4 * size, scale),
  };
}

/**
 * @param constants in place of those that the plan would choose
 * @param units what to make it with, and on which device
 */
async function run(
  shape: Shape,
  { qkv, cache }: Inputs,
  constants: Record<string, number> = {},
  { own = gpu!, ...units }: Partial<AttentionOptions> & { own?: Gpu } = {},
) {
  const rollouts = rolloutsOf(shape.halves);
  const chunks = shape.chunks * rollouts.length;
  const options = { ...shape, ...units, chunks };
  const planned = attentionProgram(options);
  const onUnits = units.narrow ? 'attention-direct.wgsl' : 'attention-units.wgsl';
  expect(planned.file).toBe(units.units ? onUnits : 'attention.wgsl');
  const program = { ...planned, constants: { ...planned.constants, ...constants } };
  const [groups, ...others] = attentionWorkgroups(options);
  const queries = constants['SETS'] && 8 * constants['SETS'];
  const outputs = await runKernel(
    own,
    program,
    [queries ? Math.ceil(shape.chunkTokens / queries) : groups, ...others],
    { tokens: chunks * shape.chunkTokens, chunks: shape.chunks, rollouts },
    {
      ...{ [ATTENTION.qkv]: qkv, [ATTENTION.cache]: cache },
      [ATTENTION.out]: new Float32Array(qkv.length / 3),
    },
  );
  return outputs[ATTENTION.out]!;
}

/** What the kernel should leave. */
function expected(shape: Shape, { qkv, cache }: Inputs): number[] {
  const { heads, headLength, chunkTokens, chunks: own } = shape;
  const width = heads * headLength;
  const size = chunkTokens * width;
  const rollouts = rolloutsOf(shape.halves);
  const [queries, keys, values] = [0, 1, 2].map((kind) => columnsOf(qkv, 3 * width, kind * width, width));
  const chunkOf = (x: Float32Array, index: number): Float32Array =>
    x.subarray(index * size, (index + 1) * size);
  const out: number[] = [];
  for (let chunk = 0; chunk < own * rollouts.length; chunk++) {
    const { slot, previous: half } = rollouts[Math.floor(chunk / own)]!;
    const kept = 4 * slot + (half === 2 ? 2 : 0);
    const previous =
      chunk % own > 0
        ? { keys: chunkOf(keys!, chunk - 1), values: chunkOf(values!, chunk - 1) }
        : half > 0
          ? { keys: chunkOf(cache, kept), values: chunkOf(cache, kept + 1) }
          : { keys: [], values: [] };
    out.push(
      ...attend(
        chunkOf(queries!, chunk),
        [...previous.keys, ...chunkOf(keys!, chunk)],
        [...previous.values, ...chunkOf(values!, chunk)],
        heads,
        headLength,
      ),
    );
  }
  return out;
}

const SHAPES: Shape[] = [
  { heads: 2, headLength: 8, chunkTokens: 20, chunks: 3, halves: [1] },
  { heads: 2, headLength: 8, chunkTokens: 20, chunks: 2, halves: [0] },
  { heads: 3, headLength: 12, chunkTokens: 21, chunks: 1, halves: [2] },
  { heads: 2, headLength: 16, chunkTokens: 65, chunks: 1, halves: [1] },
  { heads: 1, headLength: 32, chunkTokens: 321, chunks: 1, halves: [2] },
  { heads: 1, headLength: 64, chunkTokens: 150, chunks: 1, halves: [2] },
  { heads: 1, headLength: 64, chunkTokens: 20, chunks: 2, halves: [1, 0, 2] },
  { heads: 2, headLength: 64, chunkTokens: 320, chunks: 1, halves: [1] },
  { heads: 1, headLength: 16, chunkTokens: 640, chunks: 1, halves: [0] },
  { heads: 2, headLength: 96, chunkTokens: 33, chunks: 1, halves: [2] },
  { heads: 1, headLength: 128, chunkTokens: 9, chunks: 1, halves: [0, 1] },
  { heads: 1, headLength: 128, chunkTokens: 100, chunks: 1, halves: [2] },
  { heads: 1, headLength: 256, chunkTokens: 9, chunks: 1, halves: [1] },
  { heads: 1, headLength: 256, chunkTokens: 200, chunks: 1, halves: [1] },
];

const TILED: Shape = {
  ...{ heads: 1, headLength: 32, chunkTokens: 330, chunks: 1 },
  ...{ halves: [1] },
};

/** Queries of ones; keys whose scores are these by place, the chunk before first. */
function inputsWithScores(scoreOf: (place: number) => number, shape = TILED): Inputs {
  const inputs = randomInputs(shape, 1);
  const { headLength, chunkTokens } = shape;
  for (let token = 0; token < chunkTokens; token++) {
    const [row, own] = [3 * token * headLength, scoreOf(chunkTokens + token)];
    inputs.qkv.fill(1, row, row + headLength);
    inputs.qkv.fill(own / Math.sqrt(headLength), row + headLength, row + 2 * headLength);
    const before = scoreOf(token) / Math.sqrt(headLength);
    inputs.cache.fill(before, token * headLength, (token + 1) * headLength);
  }
  return inputs;
}

const SCORES: [string, (place: number) => number][] = [
  ['are all equal', () => 3],
  ['are −80 and 80 in turn', (place) => (place % 2 ? 80 : -80)],
  ['rise from −80 to 80', (place) => (place * 160) / 659 - 80],
  ['fall from 80 to −80', (place) => 80 - (place * 160) / 659],
  ['have their largest at the very end', (place) => (place === 659 ? 80 : -80)],
  ['have their largest at the very beginning', (place) => (place === 0 ? 80 : -80)],
];

describe('attention', () => {
  it.each(SHAPES)(
    'sees the chunk and the one before: $heads × $headLength, $chunks of $chunkTokens tokens, caches $halves',
    async (shape) => {
      const inputs = randomInputs(shape);
      const [actual, right] = [await run(shape, inputs), expected(shape, inputs)];
      const tolerance = 4e-4 * Math.sqrt(shape.headLength / 64);
      expect(largestDifference(actual, right)).toBeLessThan(tolerance);
    },
  );

  it.each(SCORES)('is right where scores %s', async (_, scoreOf) => {
    const inputs = inputsWithScores(scoreOf);
    const out = await run(TILED, inputs);
    expect(largestDifference(out, expected(TILED, inputs))).toBeLessThan(2e-5);
  });

  it.each<Shape>([
    { heads: 2, headLength: 64, chunkTokens: 150, chunks: 1, halves: [1] },
    { heads: 1, headLength: 16, chunkTokens: 37, chunks: 2, halves: [1, 0] },
  ])('gives the same numbers with 16 queries a workgroup: $heads × $headLength', async (shape) => {
    const inputs = randomInputs(shape);
    // Half of the invocations a set, so that two sets are within the default limits.
    const narrow = { LANES: 128, KEYS_EACH: 3, PARTIALS: 1 };
    const one = await run(shape, inputs, { ...narrow, SETS: 1 });
    expect(await run(shape, inputs, { ...narrow, SETS: 2 })).toEqual(one);
    expect(largestDifference(one, expected(shape, inputs))).toBeLessThan(4e-4);
  });

  it('gives the same numbers where parts of scores have places of their own', async () => {
    const shape: Shape = { ...TILED, chunkTokens: 50 };
    const inputs = randomInputs(shape);
    expect(await run(shape, inputs, { PARTIALS: 4 })).toEqual(await run(shape, inputs, { PARTIALS: 1 }));
  });

  it('takes as much workgroup memory and as many invocations as there are', () => {
    const shape = { heads: 4, headLength: 64, chunkTokens: 320 };
    const many = { bytes: 49152, invocations: 1024 };
    const chosen = (chunks: number, limits?: WorkgroupLimits): unknown[] => {
      const options = { ...shape, chunks, ...(limits && { limits }) };
      const { SETS, PARTIALS } = attentionProgram(options).constants;
      return [SETS, PARTIALS, ...attentionWorkgroups(options)];
    };
    expect(chosen(1)).toEqual([1, 1, 40, 4, 1]);
    expect(chosen(8)).toEqual([1, 1, 40, 4, 8]);
    expect(chosen(1, many)).toEqual([1, 4, 40, 4, 1]);
    expect(chosen(8, many)).toEqual([2, 1, 20, 4, 8]);
    expect(chosen(8, { bytes: 32768, invocations: 256 })).toEqual([1, 1, 40, 4, 8]);
  });
});

/** Subgroups as they are, or announced as four times as large, so that most wait. */
function unitsFor(larger: number, headLength = 0): UnitsChoice {
  const { unit, ...choice } = emulatedUnits(gpu!, 'f32');
  const k = headLength > 64 ? 8 : unit.k;
  return { ...choice, unit: { ...unit, k }, subgroup: larger * choice.subgroup };
}

// Heads of whole units, as long as f32 numbers fit the default limits.
const STAGED = SHAPES.filter(({ headLength }) => headLength % 16 === 0 && headLength <= 128);

/** Chunks of whole units. One piece a chunk where subgroups are few and where they are many, then several pieces. */
const DIRECT: Shape[] = [
  { heads: 2, headLength: 16, chunkTokens: 80, chunks: 3, halves: [1] },
  { heads: 1, headLength: 32, chunkTokens: 48, chunks: 2, halves: [1, 0, 2] },
  { heads: 2, headLength: 64, chunkTokens: 320, chunks: 1, halves: [1] },
  { heads: 1, headLength: 64, chunkTokens: 16, chunks: 1, halves: [2] },
  { heads: 1, headLength: 16, chunkTokens: 640, chunks: 1, halves: [0] },
  { heads: 1, headLength: 128, chunkTokens: 112, chunks: 1, halves: [2] },
];

const ON_UNITS = [
  { way: 'by way of workgroup memory', narrow: false, shapes: STAGED, tiled: TILED },
  { way: 'straight from memory', narrow: true, shapes: DIRECT, tiled: { ...TILED, chunkTokens: 336 } },
];

describe.each(ON_UNITS)('attention on matrix units, $way', ({ narrow, shapes, tiled }) => {
  it.each(shapes.map((shape, index) => ({ ...shape, larger: index % 2 ? 4 : 1 })))(
    'sees the chunk and the one before: $heads × $headLength, $chunks of $chunkTokens tokens, caches $halves',
    async ({ larger, ...shape }) => {
      const inputs = randomInputs(shape);
      const right = expected(shape, inputs);
      const own = { own: emulated!, units: unitsFor(larger, shape.headLength), narrow };
      const actual = await run(shape, inputs, {}, own);
      expect(largestDifference(actual, right)).toBeLessThan(4e-4 * Math.sqrt(shape.headLength / 64));
    },
  );

  it.each(SCORES)('is right where scores %s', async (_, scoreOf) => {
    const inputs = inputsWithScores(scoreOf, tiled);
    const out = await run(tiled, inputs, {}, { own: emulated!, units: unitsFor(4), narrow });
    expect(largestDifference(out, expected(tiled, inputs))).toBeLessThan(2e-5);
  });

  it('is near where factors are rounded to f16', async () => {
    // Scores of some units, as of normalised queries and keys.
    const inputs = randomInputs(tiled, 1.5);
    const own = { own: withRoundedUnits(emulated!), units: unitsFor(4), narrow };
    const difference = largestDifference(await run(tiled, inputs, {}, own), expected(tiled, inputs));
    expect(difference).toBeGreaterThan(1e-5);
    expect(difference).toBeLessThan(2e-3);
  });

  it('gives sums of weights that are one, however these are rounded', async () => {
    const inputs = randomInputs(tiled, 1.5);
    const { headLength, chunkTokens } = tiled;
    inputs.cache.fill(1, chunkTokens * headLength, 2 * chunkTokens * headLength);
    for (let token = 0; token < chunkTokens; token++) {
      inputs.qkv.fill(1, (3 * token + 2) * headLength, (3 * token + 3) * headLength);
    }
    const own = { own: withRoundedUnits(emulated!), units: unitsFor(4), narrow };
    const out = await run(tiled, inputs, {}, own);
    expect(largestDifference(out, new Float32Array(out.length).fill(1))).toBeLessThan(2e-6);
  });
});

describe('the attention of matrix units', () => {
  it('is chosen where heads are whole units and a workgroup has room', () => {
    const unit = { m: 16, n: 16, k: 16, result: 'f32' } as const;
    const chosen = (options: Partial<AttentionOptions>): unknown => {
      const program = attentionProgram({
        ...{ heads: 4, headLength: 64, chunkTokens: 320, chunks: 1 },
        limits: { bytes: 49152, invocations: 1024 },
        units: { unit, subgroup: 32, number: 'f16' },
        ...options,
      });
      return program.file === 'attention.wgsl' ? undefined : program.constants;
    };
    expect(chosen({})).toMatchObject({ PIECE: 80, SUBGROUPS: 8, KEY_JOBS: 1, OUT_JOBS: 1 });
    expect(chosen({ chunkTokens: 20 })).toMatchObject({ PIECE: 16 });
    expect(chosen({ limits: DEFAULT_WORKGROUP })).toMatchObject({ PIECE: 16 });
    expect(chosen({ headLength: 256 })).toMatchObject({ PIECE: 16, OUT_JOBS: 2 });
    expect(chosen({ units: { unit, subgroup: 64, number: 'f16' }, limits: DEFAULT_WORKGROUP })).toMatchObject(
      {
        SUBGROUPS: 4,
      },
    );
    expect(chosen({ headLength: 256, limits: DEFAULT_WORKGROUP })).toBeUndefined();
    expect(chosen({ headLength: 40 })).toBeUndefined();
    expect(chosen({ units: undefined })).toBeUndefined();
  });

  it('reads what is kept as units multiply it straight from memory where all is whole units', () => {
    const unit = { m: 16, n: 16, k: 16, result: 'f32' } as const;
    const chosen = (options: Partial<AttentionOptions>): unknown => {
      const { file, constants } = attentionProgram({
        ...{ heads: 4, headLength: 64, chunkTokens: 320, chunks: 1, narrow: true },
        limits: { bytes: 49152, invocations: 1024 },
        units: { unit, subgroup: 32, number: 'f16' },
        ...options,
      });
      return { file, ...constants };
    };
    const direct = { file: 'attention-direct.wgsl' };
    expect(chosen({})).toMatchObject({ ...direct, PIECE: 320, SUBGROUPS: 16, KEY_JOBS: 2, PARTS: 4 });
    expect(chosen({ subgroups: 10 })).toMatchObject({ ...direct, SUBGROUPS: 10, KEY_JOBS: 2, PARTS: 2 });
    expect(chosen({ limits: DEFAULT_WORKGROUP })).toMatchObject({ ...direct, PIECE: 160, SUBGROUPS: 8 });
    const staged = { file: 'attention-units.wgsl' };
    expect(chosen({ chunkTokens: 321 })).toMatchObject(staged);
    expect(chosen({ headLength: 256, limits: DEFAULT_WORKGROUP })).toMatchObject({ file: 'attention.wgsl' });
    expect(chosen({ narrow: false })).toMatchObject(staged);
  });
});

describe('cache-store', () => {
  it.each([[[0]], [[1]], [[2, 0, 1]]] as const)(
    "keeps the last chunk's keys and values beside those in half %j of the ring",
    async (halves) => {
      const [width, chunkTokens, chunks] = [12, 10, 2];
      const size = chunkTokens * width;
      const rollouts = rolloutsOf(halves);
      const qkv = randomNumbers(5, rollouts.length * chunks * chunkTokens * 3 * width);
      const cache = randomNumbers(6, 4 * rollouts.length * size);
      const outputs = await runKernel(
        gpu!,
        cacheStoreProgram(width, chunkTokens),
        cacheStoreWorkgroups(width, chunkTokens, rollouts.length),
        { tokens: rollouts.length * chunks * chunkTokens, chunks, rollouts },
        { [CACHE_STORE.qkv]: qkv, [CACHE_STORE.cache]: cache },
      );
      const expected = Float32Array.from(cache);
      rollouts.forEach(({ slot, previous }, index) => {
        const last = (index + 1) * chunks - 1;
        const own = qkv.subarray(last * 3 * size, (last + 1) * 3 * size);
        const half = (4 * slot + (previous === 1 ? 2 : 0)) * size;
        expected.set(columnsOf(own, 3 * width, width, width), half);
        expected.set(columnsOf(own, 3 * width, 2 * width, width), half + size);
      });
      expect(outputs[CACHE_STORE.cache]).toEqual(expected);
    },
  );
});
