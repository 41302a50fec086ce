import { describe, expect, it } from 'vitest';
import { profileWith, stepsFor } from '../../src/engine/scheduler/profiles.ts';
import { chunkMs, predictSeconds, speedFrom, stepsWithin } from '../../src/engine/scheduler/speed.ts';
import { StepBudget } from '../../src/engine/scheduler/step-budget.ts';
import { RolloutClock } from '../../src/engine/scheduler/time-left.ts';
import { workOf, workOfGap, workOfRegion } from '../../src/engine/scheduler/work.ts';
import { correctSpeed, knownSpeed, measureSpeed } from '../../src/engine/scheduler/calibrate.ts';
import { extendClip } from '../../src/engine/tasks/extend.ts';
import { fillGap, makeLoop } from '../../src/engine/tasks/gap.ts';
import { repaintRegion } from '../../src/engine/tasks/region.ts';
import type { LoadedModel } from '../../src/engine/loaded-model.ts';
import { clockworkModel } from './clockwork-model.ts';
import { testFrames } from './test-frames.ts';
import { TINY, tinyModel } from './tiny.ts';
import { nodeFolder, openPackage } from '../../src/engine/node.ts';

const SPEED = { passMs: 100, fixedMs: 20, commitMs: 80, primeMs: 50 };

describe('the speed of a machine', () => {
  it('is taken apart into pass, commit and the rest; one disturbed sample does not count', () => {
    const clean = { one: 120, several: 320, commitAndOne: 200, batchAndOne: 320 };
    const disturbed = { one: 900, several: 330, commitAndOne: 5000, batchAndOne: 6000 };
    expect(speedFrom([clean, disturbed, clean], { passes: 3, batch: 4 })).toEqual(SPEED);
  });

  it('explains what it measured even where a disturbance hid a part', () => {
    const counts = { passes: 4, batch: 4 };
    const slowOne = speedFrom([{ one: 100, several: 90, commitAndOne: 8, batchAndOne: 8 }], counts);
    expect(slowOne).toEqual({ passMs: 0, fixedMs: 90, commitMs: 0, primeMs: 0 });
    const slowSeveral = speedFrom([{ one: 10, several: 400, commitAndOne: 20, batchAndOne: 30 }], counts);
    const hurried = speedFrom([{ one: 120, several: 420, commitAndOne: 200, batchAndOne: null }], counts);
    expect(hurried).toEqual({ passMs: 100, fixedMs: 20, commitMs: 80, primeMs: 80 });
    expect(slowSeveral).toMatchObject({ passMs: 100, fixedMs: 0 });
  });

  it('predicts rollouts', () => {
    expect(chunkMs(SPEED, 4)).toBe(500);
    expect(predictSeconds(SPEED, 4, { primeChunks: 10, chunks: 3 })).toBeCloseTo(0.5 + 1.5 - 0.08, 12);
  });

  it('says how many passes fit', () => {
    expect(stepsWithin(SPEED, 500, 8)).toBe(4);
    expect(stepsWithin(SPEED, 499, 8)).toBe(3);
    expect(stepsWithin(SPEED, 5000, 8)).toBe(8);
    expect(stepsWithin(SPEED, 10, 8)).toBe(1);
    expect(stepsWithin({ ...SPEED, passMs: 0 }, 500, 8)).toBe(8);
  });
});

describe('the work of an extension', () => {
  const model = { rate: { num: 12, den: 1 }, world: { framesPerChunk: 5 } } as Parameters<typeof workOf>[0];
  const work = (fps: number, prefixFrames: number, frameCount: number) =>
    workOf(model, { rate: { num: fps, den: 1 }, prefixFrames, frameCount });

  it('counts chunks, one that the prefix has begun included', () => {
    expect(work(12, 50, 10)).toEqual({ primeChunks: 10, chunks: 2 });
    expect(work(12, 52, 8)).toEqual({ primeChunks: 10, chunks: 2 });
    expect(work(12, 52, 9)).toEqual({ primeChunks: 10, chunks: 3 });
    expect(work(12, 0, 5)).toEqual({ primeChunks: 0, chunks: 1 });
    expect(work(12, 0, 6)).toEqual({ primeChunks: 0, chunks: 2 });
    expect(work(24, 99, 20)).toEqual({ primeChunks: 10, chunks: 2 });
  });

  it('is what a gap, a loop and a region really take', async () => {
    const pkg = await openPackage(nodeFolder(TINY));
    const { frame, rate } = pkg.model;
    const clip = (count: number) => testFrames(count, frame.width, frame.height);
    const settings = { size: frame, rate, frameCount: 12, profile: 'draft', seed: 1 } as const;
    const whole = { ...frame, data: new Uint8Array(frame.width * frame.height).fill(255) };
    const mask = { kind: 'pictures', pictures: Array.from({ length: 12 }, () => whole) } as const;
    const cases = [
      {
        run: (model: LoadedModel) => fillGap(model, { ...settings, before: clip(30), after: clip(40) }),
        work: workOfGap(pkg.model, { rate, beforeFrames: 30, frameCount: 12, afterFrames: 40 }),
      },
      {
        run: (model: LoadedModel) => makeLoop(model, { ...settings, prefix: clip(33) }),
        work: workOfGap(pkg.model, { rate, beforeFrames: 33, frameCount: 12, afterFrames: 33 }),
      },
      {
        run: (model: LoadedModel) =>
          repaintRegion(model, { ...settings, prefix: clip(33), frames: clip(12), mask }),
        work: workOfRegion(pkg.model, { rate, prefixFrames: 33, frameCount: 12 }),
      },
    ];
    for (const { run, work } of cases) {
      const { model, calls } = clockworkModel(pkg);
      for await (const event of run(model)) void event;
      const first = calls.findIndex(({ kind }) => kind === 'denoise');
      const chunks = calls.filter(({ kind }) => kind === 'denoise').length;
      expect({ primeChunks: first, chunks }).toEqual({ primeChunks: work.primeChunks, chunks: work.chunks });
    }
  });
});

describe('a time to be done in', () => {
  it('is kept by fewer passes when chunks are slower than measured, never by more later', () => {
    const budget = new StepBudget(SPEED, 5000, 8);
    // 0.95 × 5000 for 9 chunks: 527 ms each.
    expect(budget.next(0, 9, 0, 1)).toBe(4);
    expect(budget.next(500, 8, 0, 1)).toBe(4);
    expect(budget.next(1500, 7, 0, 1.6)).toBe(1);
    expect(budget.next(1600, 6, 0, 0.1)).toBe(1);
  });

  it('leaves room for what else is to be done, and gives no more than is of use', () => {
    expect(new StepBudget(SPEED, 5000, 8).next(0, 9, 2000, 1)).toBe(2);
    expect(new StepBudget(SPEED, 1e6, 8).next(0, 9, 0, 1)).toBe(8);
    expect(new StepBudget(SPEED, 1, 8).next(50, 9, 0, 1)).toBe(1);
  });
});

describe('the clock of a rollout', () => {
  const left = (clock: RolloutClock, chunks: number, frames = 0) => clock.secondsLeft(4, chunks, frames);

  it('begins with what was measured and leans on the latest', () => {
    const clock = new RolloutClock(SPEED);
    expect(left(clock, 3)).toBe(1.5);
    // Twice as slow as measured, or a chunk of 420 ms in 840: a first one also warms up, and is believed but in part.
    clock.made(4, 840);
    expect(clock.slowness).toBeCloseTo(1.3, 12);
    clock.committed(0);
    clock.made(4, 500);
    expect(clock.slowness).toBeCloseTo(1.12, 12);
    expect(clock.overall).toBeCloseTo(1340 / 920, 12);
  });

  it('believes a first chunk that was fast', () => {
    const clock = new RolloutClock(SPEED);
    clock.made(4, 210);
    expect(clock.slowness).toBeCloseTo(0.625, 12);
  });

  it('is right at once on a machine as measured, whether commits are done at once or later', () => {
    const atOnce = new RolloutClock(SPEED);
    atOnce.made(4, 420);
    atOnce.committed(80);
    const later = new RolloutClock(SPEED);
    later.made(4, 420);
    later.committed(0);
    // Two more chunks: the commit between them, and for the later one that of the first chunk.
    expect(left(atOnce, 2)).toBeCloseTo(0.92, 12);
    expect(left(later, 2)).toBeCloseTo(1, 12);
    atOnce.made(4, 420);
    later.made(4, 500);
    expect([atOnce.slowness, later.slowness]).toEqual([1, 1]);
    expect(left(atOnce, 0)).toBe(0);
  });

  it('knows a slower machine by the prefix already', () => {
    const clock = new RolloutClock(SPEED);
    clock.primed(0, 3);
    expect(clock.slowness).toBe(1);
    clock.primed(20, 20 * 50 * 3);
    expect(clock.slowness).toBe(2);
  });

  it('counts frames from the first one on', () => {
    const clock = new RolloutClock(SPEED);
    expect(left(clock, 0, 10)).toBe(0);
    clock.frameMade(50);
    expect(left(clock, 0, 10)).toBeCloseTo(0.5, 12);
    clock.frameTaken(30);
    expect(left(clock, 0, 10)).toBeCloseTo(0.8, 12);
    // What made the first one slow is over; a single slow one later counts a little.
    clock.frameMade(20);
    expect(left(clock, 0, 10)).toBeCloseTo(0.5, 12);
    clock.frameMade(30);
    expect(left(clock, 0, 10)).toBeCloseTo(0.53, 12);
  });

  it('goes by the chunks alone where nothing was measured', () => {
    const clock = new RolloutClock(null);
    expect(left(clock, 3)).toBe(0);
    clock.made(4, 1000);
    expect(left(clock, 3)).toBe(3);
    clock.committed(200);
    expect(left(clock, 3)).toBeCloseTo(3.4, 12);
    for (let i = 0; i < 10; i++) {
      clock.made(4, 500);
      clock.committed(100);
    }
    expect(left(clock, 2)).toBeCloseTo(1.1, 2);
    expect(clock.overall).toBeNull();
  });
});

describe('an extension with a time to be done in', () => {
  it('takes all passes that are of use when there is time, one when there is none, and says so', async () => {
    const model = await tinyModel();
    const { frame, rate } = model.package.model;
    const prefix = testFrames(7, frame.width, frame.height);
    const run = async (fitSeconds: number) => {
      const request = { prefix, size: frame, rate, frameCount: 12, seed: 3 } as const;
      const made: string[] = [];
      let fit;
      for await (const event of extendClip(model, { ...request, profile: 'preview', fitSeconds })) {
        if (event.kind === 'frame') made.push(Buffer.from(event.frame.data).toString('base64'));
        if (event.kind === 'done') fit = event.report.fit;
      }
      return { made, fit };
    };
    expect(knownSpeed(model)).toBeNull();
    const most = stepsFor(model.package.model, 'final');
    const ample = await run(1e5);
    expect(ample.fit).toEqual({ steps: most, inTime: true });
    expect(profileWith(model.package.model, most)).toBe('final');
    const speed = await measureSpeed(model);
    expect(knownSpeed(model)).toBe(speed);
    correctSpeed(model, 2);
    expect(knownSpeed(model)!.passMs).toBe(2 * speed.passMs);
    correctSpeed(model, NaN);
    expect(knownSpeed(model)!.passMs).toBe(2 * speed.passMs);
    const none = await run(1e-6);
    expect(none.fit).toEqual({ steps: 1, inTime: false });
    expect(none.made).toHaveLength(12);
    await expect(run(0)).rejects.toMatchObject({ code: 'usage' });

    // What was chosen can be made again.
    const again: string[] = [];
    const request = { prefix, size: frame, rate, frameCount: 12, seed: 3 } as const;
    for await (const event of extendClip(model, { ...request, profile: 'draft', steps: 1 })) {
      if (event.kind === 'frame') again.push(Buffer.from(event.frame.data).toString('base64'));
    }
    expect(again).toEqual(none.made);

    // After its device failed the model runs on another backend, of which nothing is known yet.
    const elsewhere = Object.create(model, { backend: { value: 'webgpu', writable: true } }) as {
      -readonly [K in keyof LoadedModel]: LoadedModel[K];
    };
    const there = await measureSpeed(elsewhere);
    elsewhere.backend = 'ort';
    expect(knownSpeed(elsewhere)).toBeNull();
    correctSpeed(elsewhere, 2);
    expect(knownSpeed(elsewhere)).toBeNull();
    elsewhere.backend = 'webgpu';
    expect(knownSpeed(elsewhere)).toBe(there);

    // Rollouts at the same time say nothing of how fast the model makes one.
    const before = knownSpeed(model);
    const once = async (seed: number) => {
      const events = extendClip(model, { ...request, profile: 'draft', seed });
      while (!(await events.next()).done);
    };
    await Promise.all([once(1), once(2)]);
    expect(knownSpeed(model)).toBe(before);
    await once(3);
    expect(knownSpeed(model)).not.toBe(before);
    model.dispose();
  });
});
