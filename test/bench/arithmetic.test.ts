import { beforeAll, describe, expect, it } from 'vitest';
import { floorOf, passFloor } from '../../bench/floor.ts';
import { summarise } from '../../bench/kernel-figures.ts';
import { spread } from '../../bench/wall-times.ts';
import { median } from '../../src/engine/median.ts';
import { type BenchReport, formatReport } from '../../bench/report.ts';
import { type ListTimer, timePass, usesOf } from '../../bench/pass-times.ts';
import { workOf } from '../../bench/work.ts';
import type { WorldSpec } from '../../src/engine/package/model-json.ts';
import type { Operation } from '../../src/engine/world/webgpu/operation.ts';
import type { BoundOperation } from '../../src/engine/world/webgpu/plan.ts';
import { makePlans, type Plans } from '../../src/engine/world/webgpu/world-plans.ts';
import { readTiny } from '../webgpu/tiny-package.ts';

let spec: WorldSpec;
let plans: Plans;
beforeAll(async () => {
  ({ spec } = await readTiny());
  plans = makePlans(spec, () => ({ kind: 'int8' }), 2);
});

const ceilings = { flops: 1e12, bandwidth: 1e11, dispatch: 2e-6 };

function find(operations: readonly Operation[], name: string): Operation {
  return operations.find((operation) => operation.name === name)!;
}

describe('medians', () => {
  it('takes the middle, or the mean of the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(spread([9, 10, 12])).toBeCloseTo(0.3);
  });
});

describe('the floor', () => {
  it('is the largest of arithmetic, bytes and one dispatch', () => {
    expect(floorOf({ flops: 1e8, bytes: 1e5 }, ceilings)).toEqual({ bound: 'arithmetic', seconds: 1e-4 });
    expect(floorOf({ flops: 1e6, bytes: 1e7 }, ceilings)).toEqual({ bound: 'memory', seconds: 1e-4 });
    expect(floorOf({ flops: 1e3, bytes: 1e3 }, ceilings)).toEqual({ bound: 'dispatch', seconds: 2e-6 });
    const works = [
      { flops: 1e8, bytes: 0 },
      { flops: 0, bytes: 0 },
    ];
    expect(passFloor(works, ceilings)).toBeCloseTo(1.02e-4, 9);
  });

  it('is set against the pass and its kernels', () => {
    const operations = plans.denoise.sections.step;
    const works = operations.map((operation) => workOf(operation, 80));
    const times = operations.map(() => 10);
    const shares = new Map([...usesOf(operations)].map(([key, uses]) => [key, 12 * uses.length]));
    const figures = summarise('denoise step', operations, works, times, { whole: 500, shares }, ceilings);
    expect(figures.kernels.every(({ inPassMicroseconds }) => inPassMicroseconds === 12)).toBe(true);
    expect(figures.dispatches).toBe(operations.length);
    expect(figures.sumMicroseconds).toBe(10 * operations.length);
    expect(figures.kernels.reduce((sum, { uses }) => sum + uses, 0)).toBe(operations.length);
    expect(figures.floorMicroseconds).toBeCloseTo(1e6 * passFloor(works, ceilings), 6);
    expect(figures.floorShare).toBeCloseTo(figures.floorMicroseconds / 500, 9);
  });
});

describe('what a kernel costs in a pass', () => {
  it('is the pass against the pass without it, whatever the clock does between', async () => {
    const step = plans.denoise.sections.step.map((operation) => ({ operation }) as BoundOperation);
    const costOf = ({ operation }: BoundOperation): number => (operation.name.includes('attention') ? 30 : 5);
    let clock = 1;
    const time: ListTimer = async (lists) =>
      lists.map((list) => (clock *= 1.0001) * list.reduce((sum, one) => sum + costOf(one), 0));
    const { whole, shares } = await timePass(time, step, 40);
    const total = step.reduce((sum, one) => sum + costOf(one), 0);
    expect(whole).toBeGreaterThan(total);
    for (const [key, uses] of usesOf(plans.denoise.sections.step)) {
      const own = uses.reduce((sum, i) => sum + costOf(step[i]!), 0);
      expect(shares.get(key)! / own).toBeGreaterThan(0.8);
      expect(shares.get(key)! / own).toBeLessThan(1.5);
    }
  });
});

describe('the work of operations', () => {
  it('is counted for every kernel of every plan', () => {
    for (const plan of [plans.denoise, ...plans.commits]) {
      for (const operation of [...plan.sections.before, ...plan.sections.step]) {
        const { flops, bytes } = workOf(operation, 80);
        expect(bytes, operation.name).toBeGreaterThan(0);
        expect(flops, operation.name).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it('counts a matrix product', () => {
    const { width, mlpWidth } = spec;
    const rows = 80;
    const { flops, bytes } = workOf(find(plans.denoise.sections.step, '0 mlp up'), rows);
    expect(flops).toBe(2 * rows * width * mlpWidth);
    // int8 weights, scale and bias a column, input and output, vectors of two levels.
    const vectors = 2 * 2 * width;
    expect(bytes).toBe(width * mlpWidth + 8 * mlpWidth + 4 * (rows * width + rows * mlpWidth + vectors));
  });

  it('counts attention by what is there to be attended to', () => {
    const operation = find(plans.denoise.sections.step, '0 attention');
    const chunk = spec.framesPerChunk * spec.grid.rows * spec.grid.columns;
    expect(workOf(operation, chunk).flops).toBe(4 * chunk * 2 * chunk * spec.width);
    expect(workOf(operation, chunk, { hasPrevious: false }).flops).toBe(4 * chunk * chunk * spec.width);
  });

  it("counts every rollout's state and cache", () => {
    const layer = spec.layers.findIndex(({ kind }) => kind === 'gated-delta');
    const isScan = ({ program }: Operation): boolean => program.file === 'gated-delta.wgsl';
    const operation = plans.denoise.sections.step.find(isScan)!;
    const { heads, keyLength, valueLength } = spec.scan;
    const [rows, columns] = spec.layers[layer]!.block;
    const blocks = (spec.grid.rows * spec.grid.columns) / (rows * columns);
    const state = 4 * blocks * heads * keyLength * valueLength;
    const bytes = (rollouts: number): number => workOf(operation, 160, { rollouts }).bytes;
    expect(bytes(2) - bytes(1)).toBe(state);
    const attention = find(plans.denoise.sections.step, '0 attention');
    const cache = 4 * 2 * spec.framesPerChunk * spec.grid.rows * spec.grid.columns * spec.width;
    expect(workOf(attention, 160, { rollouts: 2 }).bytes - workOf(attention, 160).bytes).toBe(cache);
  });

  it('refuses a kernel that nobody has counted', () => {
    const operation: Operation = {
      ...{ name: 'new', workgroups: [1, 1, 1], places: {} },
      program: { file: 'new.wgsl', constants: {}, bindings: {} },
    };
    expect(() => workOf(operation, 1)).toThrow('new.wgsl');
  });
});

describe('the table', () => {
  const cost = { msAChunk: 2, spread: 0.1 };
  const report: BenchReport = {
    ...{
      model: 'tiny',
      date: '2026-01-01T00:00',
      node: '24.0.0',
      processor: '2 × processor',
      dawnFeatures: '',
    },
    device: { description: 'a device', vendor: 'nobody', architecture: '', features: ['subgroups'] },
    peaks: { f32Tile: 3e13, copy: 4e12, dispatch: 2.5e-6, roundTrip: 4e-5 },
    backends: [
      {
        ...{ name: 'webgpu', loadMs: 300, modelBytes: 2 ** 20, msAChunk: 2 },
        world: {
          profiles: [{ profile: 'preview', steps: 4, framesASecond: 2500, ...cost }],
          prefixes: [
            { frames: 10, deviceBytes: 2 ** 20, heapBytes: 2 ** 21, ...cost },
            { frames: 100, deviceBytes: 2 ** 20, heapBytes: 2 ** 21, ...cost, msAChunk: 2.02 },
          ],
          longestAgainstShortest: 1.012,
          primingFramesASecond: 7500,
          variations: [
            { count: 1, framesASecond: 2500, deviceBytes: 2 ** 20, ...cost },
            { count: 8, framesASecond: 8000, deviceBytes: 2 ** 22, ...cost, msAChunk: 5 },
          ],
        },
      },
      { name: 'ort-webgpu', msAChunk: 30, msAStep: 6 },
      { name: 'ort', skipped: 'it is not installed' },
    ],
  };

  it('shows ratios and says what was not measured', () => {
    const text = formatReport(report);
    expect(text).toContain('f32 tile 30.00 TFLOP/s');
    expect(text).toContain('1.0 %');
    expect(text).toContain('longest prefix against shortest, in turns: +1.20 %');
    expect(text).toContain('7500.0 frames/s, 3.00 × generation');
    expect(text).toMatch(/^ +8 +5\.000 +2\.50 × +8000\.0 +4\.00 +10 %$/m);
    expect(text).toContain("30.000 ms, 15.00 times the first backend's");
    expect(text).toContain('not measured: it is not installed');
  });
});
