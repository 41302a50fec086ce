import { beforeAll, describe, expect, it } from 'vitest';
import {
  ATTENTION,
  attentionProgram,
  attentionWorkgroups,
} from '../../src/engine/world/webgpu/attention-program.ts';
import type { Gpu } from '../../src/engine/world/webgpu/gpu.ts';
import { runKernel } from '../../src/engine/world/webgpu/kernel-run.ts';
import type { RolloutLaunch } from '../../src/engine/world/webgpu/launch.ts';
import { attend } from '../../src/engine/world/webgpu/parity/reference.ts';
import {
  CACHE_STORE,
  cacheStoreProgram,
  cacheStoreWorkgroups,
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

/** Rollouts whose chunks before lie in these halves of their caches, the first one's in the last slot. */
function rolloutsOf(halves: readonly (0 | 1 | 2)[]): RolloutLaunch[] {
  return halves.map((previous, index) => ({
    ...{ slot: halves.length - 1 - index, previous },
    ...{ seed: 0, chunk: 0 },
  }));
}

describe('attention', () => {
  it.each([
    { heads: 2, headLength: 8, chunkTokens: 20, chunks: 3, halves: [1], commit: false },
    { heads: 2, headLength: 8, chunkTokens: 20, chunks: 2, halves: [0], commit: true },
    { heads: 3, headLength: 12, chunkTokens: 21, chunks: 1, halves: [2], commit: false },
    { heads: 1, headLength: 64, chunkTokens: 150, chunks: 1, halves: [2], commit: true },
    { heads: 1, headLength: 64, chunkTokens: 20, chunks: 2, halves: [1, 0, 2], commit: true },
    { heads: 1, headLength: 128, chunkTokens: 9, chunks: 1, halves: [0, 1], commit: false },
    { heads: 1, headLength: 256, chunkTokens: 9, chunks: 1, halves: [1], commit: false },
  ] as const)(
    'sees the chunk and the one before: $heads × $headLength, $chunks of $chunkTokens tokens, caches $halves, commit $commit',
    async ({ heads, headLength, chunkTokens, chunks: own, halves, commit }) => {
      const width = heads * headLength;
      const rollouts = rolloutsOf(halves);
      const chunks = own * rollouts.length;
      const options = { heads, headLength, chunkTokens, chunks, commit };
      // Scores up to some hundreds: the softmax must not overflow.
      const qkv = randomNumbers(3, chunks * chunkTokens * 3 * width, 6);
      const cache = randomNumbers(4, 4 * rollouts.length * chunkTokens * width, 6);
      const outputs = await runKernel(
        gpu,
        attentionProgram(options),
        attentionWorkgroups(options),
        { tokens: chunks * chunkTokens, chunks: own, rollouts },
        {
          ...{ [ATTENTION.qkv]: qkv, [ATTENTION.cache]: cache },
          [ATTENTION.out]: new Float32Array(chunks * chunkTokens * width),
        },
      );
      const [queries, keys, values] = [0, 1, 2].map((kind) => columnsOf(qkv, 3 * width, kind * width, width));
      const size = chunkTokens * width;
      const chunkOf = (x: Float32Array, index: number): Float32Array =>
        x.subarray(index * size, (index + 1) * size);
      const expected: number[] = [];
      for (let chunk = 0; chunk < chunks; chunk++) {
        const { slot, previous: half } = rollouts[Math.floor(chunk / own)]!;
        const kept = 4 * slot + (half === 2 ? 2 : 0);
        const previous =
          chunk % own > 0
            ? { keys: chunkOf(keys!, chunk - 1), values: chunkOf(values!, chunk - 1) }
            : half > 0
              ? { keys: chunkOf(cache, kept), values: chunkOf(cache, kept + 1) }
              : { keys: [], values: [] };
        expected.push(
          ...attend(
            chunkOf(queries!, chunk),
            [...previous.keys, ...chunkOf(keys!, chunk)],
            [...previous.values, ...chunkOf(values!, chunk)],
            heads,
            headLength,
          ),
        );
      }
      expect(largestDifference(outputs[ATTENTION.out]!, expected)).toBeLessThan(
        4e-4 * Math.sqrt(headLength / 64),
      );
      if (!commit) return;
      const rings = Float32Array.from(cache);
      rollouts.forEach(({ slot, previous }, index) => {
        const written = (4 * slot + (previous === 1 ? 2 : 0)) * size;
        rings.set(chunkOf(keys!, (index + 1) * own - 1), written);
        rings.set(chunkOf(values!, (index + 1) * own - 1), written + size);
      });
      expect(outputs[ATTENTION.cache]).toEqual(rings);
    },
  );
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
        gpu,
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
