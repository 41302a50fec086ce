import { beforeAll, describe, expect, it } from 'vitest';
import type { LayerKind } from '../../src/engine/package/model-json.ts';
import type { Gpu } from '../../src/engine/world/webgpu/gpu.ts';
import { runKernel } from '../../src/engine/world/webgpu/kernel-run.ts';
import { plainLaunch } from '../../src/engine/world/webgpu/launch.ts';
import { scan } from '../../src/engine/world/webgpu/parity/reference.ts';
import {
  SCAN,
  scanColumns,
  type ScanOptions,
  scanProgram,
  type ScanSplit,
  scanWorkgroups,
  tiledReadProgram,
  tiledReadWorkgroups,
  tiledWriteProgram,
  tiledWriteWorkgroups,
} from '../../src/engine/world/webgpu/programs.ts';
import {
  isShortScan,
  SCORES,
  scoresFloats,
  scoresProgram,
  scoresReadProgram,
  scoresReadWorkgroups,
  scoresWorkgroups,
  scoresWriteProgram,
  scoresWriteWorkgroups,
} from '../../src/engine/world/webgpu/scan-scores.ts';
import { expectedOutputs } from '../../src/engine/world/webgpu/parity/kernel-reference.ts';
import { largestDifference, randomNumbers } from './numbers.ts';
import { openSoftwareGpu } from './software-device.ts';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openSoftwareGpu();
});

interface Shape {
  /** 1 unless given; the first one's state lies in the last slot. */
  rollouts?: number;
  kind: LayerKind;
  grid: [number, number];
  block: [number, number];
  heads: number;
  keyLength: number;
  valueLength: number;
  frames: number;
  split?: ScanSplit;
}

/** Logits of tokens' decays and writes as they come from the random ones. */
interface Logits {
  decay(logit: number, head: number, token: number): number;
  write(logit: number): number;
}

/** Slow and fast forgetting: logits from −14 (a factor of 1 − 8e-7 a token) to 2. */
const MIXED: Logits = { decay: (logit, head) => logit - (head % 2 ? 12 : 0), write: (logit) => logit };

function scanInputs(shape: Shape, commit: boolean, logits = MIXED) {
  const { kind, heads, keyLength, valueLength, frames, block, split, rollouts = 1 } = shape;
  const grid = { rows: shape.grid[0], columns: shape.grid[1] };
  const columns = scanColumns(heads, keyLength, valueLength, 2);
  const sizes = { grid, block, heads, keyLength, valueLength, columns };
  const options: ScanOptions = { kind, ...sizes, commit, split };
  const tokens = frames * grid.rows * grid.columns;
  const blocks = (grid.rows * grid.columns) / (block[0] * block[1]);
  const size = blocks * heads * keyLength * valueLength;
  const state = randomNumbers(2, rollouts * size);
  const projection = randomNumbers(1, rollouts * tokens * columns.stride, 2);
  for (let token = 0; token < rollouts * tokens; token++) {
    for (let head = 0; head < heads; head++) {
      const at = token * columns.stride + head;
      projection[at + columns.decays] = logits.decay(projection[at + columns.decays]!, head, token);
      projection[at + columns.writes] = logits.write(projection[at + columns.writes]!);
    }
  }
  const expected = { y: new Float32Array(rollouts * tokens * heads * valueLength), state: state.slice() };
  const slots = Array.from({ length: rollouts }, (_, index) => rollouts - 1 - index);
  slots.forEach((slot, index) => {
    const part = (start: number, length: number): Float32Array =>
      Float32Array.from({ length: tokens * length }, (_, i) => {
        const row = index * tokens + Math.floor(i / length);
        return projection[row * columns.stride + start + (i % length)]!;
      });
    const one = scan({
      ...{ kind, grid, block, heads, keyLength, valueLength },
      state: state.subarray(slot * size, (slot + 1) * size),
      keys: part(columns.keys, heads * keyLength),
      queries: part(columns.queries, heads * keyLength),
      values: part(columns.values, heads * valueLength),
      writes: part(columns.writes, heads),
      decays: part(columns.decays, heads),
    });
    expected.y.set(one.y, index * one.y.length);
    expected.state.set(one.state, slot * size);
  });
  const inputs = {
    ...{ [SCAN.projection]: projection, [SCAN.state]: state },
    [SCAN.out]: new Float32Array(expected.y.length),
  };
  const launch = {
    ...{ tokens: rollouts * tokens, frames },
    rollouts: slots.map((slot) => ({ slot, previous: 0 as const, seed: 0, chunk: 0 })),
  };
  return { options, expected, inputs, launch };
}

function scanCase(shape: Shape, commit: boolean) {
  const { options, expected, inputs, launch } = scanInputs(shape, commit);
  const workgroups = scanWorkgroups(options, shape.rollouts);
  return { expected, run: runKernel(gpu, scanProgram(options), workgroups, launch, inputs) };
}

const small = { heads: 2, keyLength: 8, valueLength: 12 };

describe.each(['ssd', 'gated-delta'] as const)('%s', (kind) => {
  it.each<[string, Omit<Shape, 'kind'>]>([
    ['1 × 1 blocks', { grid: [2, 3], block: [1, 1], frames: 5, ...small }],
    ['2 × 3 blocks of a 4 × 6 grid', { grid: [4, 6], block: [2, 3], frames: 3, ...small }],
    ['three rollouts', { grid: [4, 6], block: [2, 3], frames: 3, ...small, rollouts: 3 }],
    ['the whole 8 × 8 frame, 320 tokens', { grid: [8, 8], block: [8, 8], frames: 5, ...small, heads: 1 }],
    [
      'keys of 128 and values of 64',
      { grid: [4, 4], block: [4, 4], frames: 2, heads: 2, keyLength: 128, valueLength: 64 },
    ],
    ['values of 68', { grid: [2, 2], block: [2, 2], frames: 2, heads: 1, keyLength: 20, valueLength: 68 }],
    [
      'values of 68 as cards do',
      {
        ...{ grid: [2, 4], block: [1, 4], frames: 5, heads: 2, keyLength: 128, valueLength: 68 },
        split: { columns: 32, parts: 4 },
      },
    ],
    [
      'eight parts a column',
      {
        ...{ grid: [2, 2], block: [2, 2], frames: 3, heads: 1, keyLength: 128, valueLength: 64 },
        split: { columns: 16, parts: 8 },
      },
    ],
  ])('scans %s, leaving the state as it is', async (_, shape) => {
    const { expected, run } = scanCase({ kind, ...shape }, false);
    const outputs = await run;
    expect(largestDifference(outputs[SCAN.out]!, expected.y)).toBeLessThan(4e-6);
    expect(outputs[SCAN.state]).toBeUndefined();
  });

  it('writes the state when it commits', async () => {
    const shape = { kind, grid: [4, 4], block: [2, 4], frames: 5, ...small, rollouts: 2 } as const;
    const { expected, run } = scanCase({ ...shape, grid: [4, 4], block: [2, 4] }, true);
    const outputs = await run;
    expect(largestDifference(outputs[SCAN.out]!, expected.y)).toBeLessThan(4e-6);
    expect(largestDifference(outputs[SCAN.state]!, expected.state)).toBeLessThan(4e-6);
  });

  it('writes the state as cards do', async () => {
    const sizes = { heads: 1, keyLength: 64, valueLength: 48 };
    const split = { columns: 32, parts: 4 };
    const { expected, run } = scanCase(
      { kind, grid: [2, 4], block: [2, 2], frames: 3, ...sizes, split },
      true,
    );
    expect(largestDifference((await run)[SCAN.state]!, expected.state)).toBeLessThan(4e-6);
  });
});

describe('ssd in tiles', () => {
  it.each<[string, Omit<Shape, 'kind'>]>([
    ['one tile of which four tokens are none', { grid: [2, 6], block: [2, 6], frames: 1, ...small }],
    ['4 × 4 blocks of a 4 × 8 grid', { grid: [4, 8], block: [4, 4], frames: 3, ...small }],
    ['three rollouts', { grid: [4, 8], block: [4, 4], frames: 3, ...small, rollouts: 3 }],
    ['the whole 8 × 8 frame, 320 tokens', { grid: [8, 8], block: [8, 8], frames: 5, ...small, heads: 1 }],
    [
      'keys of 128 and values of 64',
      { grid: [4, 4], block: [4, 4], frames: 2, heads: 2, keyLength: 128, valueLength: 64 },
    ],
    [
      'values of 68 in a row of 5 tokens',
      { grid: [2, 5], block: [1, 5], frames: 5, heads: 1, keyLength: 20, valueLength: 68 },
    ],
  ])('reads and writes %s', async (_, shape) => {
    const { options, expected, inputs, launch } = scanInputs({ kind: 'ssd', ...shape }, true);
    const { frames } = launch;
    const read = tiledReadWorkgroups(options, frames, shape.rollouts);
    const { [SCAN.out]: y } = await runKernel(gpu, tiledReadProgram(options), read, launch, inputs);
    expect(largestDifference(y!, expected.y)).toBeLessThan(4e-6);
    const write = tiledWriteWorkgroups(options, shape.rollouts);
    const { [SCAN.state]: state } = await runKernel(gpu, tiledWriteProgram(options), write, launch, inputs);
    expect(largestDifference(state!, expected.state)).toBeLessThan(4e-6);
  });
});

describe('ssd from scores', () => {
  /** Runs the three kernels one after the other, the scores on tensors full of what must not be read. */
  async function runShort(shape: Omit<Shape, 'kind'>, commit: boolean, logits?: Logits) {
    const { options, expected, inputs, launch } = scanInputs({ kind: 'ssd', ...shape }, commit, logits);
    const extent = { rollouts: shape.rollouts ?? 1, frames: shape.frames };
    expect(isShortScan(options, shape.frames)).toBe(true);
    const floats = scoresFloats(options, extent);
    const tensors = {
      [SCORES.scores]: new Float32Array(floats.scores).fill(1e30),
      [SCORES.weighted]: new Float32Array(floats.weighted).fill(1e30),
    };
    const making = scoresProgram(options);
    const before = { ...inputs, ...tensors };
    const made = await runKernel(gpu, making, scoresWorkgroups(options, extent), launch, before);
    const filled = { ...before, ...made };
    const reading = scoresReadWorkgroups(options, extent);
    const { [SCORES.out]: y } = await runKernel(gpu, scoresReadProgram(options), reading, launch, filled);
    let state: Float32Array | undefined;
    if (commit) {
      const writing = scoresWriteWorkgroups(options, shape.rollouts);
      const after = await runKernel(gpu, scoresWriteProgram(options), writing, launch, filled);
      state = after[SCORES.state];
    }
    const contents = Object.fromEntries(
      Object.entries(before).map(([number, data]) => [number, data.buffer as ArrayBuffer]),
    );
    const wanted = expectedOutputs(making, { ...plainLaunch(launch.tokens), ...launch }, contents);
    return { expected, y: y!, state, made, wanted };
  }

  const maze = { heads: 1, keyLength: 128, valueLength: 64 };
  const whole: Pick<Shape, 'grid' | 'block'> = { grid: [8, 8], block: [8, 8] };

  it.each<[string, Omit<Shape, 'kind'>]>([
    ['one frame of 8 × 8', { ...whole, frames: 1, ...small }],
    ['five frames of 8 × 8, keys of 128 and values of 64', { ...whole, frames: 5, ...maze }],
    ['the longest sequence', { ...whole, frames: 8, ...small, heads: 1 }],
    ['one tile of which half the tokens are none', { grid: [4, 4], block: [4, 4], frames: 1, ...small }],
    ['4 × 4 blocks of a 4 × 8 grid, 48 tokens', { grid: [4, 8], block: [4, 4], frames: 3, ...small }],
    ['5 × 5 blocks, 75 tokens', { grid: [5, 10], block: [5, 5], frames: 3, ...small }],
    ['three rollouts', { grid: [4, 8], block: [4, 4], frames: 3, ...small, rollouts: 3 }],
    [
      'keys of 40 and values of 68 in a row of 16 tokens',
      { grid: [2, 16], block: [1, 16], frames: 3, heads: 2, keyLength: 40, valueLength: 68 },
    ],
  ])('reads and writes %s', async (_, shape) => {
    const { expected, y, state, made, wanted } = await runShort(shape, true);
    expect(largestDifference(y, expected.y)).toBeLessThan(4e-6);
    expect(largestDifference(state!, expected.state)).toBeLessThan(4e-6);
    for (const number of [SCORES.scores, SCORES.weighted]) {
      expect(largestDifference(made[number]!, wanted[number]!)).toBeLessThan(4e-6);
    }
  });

  it('reads the same when it does not commit', async () => {
    const shape = { ...whole, frames: 2, ...small, rollouts: 2 };
    const [committing, reading] = [await runShort(shape, true), await runShort(shape, false)];
    expect(reading.y).toEqual(committing.y);
    expect(reading.made[SCORES.scores]).toEqual(committing.made[SCORES.scores]);
    expect(reading.made[SCORES.weighted]).toBeUndefined();
  });

  it('gives each of several rollouts what it gets alone', async () => {
    const shape = { ...whole, frames: 2, ...small };
    const [alone, together] = [await runShort(shape, true), await runShort({ ...shape, rollouts: 2 }, true)];
    // The first rollout has the last state, and `randomNumbers` begins with the same numbers.
    expect(together.made[SCORES.scores]!.slice(0, alone.made[SCORES.scores]!.length)).toEqual(
      alone.made[SCORES.scores],
    );
  });

  it.each<[string, Logits]>([
    [
      'everything forgotten at some tokens, hardly anything at others',
      { decay: (logit, _, token) => (token % 37 === 5 ? 90 : logit - 14), write: () => 30 },
    ],
    ['fast forgetting of weak writes', { decay: (logit) => logit + 30, write: (logit) => logit - 20 }],
    ['no forgetting and full writes', { decay: () => -100, write: () => 100 }],
  ])('stays exact with %s', async (_, logits) => {
    const { expected, y, state } = await runShort({ ...whole, frames: 5, ...maze }, true, logits);
    const scale = expected.y.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    expect(largestDifference(y, expected.y) / scale).toBeLessThan(2e-6);
    expect(largestDifference(state!, expected.state) / scale).toBeLessThan(2e-6);
  });

  it('is left to tiles where sequences are long or vectors do not come in fours', () => {
    const { options } = scanInputs({ kind: 'ssd', ...whole, frames: 1, ...maze }, true);
    expect(isShortScan(options, 5)).toBe(true);
    expect(isShortScan(options, 9)).toBe(false);
    expect(isShortScan({ ...options, keyLength: 20 }, 5)).toBe(false);
    expect(isShortScan({ ...options, valueLength: 66 }, 5)).toBe(false);
    expect(isShortScan({ ...options, block: [2, 2] }, 5)).toBe(false);
    expect(isShortScan({ ...options, kind: 'gated-delta' }, 5)).toBe(false);
  });
});
