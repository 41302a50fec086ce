import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorldSpec } from '../../src/engine/package/model-json.ts';
import { recordedRollout } from '../../src/engine/parity/parity.ts';
import { CHUNKS, RECORDED_SEED, type Recording } from '../../src/engine/parity/recording.ts';
import { createWebGpuWorldModel, type WebGpuWorldModel } from '../../src/engine/world/webgpu/index.ts';
import { compare, kernelParity } from '../../src/engine/world/webgpu/parity/kernel-parity.ts';
import { MATMUL } from '../../src/engine/world/webgpu/matmul-options.ts';
import { SCAN, scanColumns } from '../../src/engine/world/webgpu/programs.ts';
import type { InspectedOperation } from '../../src/engine/world/webgpu/webgpu-session.ts';
import { largestDifference } from './numbers.ts';
import { openSoftwareGpu } from './software-device.ts';
import { readTiny } from './tiny-package.ts';

let recording: Recording;
let spec: WorldSpec;
let model: WebGpuWorldModel;

beforeAll(async () => {
  const tiny = await readTiny();
  ({ recording, spec } = tiny);
  const gpu = await openSoftwareGpu();
  const options = { device: gpu.device, primingChunks: 1 };
  model = await createWebGpuWorldModel(spec, tiny.weights, gpu.sources, options);
});
afterAll(() => model?.dispose());

function columnsOf(rows: Float32Array, stride: number, start: number, length: number): Float32Array {
  return Float32Array.from(
    { length: (rows.length / stride) * length },
    (_, i) => rows[Math.floor(i / length) * stride + start + (i % length)]!,
  );
}

/** x·rsqrt(sum(x²) + 1e-6) of vectors of a length. */
function unit(x: Float32Array, length: number): Float32Array {
  return x.map((value, i) => {
    const start = i - (i % length);
    const sum = x.subarray(start, start + length).reduce((total, v) => total + v * v, 0);
    return value / Math.sqrt(sum + 1e-6);
  });
}

/** Notes the largest difference, relative to numbers larger than 1, between what operations left and PyTorch's record. */
function recordedJudge(trace: string, differences: Map<string, number>) {
  const note = (what: string, actual: Float32Array): void => {
    const expected = recording.floats(`${trace}.${what}`);
    const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    differences.set(what, largestDifference(actual, expected) / scale);
  };
  return ({ operation, before, after }: InspectedOperation): void => {
    const [index, ...words] = operation.name.split(' ');
    const layer = `layers.${index}`;
    const output = (number: number): Float32Array => new Float32Array(after[number]!);
    const { width, scan, layers, depths } = spec;
    const what = words.join(' ');
    if (what === 'scan out') note(`${layer}.after_scan`, output(MATMUL.out));
    if (what === 'attention out') note(`${layer}.after_attention`, output(MATMUL.out));
    if (what === 'mlp down') note(`${layer}.after_mlp`, output(MATMUL.out));
    if (what === 'qkv') {
      const qkv = output(MATMUL.out);
      note(`${layer}.keys`, columnsOf(qkv, 3 * width, width, width));
      note(`${layer}.values`, columnsOf(qkv, 3 * width, 2 * width, width));
    }
    if (/^(ssd|gated-delta) /.test(what)) {
      const own = layers[Number(index)]!.key === 'point' ? depths : 0;
      const { heads, keyLength, valueLength } = scan;
      const columns = scanColumns(heads, keyLength, valueLength, own);
      const projection = new Float32Array(before[SCAN.projection]!);
      const part = (start: number, length: number): Float32Array =>
        columnsOf(projection, columns.stride, start, length);
      note(`${layer}.k`, unit(part(columns.keys, heads * keyLength), keyLength));
      note(`${layer}.q`, unit(part(columns.queries, heads * keyLength), keyLength));
      note(`${layer}.v`, part(columns.values, heads * valueLength));
      note(`${layer}.y`, output(SCAN.out));
      note(
        `${layer}.beta`,
        part(columns.writes, heads).map((x) => 1 / (1 + Math.exp(-x))),
      );
      note(
        `${layer}.g`,
        part(columns.decays, heads).map((x) => -Math.log1p(Math.exp(x))),
      );
    }
  };
}

const TOLERANCE = 1e-5;

describe('every layer against PyTorch', () => {
  it('in a denoise pass with tokens of two levels', async () => {
    const session = await model.createSession();
    await session.restore(recording.state(CHUNKS - 1, spec.layers.length, 'trace.denoise.state'));
    const differences = new Map<string, number>();
    const judge = recordedJudge('trace.denoise', differences);
    const chunk = recording.chunk(CHUNKS - 1);
    const level = recording.floats('trace.denoise.level')[0]!;
    const noise = { seed: RECORDED_SEED, chunk: CHUNKS - 1 };
    let predicted = new Float32Array();
    await session.inspect({ kind: 'denoise', chunk, level, next: 0, noise }, (inspected) => {
      judge(inspected);
      if (inspected.operation.name === 'sample') predicted = new Float32Array(inspected.after[MATMUL.out]!);
    });
    expect(differences.size).toBe(11 * spec.layers.length);
    for (const [what, difference] of differences) expect(difference, what).toBeLessThan(TOLERANCE);
    const expected = recording.floats('trace.denoise.predicted');
    const channels = spec.latentChannels;
    const noised = (values: Float32Array): Float32Array =>
      values.filter((_, i) => chunk.mask[Math.floor(i / channels)] === 1);
    expect(largestDifference(noised(predicted), noised(expected))).toBeLessThan(TOLERANCE);
    session.dispose();
  });

  it('in a commit pass without a state', async () => {
    const session = await model.createSession();
    const differences = new Map<string, number>();
    const judge = recordedJudge('trace.commit', differences);
    await session.inspect({ kind: 'commit', chunk: recording.chunk(0) }, judge);
    // The last layer ends with its state: no attention, no MLP.
    expect(differences.size).toBe(11 * spec.layers.length - 2);
    for (const [what, difference] of differences) expect(difference, what).toBeLessThan(TOLERANCE);
    session.dispose();
  });
});

describe('kernel parity', () => {
  it('is tight for every kernel in its place', async () => {
    const rows = await kernelParity(model, recordedRollout(recording, spec.layers.length).input);
    const kernels = new Set(rows.map(({ what }) => what.split(' ')[1]));
    const scans = 'ssd ssd-scores ssd-scores-read ssd-scores-write gated-delta';
    const all = `matmul ${scans} attention cache-store ray-features point-features noise`;
    expect([...kernels].sort()).toEqual(all.split(' ').sort());
    for (const { what, largest, scale } of rows) {
      expect(scale, what).toBeGreaterThan(0.05);
      expect(largest, what).toBeLessThan(1e-5 * Math.max(1, scale));
    }
  });

  it('sees a kernel that is wrong', async () => {
    const session = await model.createSession();
    const inspected: InspectedOperation[] = [];
    await session.inspect({ kind: 'commit', chunk: recording.chunk(0) }, (one) => inspected.push(one));
    const scans = inspected.filter(({ operation }) => operation.program.file === 'ssd.wgsl');
    expect(scans.length).toBeGreaterThan(0);
    for (const scan of scans) {
      expect(compare(scan).largest).toBeLessThan(1e-4);
      const spoiled = scan.after[SCAN.out]!.slice(0);
      new Float32Array(spoiled)[7]! += 0.01;
      expect(compare({ ...scan, after: { ...scan.after, [SCAN.out]: spoiled } }).largest).toBeGreaterThan(
        0.009,
      );
    }
    session.dispose();
  });
});

it('times every operation of a pass on the device', async () => {
  const session = await model.createSession();
  const pass = {
    kind: 'denoise',
    chunk: recording.chunk(2),
    level: 1,
    next: 0.5,
    noise: { seed: 1, chunk: 0 },
  } as const;
  const started = performance.now();
  const times = await session.time(pass, 3);
  const elapsed = 1000 * (performance.now() - started);
  const { before, step } = model.denoisePlan.sections;
  expect(times.map(({ name }) => name)).toEqual([...before, ...step].map(({ name }) => name));
  const total = times.reduce((sum, { microseconds }) => sum + microseconds, 0);
  expect(Math.min(...times.map(({ microseconds }) => microseconds))).toBeGreaterThanOrEqual(0);
  expect(total).toBeGreaterThan(0);
  expect(3 * total).toBeLessThan(elapsed);
  session.dispose();
});
