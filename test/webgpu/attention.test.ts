import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../src/engine/world/webgpu/gpu.ts';
import { runKernel } from '../../src/engine/world/webgpu/kernel-run.ts';
import { attend, rotateHeads } from '../../src/engine/world/webgpu/parity/reference.ts';
import {
  ATTENTION,
  attentionProgram,
  attentionWorkgroups,
  CACHE_STORE,
  cacheStoreProgram,
  elementWorkgroups,
  PREPARE,
  prepareProgram,
} from '../../src/engine/world/webgpu/programs.ts';
import { rotations } from '../../src/engine/world/webgpu/rotations.ts';
import { largestDifference, randomNumbers } from './numbers.ts';
import { openSoftwareGpu } from './software-device.ts';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openSoftwareGpu();
});

/** Columns `start` … `start + length − 1` of rows of `stride` numbers. */
function columnsOf(rows: Float32Array, stride: number, start: number, length: number): Float32Array {
  return Float32Array.from(
    { length: (rows.length / stride) * length },
    (_, i) => rows[Math.floor(i / length) * stride + start + (i % length)]!,
  );
}

describe('attention-prepare', () => {
  it('normalises, scales and rotates queries and keys and leaves values alone', async () => {
    const [heads, headLength] = [2, 12];
    const grid = { rows: 3, columns: 2 };
    const rope = { time: [1, 0.1, 0.01], row: [0.9, 0.2], column: [0.7] };
    const times = Int32Array.of(-3, 0, 12345);
    const width = heads * headLength;
    const tokens = times.length * 6;
    const qkv = randomNumbers(1, tokens * 3 * width, 3);
    const gains = randomNumbers(2, 2 * headLength);
    const pairs = { time: 3, row: 2, column: 1 };
    const outputs = await runKernel(
      gpu,
      prepareProgram({ grid, heads, headLength, pairs }),
      elementWorkgroups(tokens * 2 * heads),
      { tokens },
      {
        ...{ [PREPARE.qkv]: qkv, [PREPARE.gains]: gains },
        [PREPARE.rotations]: rotations(grid, rope, times),
      },
    );
    const out = outputs[PREPARE.qkv]!;
    const options = { grid, heads, headLength, rope, times };
    for (const [kind, gain] of [gains.subarray(0, headLength), gains.subarray(headLength)].entries()) {
      const expected = rotateHeads(columnsOf(qkv, 3 * width, kind * width, width), gain, options);
      expect(largestDifference(columnsOf(out, 3 * width, kind * width, width), expected)).toBeLessThan(2e-6);
    }
    expect(columnsOf(out, 3 * width, 2 * width, width)).toEqual(columnsOf(qkv, 3 * width, 2 * width, width));
  });
});

describe('attention', () => {
  it.each([
    { heads: 2, headLength: 8, chunkTokens: 20, chunks: 3, hasPrevious: true },
    { heads: 2, headLength: 8, chunkTokens: 20, chunks: 2, hasPrevious: false },
    { heads: 1, headLength: 64, chunkTokens: 70, chunks: 1, hasPrevious: true },
    { heads: 1, headLength: 128, chunkTokens: 9, chunks: 1, hasPrevious: false },
  ])(
    'sees the chunk and the one before: $heads × $headLength, $chunks of $chunkTokens tokens, cache $hasPrevious',
    async ({ heads, headLength, chunkTokens, chunks, hasPrevious }) => {
      const options = { heads, headLength, chunkTokens };
      const width = heads * headLength;
      // Scores up to some hundreds: the softmax must not overflow.
      const qkv = randomNumbers(3, chunks * chunkTokens * 3 * width, 6);
      const cache = randomNumbers(4, 2 * chunkTokens * width, 6);
      const outputs = await runKernel(
        gpu,
        attentionProgram(options),
        attentionWorkgroups(options, chunks),
        { tokens: chunks * chunkTokens, hasPrevious },
        {
          ...{ [ATTENTION.qkv]: qkv, [ATTENTION.cache]: cache },
          [ATTENTION.out]: new Float32Array(chunks * chunkTokens * width),
        },
      );
      const [queries, keys, values] = [0, 1, 2].map((kind) => columnsOf(qkv, 3 * width, kind * width, width));
      const before = {
        keys: cache.subarray(0, chunkTokens * width),
        values: cache.subarray(chunkTokens * width),
      };
      const size = chunkTokens * width;
      const expected: number[] = [];
      for (let chunk = 0; chunk < chunks; chunk++) {
        const own = (x: Float32Array, index: number): Float32Array =>
          x.subarray(index * size, (index + 1) * size);
        const previous =
          chunk > 0
            ? { keys: own(keys!, chunk - 1), values: own(values!, chunk - 1) }
            : hasPrevious
              ? before
              : { keys: [], values: [] };
        expected.push(
          ...attend(
            own(queries!, chunk),
            [...previous.keys, ...own(keys!, chunk)],
            [...previous.values, ...own(values!, chunk)],
            heads,
            headLength,
          ),
        );
      }
      expect(largestDifference(outputs[ATTENTION.out]!, expected)).toBeLessThan(
        4e-4 * Math.sqrt(headLength / 64),
      );
    },
  );
});

describe('cache-store', () => {
  it("keeps the last chunk's keys and values", async () => {
    const [width, chunkTokens, chunks] = [12, 10, 2];
    const qkv = randomNumbers(5, chunks * chunkTokens * 3 * width);
    const outputs = await runKernel(
      gpu,
      cacheStoreProgram(width, chunkTokens),
      elementWorkgroups((2 * chunkTokens * width) / 4),
      { tokens: chunks * chunkTokens },
      { [CACHE_STORE.qkv]: qkv, [CACHE_STORE.cache]: new Float32Array(2 * chunkTokens * width) },
    );
    const last = qkv.subarray(chunkTokens * 3 * width);
    const expected = [
      ...columnsOf(last, 3 * width, width, width),
      ...columnsOf(last, 3 * width, 2 * width, width),
    ];
    expect([...outputs[CACHE_STORE.cache]!]).toEqual(expected);
  });
});
