import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClipSettings } from '../../src/batch/clip-settings.ts';
import type { BatchOutcome, BatchStore, Preview } from '../../src/batch/preview.ts';
import { LongtakeError } from '../../src/engine/types.ts';
import { writePaintedClip } from '../media/painted-clip.ts';
import { Meeting, PacedEngine, READING } from './paced-engine.ts';
import { FRAMES, TestBatch } from './test-batch.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longtake-together-'));
  await writePaintedClip(join(folder, 'a.mp4'), { frames: 6, rate: 12 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A batch of painted clips; its folder is its own. */
const batchOf = (
  engine: PacedEngine,
  clips: number,
  variations: number,
  settings: Partial<ClipSettings> = {},
) =>
  new TestBatch(join(folder, 'a.mp4'), join(folder, `out-${count++}`), engine, {
    clips,
    variations,
    settings,
  });

let count = 0;

const seedsOf = (outcomes: readonly BatchOutcome[]) => outcomes.map(({ preview }) => preview.seed);
const filesOf = (...names: string[]) => names.flatMap((name) => [`${name}.mp4`, `${name}.png`]).sort();
const fault = (code: 'input' | 'output' | 'backend') => new LongtakeError(code, 'On purpose.');

describe('the variations of a clip', () => {
  it('are made at the same time where they share passes, once the clip is read', async () => {
    const all = new Meeting(4);
    const ended = new Map<number, Meeting>([11, 12, 13].map((seed) => [seed, new Meeting(1)]));
    let begunWhenRead: number[] = [];
    const batch = batchOf(
      new PacedEngine((seed, frame) => {
        if (frame === READING && seed === 10) begunWhenRead = [...batch.engine.begun];
        if (seed > 13) return;
        if (frame === 0) return all.arrive();
        // The last one is finished first.
        return frame === FRAMES - 1 ? ended.get(seed + 1)?.held : undefined;
      }),
      2,
      4,
    );
    const outcomes = await batch.run({
      onOutcome: (outcome) => {
        batch.told.push(outcome);
        void ended.get(outcome.preview.seed)?.arrive();
        if (outcome.preview.seed < 20) expect(batch.released).toEqual([]);
      },
    });
    expect(begunWhenRead).toEqual([10]);
    expect(seedsOf(batch.told).slice(0, 4)).toEqual([13, 12, 11, 10]);
    expect(outcomes.map(({ status }) => status)).toEqual(Array(8).fill('done'));
    expect(seedsOf(outcomes)).toEqual([10, 11, 12, 13, 20, 21, 22, 23]);
    // The next clip waits for this one.
    expect(batch.engine.begun.indexOf(20)).toBe(4);
    expect(batch.engine.primed).toHaveLength(2);
    batch.expectTidy();
    expect(batch.progress.at(-1)).toMatchObject({ fraction: 1, batchSecondsLeft: 0 });
  }, 60_000);

  it('are made one after another on the processor', async () => {
    const batch = batchOf(new PacedEngine(() => undefined), 1, 3);
    batch.engine.backend = batch.engine.reports = 'ort';
    const outcomes = await batch.run();
    expect(seedsOf(outcomes)).toEqual([10, 11, 12]);
    expect(seedsOf(batch.told)).toEqual([10, 11, 12]);
    expect([batch.engine.most, batch.open.most]).toEqual([1, 1]);
    expect(new Set(batch.progress.map(({ together }) => together))).toEqual(new Set([1]));
    batch.expectTidy();
  });

  it('are never more than eight at once; the ninth begins when one of them is finished', async () => {
    const eight = new Meeting(8);
    const later = new Meeting(2);
    const batch = batchOf(
      new PacedEngine((seed, frame) => {
        if (frame === 0 && seed < 18) return eight.arrive();
        if (frame === 0) return later.arrive();
        // Two make room; the others wait for those that follow.
        return frame === 1 && seed < 16 ? later.held : undefined;
      }),
      1,
      10,
    );
    const outcomes = await batch.run();
    expect(seedsOf(outcomes)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    expect([batch.engine.most, batch.open.most]).toEqual([8, 8]);
    expect(batch.told.slice(0, 2).map(({ preview }) => preview.seed > 15)).toEqual([true, true]);
    batch.expectTidy();
  }, 60_000);

  it('are told of together, each frame counted', async () => {
    const all = new Meeting(3);
    const batch = batchOf(new PacedEngine((_, frame) => (frame === 0 ? all.arrive() : undefined)), 1, 3);
    await batch.run();
    const generating = batch.progress.filter(({ phase }) => phase === 'generating');
    expect(new Set(generating.map(({ together, total }) => `${together} ${total}`))).toEqual(
      new Set([`3 ${3 * FRAMES}`]),
    );
    const frames = generating.map(({ done }) => done);
    expect(frames).toEqual([...frames].sort((a, b) => a - b));
    expect(frames.at(-1)).toBe(3 * FRAMES);
  }, 60_000);

  it('do not go back where frames come last first and the clip is copied behind them', async () => {
    const batch = batchOf(new PacedEngine(() => undefined), 2, 2, { direction: 'backward' });
    await batch.run();
    expect(batch.progress.some(({ phase }) => phase === 'copying' || phase === 'generating')).toBe(true);
    batch.expectTidy();
    batch.engine.backend = 'ort';
    const alone = batchOf(batch.engine, 2, 2, { direction: 'backward' });
    await alone.run();
    const fractions = alone.progress.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(alone.progress.some(({ phase, fraction }) => phase === 'copying' && fraction > 0)).toBe(true);
  });

  it('go on one after another with the next clip once the device was left in the middle', async () => {
    const all = new Meeting(3);
    const batch = batchOf(
      new PacedEngine((seed, frame) => {
        // The one who loaded the model does not hear of it.
        if (frame === 1) batch.engine.reports = 'ort';
        return seed < 20 && frame === 0 ? all.arrive() : undefined;
      }),
      2,
      3,
    );
    const opened: number[] = [];
    const outcomes = await batch.run({
      store: {
        finished: (preview) => batch.kept.finished(preview),
        begin: (preview) => {
          const open = batch.begin(preview);
          if (preview.item.index === 2) opened.push(batch.open.previews);
          return open;
        },
      },
    });
    expect(outcomes.map(({ status }) => status)).toEqual(Array(6).fill('done'));
    expect(batch.open.most).toBe(3);
    expect(opened).toEqual([1, 1, 1]);
    batch.expectTidy();
  }, 60_000);
});

describe('a fault of one variation', () => {
  it('does not take the others with it, nor the next clip', async () => {
    const all = new Meeting(4);
    const batch = batchOf(
      new PacedEngine(async (seed, frame) => {
        if (seed < 20 && frame === 0) await all.arrive();
        if (seed === 11 && frame === 1) throw fault('input');
        if (seed === 12 && frame === 2) throw new TypeError('nonsense');
      }),
      2,
      4,
    );
    const outcomes = await batch.run();
    expect(outcomes.map(({ preview, status }) => [preview.seed, status])).toEqual([
      [10, 'done'],
      // One for the clip, told when nothing of it is to come any more.
      [11, 'failed'],
      [13, 'done'],
      ...[20, 21, 22, 23].map((seed) => [seed, 'done']),
    ]);
    expect(batch.told.findIndex(({ status }) => status === 'failed')).toBe(2);
    expect(await batch.files()).toEqual(filesOf('001-v1', '001-v4', '002-v1', '002-v2', '002-v3', '002-v4'));
    batch.expectTidy();
    expect(batch.progress.at(-1)!.fraction).toBe(1);
  }, 60_000);

  it('keeps those from beginning that have not', async () => {
    const eight = new Meeting(8);
    const batch = batchOf(
      new PacedEngine(async (seed, frame) => {
        if (frame === 0) await eight.arrive();
        if (seed === 10 && frame === 1) throw fault('input');
        // The others end after it.
        if (frame === 1) await failed.held;
      }),
      1,
      10,
    );
    const failed = new Meeting(1);
    const outcomes = await batch.run({
      store: {
        finished: (preview) => batch.kept.finished(preview),
        begin: async (preview) => {
          const open = await batch.begin(preview);
          const discard = async () => {
            await open.discard();
            if (preview.seed === 10) void failed.arrive();
          };
          return { ...open, discard };
        },
      },
    });
    expect(seedsOf(outcomes)).toEqual([10, 11, 12, 13, 14, 15, 16, 17]);
    expect(batch.engine.begun).not.toContain(18);
    batch.expectTidy();
  }, 60_000);

  it('while the clip is read is the clip’s', async () => {
    const batch = batchOf(
      new PacedEngine((seed, frame) => {
        if (seed === 10 && frame === READING) throw fault('input');
      }),
      2,
      3,
    );
    const outcomes = await batch.run();
    expect(outcomes.map(({ preview, status }) => [preview.seed, status])).toEqual([
      [10, 'failed'],
      ...[20, 21, 22].map((seed) => [seed, 'done']),
    ]);
    batch.expectTidy();
  });
});

describe('a fault that every clip would meet', () => {
  it('cancels what is under way and leaves nothing half-written', async () => {
    const all = new Meeting(4);
    const batch = batchOf(
      new PacedEngine(async (seed, frame) => {
        if (frame === 0) await all.arrive();
        if (frame !== 1) return;
        // One is finished before, two are under way for good.
        if (seed === 12) await finished.held.then(() => Promise.reject(fault('backend')));
        if (seed !== 13) await new Promise(() => undefined);
      }),
      2,
      4,
    );
    const finished = new Meeting(1);
    const run = batch.run({
      onOutcome: (outcome) => {
        batch.told.push(outcome);
        void finished.arrive();
      },
    });
    await expect(run).rejects.toMatchObject({ code: 'backend', message: 'On purpose.' });
    expect(seedsOf(batch.told)).toEqual([13]);
    expect(await batch.files()).toEqual(filesOf('001-v4'));
    expect(batch.engine.begun).not.toContain(20);
    batch.expectTidy();
  }, 60_000);

  it('such as a full disk stops at once; the next run makes what is missing', async () => {
    const all = new Meeting(4);
    const batch = batchOf(
      new PacedEngine(async (seed, frame) => {
        if (frame === 0) await all.arrive();
        if (frame === 1 && seed !== 10) await firstDone.held;
        if (frame === 2 && seed > 11) await new Promise(() => undefined);
      }),
      1,
      4,
    );
    const firstDone = new Meeting(1);
    const store: BatchStore = {
      finished: (preview) => batch.kept.finished(preview),
      begin: async (preview) => {
        const open = await batch.begin(preview);
        const commit: typeof open.commit = async (...given) => {
          if (preview.seed === 11) throw fault('output');
          return open.commit(...given);
        };
        return { ...open, commit };
      },
    };
    const run = batch.run({ store, onOutcome: () => void firstDone.arrive() });
    await expect(run).rejects.toMatchObject({ code: 'output' });
    expect(await batch.files()).toEqual(filesOf('001-v1'));
    batch.expectTidy();

    const begun: Preview[] = [];
    const again = batchOf(new PacedEngine(() => undefined), 1, 4);
    const outcomes = await again.run({
      store: {
        finished: (preview) => batch.kept.finished(preview),
        begin: (preview) => {
          begun.push(preview);
          return batch.kept.begin(preview);
        },
      },
    });
    expect(outcomes.map(({ status }) => status)).toEqual(['kept', 'done', 'done', 'done']);
    expect(begun.map(({ seed }) => seed)).toEqual([11, 12, 13]);
    expect(await batch.files()).toEqual(filesOf('001-v1', '001-v2', '001-v3', '001-v4'));
  }, 60_000);
});

describe('Cancel', () => {
  it.each([
    ['while the clip is read', 10, READING],
    ['when the first has read it', 10, 0],
    ['at the first frame of a later one', 12, 0],
    ['in the middle', 11, 2],
    ['at a last frame', 13, FRAMES - 1],
  ])(
    '%s ends all and leaves whole previews alone',
    async (_when, atSeed, atFrame) => {
      const all = new Meeting(4);
      const batch = batchOf(
        new PacedEngine((seed, frame) => {
          if (seed === atSeed && frame === atFrame) batch.cancel.abort();
          return frame === 1 ? all.arrive() : undefined;
        }),
        2,
        4,
      );
      await expect(batch.run()).rejects.toMatchObject({ code: 'cancelled' });
      expect(batch.engine.begun.some((seed) => seed >= 20)).toBe(false);
      const made = batch.told.map(({ preview }) => `001-v${preview.variation}`);
      expect(await batch.files()).toEqual(filesOf(...made));
      batch.expectTidy();
      // What follows finds a folder to go on with.
      const again = batchOf(new PacedEngine(() => undefined), 2, 4);
      const outcomes = await again.run({ store: batch.kept });
      expect(outcomes.filter(({ status }) => status === 'kept')).toHaveLength(made.length);
      expect(await batch.files()).toHaveLength(16);
    },
    60_000,
  );

  it.each(['copying', 'writing'] as const)(
    'while files are in the phase “%s”',
    async (phase) => {
      const batch = batchOf(new PacedEngine(() => undefined), 1, 4);
      let heard = 0;
      const run = batch.run({
        onProgress: (progress) => {
          if (progress.phase === phase || progress.together > 1) heard++;
          if (heard === (phase === 'copying' ? 1 : 4 * FRAMES)) batch.cancel.abort();
        },
      });
      await expect(run).rejects.toMatchObject({ code: 'cancelled' });
      expect((await batch.files()).filter((name) => name.endsWith('.part'))).toEqual([]);
      batch.expectTidy();
    },
    60_000,
  );
});
