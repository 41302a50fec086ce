import { beforeAll, describe, expect, it } from 'vitest';
import type { LayerKind } from '../../src/engine/package/model-json.ts';
import type { Gpu } from '../../src/engine/world/webgpu/gpu.ts';
import { runKernel } from '../../src/engine/world/webgpu/kernel-run.ts';
import { scan } from '../../src/engine/world/webgpu/parity/reference.ts';
import {
  SCAN,
  scanColumns,
  type ScanOptions,
  scanProgram,
  scanWorkgroups,
  tiledReadProgram,
  tiledReadWorkgroups,
  tiledWriteProgram,
  tiledWriteWorkgroups,
} from '../../src/engine/world/webgpu/programs.ts';
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
}

function scanInputs(shape: Shape, commit: boolean) {
  const { kind, heads, keyLength, valueLength, frames, block, rollouts = 1 } = shape;
  const grid = { rows: shape.grid[0], columns: shape.grid[1] };
  const columns = scanColumns(heads, keyLength, valueLength, 2);
  const options: ScanOptions = { ...{ kind, grid, block, heads, keyLength, valueLength, columns }, commit };
  const tokens = frames * grid.rows * grid.columns;
  const blocks = (grid.rows * grid.columns) / (block[0] * block[1]);
  const size = blocks * heads * keyLength * valueLength;
  const state = randomNumbers(2, rollouts * size);
  const projection = randomNumbers(1, rollouts * tokens * columns.stride, 2);
  // Slow and fast forgetting: logits from −14 (a factor of 1 − 8e-7 a token) to 2.
  for (let token = 0; token < rollouts * tokens; token++) {
    for (let head = 0; head < heads; head++) {
      projection[token * columns.stride + columns.decays + head]! += head % 2 ? -12 : 0;
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
