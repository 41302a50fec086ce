import { beforeAll, describe, expect, it } from 'vitest';
import { nodeFolder, openPackage, type WorldPackage } from '../../src/engine/node.ts';
import type { RgbaFrame } from '../../src/engine/types.ts';
import { NO_DEGRADATION } from '../../src/evaluation/degradation.ts';
import { evaluate, type EvaluationSettings } from '../../src/evaluation/evaluate.ts';
import type { EvaluationTask } from '../../src/evaluation/protocol.ts';
import { TINY } from '../engine/tiny.ts';
import { paintingModel, walkClip, walkFrame } from './walks.ts';

// The tiny package has 4 × 4 tokens of 4 × 4 pixels and 5 frames a chunk.
let pkg: WorldPackage;
beforeAll(async () => {
  pkg = await openPackage(nodeFolder(TINY));
});

function settings(
  task: EvaluationTask,
  context: number,
  generate: number,
  more: Partial<EvaluationSettings> = {},
): EvaluationSettings {
  return { task, context, generate, steps: 2, seed: 9, degradation: NO_DEGRADATION, ...more };
}

/** Which frame of the walk stands at a time index. */
const TRUTH: Record<EvaluationTask, (time: number, context: number) => number> = {
  retrieval: (time, context) => (time < context ? time : 2 * context - 1 - time),
  reasoning: (time) => time,
  gap: (time) => time,
  region: (time) => time,
  cold: (time) => time,
};

function oracle(task: EvaluationTask, context: number): (time: number) => RgbaFrame | null {
  return (time) => walkFrame(Math.max(0, TRUTH[task](time, context)));
}

describe('an oracle', () => {
  it.each<[EvaluationTask, number, number]>([
    ['retrieval', 12, 12],
    ['retrieval', 10, 3],
    ['reasoning', 13, 9],
    ['gap', 11, 7],
    ['region', 7, 8],
    ['region', 0, 6],
  ])('scores the best there is: %s %i → %i', async (task, context, generate) => {
    const { model, seen, sessions } = paintingModel(pkg, oracle(task, context));
    const report = await evaluate(model, [walkClip('a', 30)], settings(task, context, generate));
    expect(report.psnr).toBe(100);
    expect(report.ssim).toBeCloseTo(1, 12);
    if (task === 'region') expect(report.holePsnr).toBe(100);
    for (const figures of Object.values(report.baselines)) expect(figures.psnr).toBeLessThan(60);
    // What is to be made never lies in the input.
    expect(seen.filter(({ kind }) => kind === 'denoise').every(({ blank }) => blank)).toBe(true);
    expect(sessions()).toBe(0);
  });

  it('one frame late does not', async () => {
    const { model } = paintingModel(pkg, (time) => walkFrame(time - 1));
    const report = await evaluate(model, [walkClip('a', 30)], settings('reasoning', 10, 10));
    expect(report.psnr).toBeLessThan(30);
    expect(report.curve[0]!.psnr).toBe(report.curve[0]!.freezePsnr);
  });
});

describe('what the model is shown', () => {
  async function shown(
    task: EvaluationTask,
    context: number,
    generate: number,
    degradation = NO_DEGRADATION,
  ) {
    const painting = paintingModel(pkg, oracle(task, context));
    await evaluate(painting.model, [walkClip('a', 40)], settings(task, context, generate, { degradation }));
    return painting;
  }

  it('retrieval: frames, then poses along the way back, relative to the first', async () => {
    const { seen, keys } = await shown('retrieval', 12, 9);
    const committed = seen.filter(({ kind }) => kind === 'commit');
    const denoised = seen.filter(({ kind }) => kind === 'denoise');
    // Two whole chunks, the mixed one, one more; the last is not committed: nothing follows it.
    expect(committed.map(({ number }) => number)).toEqual([
      ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      ...[10, 11, 11, 10, 9],
      ...[8, 7, 6, 5, 4],
    ]);
    expect(denoised.map(({ number }) => number)).toEqual([10, 11, ...Array(13).fill(null)]);
    expect(denoised.map(({ open }) => open)).toEqual([0, 0, ...Array(13).fill(16)]);
    expect(denoised.map(({ time }) => time)).toEqual(Array.from({ length: 15 }, (_, i) => 10 + i));
    // The camera looks along the world's −x, its right is −z: a step of 0.25 along z is 0.25 to the left. The frames
    // that fill the last chunk stay where the walk ended.
    const lefts = denoised.map(({ position }) => -4 * position![0]!);
    [10, 11, 11, 10, 9, 8, 7, 6, 5, 4, 3, 3, 3, 3, 3].forEach((left, at) =>
      expect(lefts[at]).toBeCloseTo(left, 5),
    );
    expect(denoised.every(({ position }) => Math.abs(position![1]!) + Math.abs(position![2]!) < 1e-6)).toBe(
      true,
    );
    expect(keys).toEqual([2, 3, 4].map((chunk) => ({ seed: 9, chunk })));
  });

  it('rays of the clip’s own field of view, of the model’s where it has none', async () => {
    for (const [verticalFov, degrees] of [
      [70, 70],
      [undefined, 80],
    ] as const) {
      const painting = paintingModel(pkg, () => null);
      const clip = walkClip('a', 10);
      const camera = { poses: clip.camera!.poses, ...(verticalFov && { verticalFov }) };
      await evaluate(painting.model, [{ ...clip, camera }], settings('reasoning', 5, 5));
      const [x, y, z] = painting.seen[0]!.direction as [number, number, number];
      // The first of four rows and columns has its centre at three quarters of the way to the edge.
      const edge = 0.75 * Math.tan((degrees * Math.PI) / 360);
      expect(y / -z).toBeCloseTo(edge, 5);
      expect(x / -z).toBeCloseTo(-edge, 5);
    }
  });

  it('gap: anchors first, poses relative to the first frame before the gap', async () => {
    const { seen } = await shown('gap', 10, 5);
    expect(seen.map(({ kind, number, time }) => [kind, number, time])).toEqual([
      ...[10, 11, 12, 13, 14].map((frame) => ['commit', frame, frame]),
      ...[0, 1, 2, 3, 4].map((frame) => ['commit', frame, frame]),
      ...[5, 6, 7, 8, 9].map((frame) => ['denoise', null, frame]),
    ]);
    seen.forEach(({ time, position }) => expect(-4 * position![0]!).toBeCloseTo(time, 5));
  });

  it('region: frames with a quarter open', async () => {
    const { seen } = await shown('region', 5, 5);
    const denoised = seen.filter(({ kind }) => kind === 'denoise');
    expect(denoised.map(({ open, number }) => [open, number])).toEqual([5, 6, 7, 8, 9].map((at) => [4, at]));
  });

  it('cold start: nothing but poses', async () => {
    const { seen } = await shown('cold', 0, 10);
    const denoised = seen.filter(({ kind }) => kind === 'denoise');
    expect(denoised.map(({ open, number, time }) => [open, number, time])).toEqual(
      Array.from({ length: 10 }, (_, time) => [16, null, time]),
    );
    denoised.forEach(({ time, position }) => expect(-4 * position![0]!).toBeCloseTo(time, 5));
  });

  it('without missing frames: the others keep their times and poses, the truth stays', async () => {
    const { seen } = await shown('reasoning', 20, 5, { ...NO_DEGRADATION, missing: 0.25 });
    const given = seen.filter(
      ({ number, kind, time }) => number !== null && (kind === 'commit' || time < 20),
    );
    const times = [...new Set(given.map(({ time }) => time))].filter((time) => time < 20);
    expect(times).toHaveLength(15);
    for (const { time, number, position } of given) {
      expect(number).toBe(time);
      expect(-4 * position![0]!).toBeCloseTo(time, 5);
    }
  });

  it('after a camera jump: other frames at the same times, relative to the new first one', async () => {
    const { seen } = await shown('reasoning', 10, 5, { ...NO_DEGRADATION, cameraJump: true });
    const given = seen.slice(0, 10);
    expect(given.map(({ number }) => number)).toEqual([4, 3, 2, 1, 0, 5, 6, 7, 8, 9]);
    given.forEach(({ number, position }) => expect(-4 * position![0]!).toBeCloseTo(number! - 4, 5));
  });

  it('a clip without camera: unknown poses', async () => {
    const painting = paintingModel(pkg, oracle('reasoning', 5));
    const clip = { ...walkClip('a', 20), camera: null };
    await evaluate(painting.model, [clip], settings('reasoning', 5, 5));
    expect(painting.seen.every(({ position }) => position === null)).toBe(true);
  });

  it('noise reaches the prefix, not the truth', async () => {
    const painting = paintingModel(pkg, oracle('reasoning', 10));
    const degradation = { ...NO_DEGRADATION, noise: 0.1 };
    const report = await evaluate(
      painting.model,
      [walkClip('a', 20)],
      settings('reasoning', 10, 5, { degradation }),
    );
    expect(report.psnr).toBe(100);
    expect(painting.seen.filter(({ number, time }) => number !== time).length).toBeGreaterThan(5);
  });
});

describe('the report', () => {
  it('has means over all frames of all clips, a curve in ten ranges, and baselines', async () => {
    // Right for the first ten frames, black afterwards.
    const { model } = paintingModel(pkg, (time) => (time < 20 ? walkFrame(time) : null));
    const clips = [walkClip('a', 40), walkClip('b', 40)];
    const outcomes: string[] = [];
    const progress: number[] = [];
    const report = await evaluate(model, clips, settings('reasoning', 10, 20), {
      onClip: ({ name }) => outcomes.push(name),
      onProgress: (_, done, total) => progress.push(done / total),
    });
    expect(report).toMatchObject({
      task: 'reasoning',
      model: 'tiny',
      backend: 'ort',
      steps: 2,
      seed: 9,
      clips: 2,
      context: 10,
      generate: 20,
      degradation: NO_DEGRADATION,
    });
    expect(report.levels).toHaveLength(3);
    expect(report.curve.map(({ from, to }) => [from, to])).toEqual(
      Array.from({ length: 10 }, (_, bin) => [2 * bin + 1, 2 * bin + 2]),
    );
    expect(report.curve.map(({ psnr }) => psnr === 100)).toEqual([
      ...Array(5).fill(true),
      ...Array(5).fill(false),
    ]);
    const mean = report.curve.reduce((sum, { psnr }) => sum + psnr, 0) / 10;
    expect(report.psnr).toBeCloseTo(mean, 9);
    expect(Object.keys(report.baselines)).toEqual(['freeze']);
    expect(report.perClip.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(report.perClip[0]!.psnr).toBeCloseTo(report.psnr!, 9);
    for (const figure of [report.seconds, report.msPerFrame, report.primingMsPerFrame])
      expect(figure).toBeGreaterThan(0);
    expect(outcomes).toEqual(['a', 'b']);
    expect(progress.at(-1)).toBe(1);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
  });

  it('compares gaps with a cross-fade, regions with a harmonic fill', async () => {
    for (const [task, name] of [
      ['gap', 'crossFade'],
      ['region', 'harmonicFill'],
    ] as const) {
      const { model } = paintingModel(pkg, () => null);
      const report = await evaluate(model, [walkClip('a', 40)], settings(task, 10, 5));
      expect(Object.keys(report.baselines)).toEqual(['freeze', name]);
      const better = task === 'gap' ? report.baselines['crossFade']! : report.baselines['harmonicFill']!;
      expect(better.psnr).toBeGreaterThan(report.psnr!);
    }
  });

  it('tells a cold start that collapses from one that lives', async () => {
    const run = async (paint: (time: number) => RgbaFrame | null) => {
      const { model } = paintingModel(pkg, paint);
      return evaluate(model, [walkClip('a', 40)], settings('cold', 0, 40));
    };
    const alive = await run((time) => walkFrame(time));
    expect(alive).toMatchObject({ psnr: null, ssim: null, curve: [], baselines: {} });
    expect(alive.cold).toMatchObject({ collapsed: 0, spread: { ratio: 1 }, change: { ratio: 1 } });
    expect(alive.primingMsPerFrame).toBeNull();
    const standing = await run((time) => walkFrame(Math.min(time, 20)));
    expect(standing.cold!.collapsed).toBe(1);
    expect(standing.cold!.spread.ratio).toBeGreaterThan(0.5);
    expect(standing.cold!.curve.at(-1)!.changeRatio).toBe(0);
    const fading = await run((time) => {
      const frame = walkFrame(time);
      return {
        ...frame,
        data: frame.data.map((value) => 128 + ((value - 128) * Math.max(0, 30 - time)) / 30),
      };
    });
    expect(fading.cold!.collapsed).toBe(1);
    expect(fading.cold!.curve.at(-1)!.spreadRatio).toBeLessThan(0.1);
  });

  it('takes clips of another size to the model’s', async () => {
    const { model } = paintingModel(pkg, () => null);
    const report = await evaluate(model, [walkClip('a', 12, 32)], settings('reasoning', 5, 5));
    expect(report.psnr).toBeGreaterThan(0);
  });

  it('stops when it is cancelled', async () => {
    const controller = new AbortController();
    const { model, sessions } = paintingModel(pkg, () => null);
    const run = evaluate(model, [walkClip('a', 40)], settings('reasoning', 20, 20), {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    expect(sessions()).toBe(0);
  });
});
