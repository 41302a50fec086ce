import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../src/engine/world/webgpu/gpu.ts';
import { runKernel } from '../../src/engine/world/webgpu/kernel-run.ts';
import { attend } from '../../src/engine/world/webgpu/parity/reference.ts';
import {
  ATTENTION,
  attentionProgram,
  attentionWorkgroups,
  CACHE_STORE,
  cacheStoreProgram,
  elementWorkgroups,
} from '../../src/engine/world/webgpu/programs.ts';
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

describe('attention', () => {
  it.each([
    { heads: 2, headLength: 8, chunkTokens: 20, chunks: 3, previous: 1, commit: false },
    { heads: 2, headLength: 8, chunkTokens: 20, chunks: 2, previous: 0, commit: true },
    { heads: 3, headLength: 12, chunkTokens: 21, chunks: 1, previous: 2, commit: false },
    { heads: 1, headLength: 64, chunkTokens: 150, chunks: 1, previous: 2, commit: true },
    { heads: 1, headLength: 64, chunkTokens: 20, chunks: 2, previous: 1, commit: true },
    { heads: 1, headLength: 128, chunkTokens: 9, chunks: 1, previous: 0, commit: false },
    { heads: 1, headLength: 256, chunkTokens: 9, chunks: 1, previous: 1, commit: false },
  ] as const)(
    'sees the chunk and the one before: $heads × $headLength, $chunks of $chunkTokens tokens, cache $previous, commit $commit',
    async ({ heads, headLength, chunkTokens, chunks, previous: half, commit }) => {
      const options = { heads, headLength, chunkTokens, commit };
      const width = heads * headLength;
      // Scores up to some hundreds: the softmax must not overflow.
      const qkv = randomNumbers(3, chunks * chunkTokens * 3 * width, 6);
      const cache = randomNumbers(4, 4 * chunkTokens * width, 6);
      const outputs = await runKernel(
        gpu,
        attentionProgram(options),
        attentionWorkgroups(options, chunks),
        { tokens: chunks * chunkTokens, previous: half },
        {
          ...{ [ATTENTION.qkv]: qkv, [ATTENTION.cache]: cache },
          [ATTENTION.out]: new Float32Array(chunks * chunkTokens * width),
        },
      );
      const [queries, keys, values] = [0, 1, 2].map((kind) => columnsOf(qkv, 3 * width, kind * width, width));
      const size = chunkTokens * width;
      const kept = half === 2 ? 2 * size : 0;
      const before = {
        keys: cache.subarray(kept, kept + size),
        values: cache.subarray(kept + size, kept + 2 * size),
      };
      const expected: number[] = [];
      for (let chunk = 0; chunk < chunks; chunk++) {
        const own = (x: Float32Array, index: number): Float32Array =>
          x.subarray(index * size, (index + 1) * size);
        const previous =
          chunk > 0
            ? { keys: own(keys!, chunk - 1), values: own(values!, chunk - 1) }
            : half > 0
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
      if (!commit) return;
      const ring = Float32Array.from(cache);
      const written = half === 1 ? 2 * size : 0;
      ring.set(keys!.subarray((chunks - 1) * size), written);
      ring.set(values!.subarray((chunks - 1) * size), written + size);
      expect(outputs[ATTENTION.cache]).toEqual(ring);
    },
  );
});

describe('cache-store', () => {
  it.each([0, 1, 2] as const)(
    "keeps the last chunk's keys and values beside those in half %i of the ring",
    async (previous) => {
      const [width, chunkTokens, chunks] = [12, 10, 2];
      const size = chunkTokens * width;
      const qkv = randomNumbers(5, chunks * chunkTokens * 3 * width);
      const cache = randomNumbers(6, 4 * size);
      const outputs = await runKernel(
        gpu,
        cacheStoreProgram(width, chunkTokens),
        elementWorkgroups((2 * chunkTokens * width) / 4),
        { tokens: chunks * chunkTokens, previous },
        { [CACHE_STORE.qkv]: qkv, [CACHE_STORE.cache]: cache },
      );
      const last = qkv.subarray(chunkTokens * 3 * width);
      const expected = Float32Array.from(cache);
      const half = previous === 1 ? 2 * size : 0;
      expected.set(columnsOf(last, 3 * width, width, width), half);
      expected.set(columnsOf(last, 3 * width, 2 * width, width), half + size);
      expect(outputs[CACHE_STORE.cache]).toEqual(expected);
    },
  );
});
