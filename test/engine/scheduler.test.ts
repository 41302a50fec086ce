import { describe, expect, it } from 'vitest';
import { profileWith, stepsFor } from '../../src/engine/scheduler/profiles.ts';
import { chunkMs, predictSeconds, speedFrom, stepsWithin } from '../../src/engine/scheduler/speed.ts';
import { StepBudget } from '../../src/engine/scheduler/step-budget.ts';
import { ChunkClock } from '../../src/engine/scheduler/time-left.ts';
import { workOf } from '../../src/engine/scheduler/work.ts';
import { correctSpeed, knownSpeed, measureSpeed } from '../../src/engine/scheduler/calibrate.ts';
import { extendClip } from '../../src/engine/tasks/extend.ts';
import { testFrames } from './test-frames.ts';
import { tinyModel } from './tiny.ts';

const SPEED = { passMs: 100, fixedMs: 20, commitMs: 80 };

describe('the speed of a machine', () => {
  it('is taken apart into pass, commit and the rest; one disturbed sample does not count', () => {
    const clean = { one: 120, several: 320, commitAndOne: 200 };
    const disturbed = { one: 900, several: 330, commitAndOne: 5000 };
    expect(speedFrom([clean, disturbed, clean], 3)).toEqual(SPEED);
    expect(speedFrom([{ one: 10, several: 9, commitAndOne: 8 }], 3)).toEqual({
      passMs: 0,
      fixedMs: 10,
      commitMs: 0,
    });
  });

  it('predicts rollouts', () => {
    expect(chunkMs(SPEED, 4)).toBe(500);
    expect(predictSeconds(SPEED, 4, { primeChunks: 10, chunks: 3 })).toBeCloseTo(0.8 + 1.5, 12);
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
});

describe('a time to be done in', () => {
  it('is kept by fewer passes when chunks are slower than measured, never by more later', () => {
    const budget = new StepBudget(SPEED, 5000, 8);
    // 0.95 × 5000 for 9 chunks: 527 ms each.
    expect(budget.next(0, 9, 0)).toBe(4);
    budget.learn(4, 500);
    expect(budget.next(500, 8, 0)).toBe(4);
    budget.learn(4, 1000);
    expect(budget.next(1500, 7, 0)).toBe(1);
    budget.learn(1, 10);
    budget.learn(1, 10);
    expect(budget.next(1600, 6, 0)).toBe(1);
  });

  it('leaves room for what else is to be done, and gives no more than is of use', () => {
    expect(new StepBudget(SPEED, 5000, 8).next(0, 9, 2000)).toBe(2);
    expect(new StepBudget(SPEED, 1e6, 8).next(0, 9, 0)).toBe(8);
    expect(new StepBudget(SPEED, 1, 8).next(50, 9, 0)).toBe(1);
  });
});

describe('the clock of a rollout', () => {
  it('begins with what is expected and leans on the latest', () => {
    const clock = new ChunkClock(1000);
    expect(clock.secondsFor(3)).toBe(3);
    clock.add(2000);
    expect(clock.secondsFor(10)).toBeCloseTo(17.5, 12);
    clock.add(1000);
    expect(clock.secondsFor(10)).toBeCloseTo(13, 12);
    clock.addFrame(50);
    expect(clock.secondsFor(10, 20)).toBeCloseTo(14, 12);
    expect(new ChunkClock().secondsFor(3, 4)).toBe(0);
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
    model.dispose();
  });
});
