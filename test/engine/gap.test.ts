import { beforeAll, describe, expect, it } from 'vitest';
import { fillGap, makeLoop, nodeFolder, openPackage } from '../../src/engine/node.ts';
import type {
  CameraPose,
  GapEvent,
  GapReport,
  GapRequest,
  LoadedModel,
  RgbaFrame,
  WorldPackage,
} from '../../src/engine/node.ts';
import { clockworkModel } from './clockwork-model.ts';
import type { WorldCall } from './clockwork-model.ts';
import { evenFrame, grey } from './test-frames.ts';
import { TINY } from './tiny.ts';

let pkg: WorldPackage;
let perChunk: number;

beforeAll(async () => {
  pkg = await openPackage(nodeFolder(TINY));
  perChunk = pkg.model.world.framesPerChunk;
});

/** Even frames whose brightness is their number in the whole clip. */
function clip(start: number, count: number): RgbaFrame[] {
  return Array.from({ length: count }, (_, i) => evenFrame(start + i, 16, 16));
}

function request(
  before: number,
  missing: number,
  after: number,
  changes: Partial<GapRequest> = {},
): GapRequest {
  return {
    before: clip(0, before),
    after: clip(before + missing, after),
    frameCount: missing,
    size: { ...pkg.model.frame },
    rate: pkg.model.rate,
    profile: 'preview',
    seed: 1,
    ...changes,
  };
}

async function collect(
  events: AsyncIterable<GapEvent>,
): Promise<{ frames: RgbaFrame[]; events: GapEvent[]; report: GapReport }> {
  const all: GapEvent[] = [];
  for await (const event of events) all.push(event);
  const done = all.at(-1)!;
  if (done.kind !== 'done') throw new Error('no report');
  return {
    frames: all.flatMap((event) => (event.kind === 'frame' ? [event.frame] : [])),
    events: all,
    report: done.report,
  };
}

/** What the model was given and asked for, frame by frame: brightness (null = to be made) and time index. */
function sequence(calls: readonly WorldCall[]): { value: number | null; time: number }[] {
  // A chunk that was made is committed right after.
  const once = calls.filter((call, i) => call.kind === 'denoise' || calls[i - 1]?.kind !== 'denoise');
  return once.flatMap(({ chunk }) =>
    Array.from({ length: perChunk }, (_, i) => ({
      value:
        chunk.mask[(i * chunk.mask.length) / perChunk] === 1
          ? null
          : Math.round((chunk.latents[(i * chunk.latents.length) / perChunk]! + 1) * 127.5),
      time: chunk.times[i]!,
    })),
  );
}

function run(model: LoadedModel, wanted: GapRequest): ReturnType<typeof collect> {
  return collect(fillGap(model, wanted));
}

function numbers(start: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => start + i);
}

describe('fillGap', () => {
  it('gives the model the anchors first, with their true times, then the frames before, the gap and its far side', async () => {
    const { model, calls, open } = clockworkModel(pkg);
    const { frames, events, report } = await run(model, request(12, 4, 9));
    expect(sequence(calls)).toEqual([
      ...numbers(16, 7).map((i) => ({ value: i, time: i })),
      ...numbers(0, 12).map((i) => ({ value: i, time: i })),
      ...numbers(12, 4).map((i) => ({ value: null, time: i })),
      ...numbers(16, 2).map((i) => ({ value: i, time: i })),
    ]);
    expect(frames.map(grey)).toEqual([24, 26, 28, 30]);
    expect(events.filter((event) => event.kind === 'reading').map((event) => event.framesRead)).toEqual(
      numbers(1, 21),
    );
    expect(events.findLast((event) => event.kind === 'priming')).toMatchObject({ chunksDone: 3, chunks: 3 });
    expect(events.flatMap((event) => (event.kind === 'frame' ? [event.index] : []))).toEqual([0, 1, 2, 3]);
    expect(report).toMatchObject({ frames: 4, prefixFrames: 12, afterFrames: 9, model: 'tiny' });
    expect(open()).toBe(0);
  });

  it('takes fewer anchors than frames before the gap but a chunk, and reads no more than those', async () => {
    for (const [before, most] of [
      [4, 5],
      [12, 10],
    ] as const) {
      const { model, calls } = clockworkModel(pkg);
      let read = 0;
      async function* after(): AsyncGenerator<RgbaFrame> {
        for (const frame of clip(before + 3, 100)) {
          read++;
          yield frame;
        }
      }
      const { report } = await run(model, request(before, 3, 0, { after: after() }));
      expect(read).toBe(most);
      expect(report.afterFrames).toBe(most);
      const all = sequence(calls);
      const anchors = all.findIndex(({ time }) => time === 0);
      expect(most - anchors).toBeLessThanOrEqual(2);
    }
  });

  it('fills the last chunk with frames after the gap, at least two where there are as many', async () => {
    const seen = async (before: number, missing: number, after: number): Promise<(number | null)[]> => {
      const { model, calls } = clockworkModel(pkg);
      await run(model, request(before, missing, after));
      return sequence(calls).map(({ value }) => value);
    };
    const gap = (count: number): null[] => Array.from({ length: count }, () => null);
    expect(await seen(9, 3, 5)).toEqual([...numbers(12, 5), ...numbers(0, 9), ...gap(3), 12, 13, 14]);
    expect(await seen(9, 5, 5)).toEqual([...numbers(14, 4), ...numbers(0, 9), ...gap(5), 14, 15]);
    expect(await seen(9, 6, 5)).toEqual([...numbers(15, 3), ...numbers(0, 9), ...gap(6), 15, 16]);
    // Where the gap ends with its chunk and one frame is all there is.
    expect(await seen(3, 1, 1)).toEqual([4, 0, 1, 2, null]);
    // Where the clip ends, frames follow that are made for nobody.
    expect(await seen(2, 1, 1)).toEqual([3, 0, 1, null, 3]);
    expect(await seen(4, 2, 1)).toEqual([6, 0, 1, 2, 3, null, null, 6, null, null]);
  });

  it('delivers exactly the frames asked for, whatever the lengths and rates', async () => {
    const rates = [
      [24000, 1001],
      [25, 1],
      [60, 1],
      [7, 2],
      [4, 1],
      [1, 1],
    ] as const;
    for (const [num, den] of rates) {
      for (const before of [1, 2, 7, 30]) {
        for (const missing of [1, 2, 6, 13]) {
          for (const after of [1, 4, 25]) {
            const { model, calls, open } = clockworkModel(pkg);
            const rate = { num, den };
            const { frames } = await run(model, request(before, missing, after, { rate }));
            const title = `${num}/${den} ${before} ${missing} ${after}`;
            expect(frames, title).toHaveLength(missing);
            expect(open()).toBe(0);
            const all = sequence(calls);
            expect(all.length % perChunk).toBe(0);
            const made = all.filter(({ value }) => value === null);
            expect(made.length, title).toBeGreaterThan(0);
            // Given frames stand where the clip has them.
            const perModelFrame = (num * pkg.model.rate.den) / (den * pkg.model.rate.num);
            const first = made[0]!.time;
            for (const { value, time } of all) {
              if (value === null) continue;
              if (time < first) expect(value, title).toBeLessThan(before);
              else expect(value, title).toBeGreaterThanOrEqual(before + missing);
              // The clock of a gap shorter than a model frame has one in its middle.
              const short = (missing + 1) / 2 <= perModelFrame / 2;
              const ahead = short ? (missing + 1) / 2 : perModelFrame;
              const place = before - 1 + ahead + (time - first) * perModelFrame;
              const clamped = Math.min(before + missing + after - 1, Math.max(0, place));
              const slack = 1 + perModelFrame / 2 + 0.0101 * Math.abs(place - before);
              expect(Math.abs(value - clamped), `${title} time ${time}`).toBeLessThanOrEqual(slack);
            }
          }
        }
      }
    }
  });

  it('makes a frame for a gap shorter than a model frame', async () => {
    const { model, calls } = clockworkModel(pkg);
    const { num, den } = pkg.model.rate;
    const rate = { num: 2 * num, den };
    const { frames } = await run(model, request(20, 1, 12, { rate }));
    const all = sequence(calls);
    // The one missing frame, number 20, is a frame of the model's clock: even frames are seen, odd ones are not.
    expect(all.map(({ value }) => value)).toEqual([
      ...numbers(11, 6).map((i) => 2 * i),
      ...numbers(0, 10).map((i) => 2 * i),
      null,
      22,
      24,
      26,
    ]);
    expect(frames.map(grey)).toEqual([2 * 10]);
  });

  it('mixes frames beside a cut with the clip’s own frame there', async () => {
    const { model } = clockworkModel(pkg);
    const { num, den } = pkg.model.rate;
    const before = Array.from({ length: 10 }, () => evenFrame(100, 16, 16));
    const after = Array.from({ length: 10 }, () => evenFrame(200, 16, 16));
    const rate = { num: 3 * num, den };
    const wanted = request(10, 5, 10, { before, after, rate });
    // Model frames stand at 0 and, the fourth of the sequence, at 3 of the gap's six steps: 2 · 4 = 8.
    expect((await run(model, wanted)).frames.map(grey)).toEqual([69, 39, 8, 72, 136]);
  });

  it('judges both cuts by the frames beside them', async () => {
    const { model } = clockworkModel(pkg);
    const before = [0, 50, 52, 54].map((value) => evenFrame(value, 16, 16));
    const after = [20, 21, 23, 26].map((value) => evenFrame(value, 16, 16));
    const { report } = await run(model, request(4, 2, 4, { before, after }));
    const colour = (value: number): unknown => expect.closeTo(Math.sqrt(3) * value, 6);
    // New frames: 2 · 4 and 2 · 5.
    expect(report).toMatchObject({
      seam: { colourStepAcrossCut: colour(54 - 8), colourStepWithinPrefix: colour(54 / 3) },
      seamAfter: { colourStepAcrossCut: colour(20 - 10), colourStepWithinPrefix: colour(6 / 3) },
    });
  });

  it('takes poses over the whole clip, relative to the first frame before the gap', async () => {
    const { model, calls } = clockworkModel(pkg);
    const pose = (x: number): CameraPose => ({ position: [x, 0, 0], orientation: [1, 0, 0, 0] });
    const poses = numbers(0, 17).map((i) => (i === 9 ? null : pose(3 + i)));
    await run(model, request(8, 4, 8, { camera: { poses } }));
    const once = calls.filter((call, i) => call.kind === 'denoise' || calls[i - 1]?.kind !== 'denoise');
    const seen = once.flatMap(({ chunk }) =>
      Array.from({ length: perChunk }, (_, i) => ({
        time: chunk.times[i]!,
        x: chunk.cameraKnown[i] === 1 ? chunk.rays[(i * chunk.rays.length) / perChunk]! : null,
      })),
    );
    expect(seen).toHaveLength(20);
    for (const { time, x } of seen) {
      if (time === 9 || time > 16) expect(x).toBeNull();
      else expect(x).toBeCloseTo(time, 5);
    }
  });

  it('refuses what makes no sense', async () => {
    const { model, open, calls } = clockworkModel(pkg);
    const refused = (wanted: GapRequest): unknown => run(model, wanted).catch((error: unknown) => error);
    expect(await refused(request(5, 0, 5))).toMatchObject({ code: 'usage' });
    expect(await refused(request(0, 3, 5))).toMatchObject({
      code: 'input',
      message: 'There are no frames before the gap.',
    });
    expect(await refused(request(5, 3, 0))).toMatchObject({
      code: 'input',
      message: 'There are no frames after the gap.',
    });
    expect(await refused(request(5, 3, 5, { after: [evenFrame(0, 8, 8)] }))).toMatchObject({ code: 'input' });
    const untrained = clockworkModel({
      ...pkg,
      model: { ...pkg.model, tasks: ['extend', 'region'] },
    });
    await expect(run(untrained.model, request(5, 3, 5))).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('was not trained to fill a gap'),
    });
    expect(calls).toEqual([]);
    expect(open()).toBe(0);
  });

  it('cancels at every event and lets go of both parts when the consumer stops', async () => {
    for (const at of [0, 3, 7, 12, 14, 16, 18]) {
      for (const how of ['cancel', 'stop'] as const) {
        const { model, open } = clockworkModel(pkg);
        const abort = new AbortController();
        const held = new Set<string>();
        async function* part(name: string, frames: RgbaFrame[]): AsyncGenerator<RgbaFrame> {
          held.add(name);
          try {
            yield* frames;
          } finally {
            held.delete(name);
          }
        }
        const wanted = request(6, 7, 6, {
          before: part('before', clip(0, 6)),
          after: part('after', clip(13, 6)),
          signal: abort.signal,
        });
        let seen = 0;
        const running = (async () => {
          for await (const event of fillGap(model, wanted)) {
            void event;
            if (seen++ !== at) continue;
            if (how === 'stop') break;
            abort.abort();
          }
        })();
        if (how === 'cancel') await expect(running).rejects.toMatchObject({ code: 'cancelled' });
        else await running;
        expect(seen).toBe(at + 1);
        expect(held).toEqual(new Set());
        expect(open()).toBe(0);
      }
    }
  });
});

describe('makeLoop', () => {
  it('fills the gap between the clip’s end and its own beginning', async () => {
    const { model, calls } = clockworkModel(pkg);
    const pose = (x: number): CameraPose => ({ position: [x, 0, 0], orientation: [1, 0, 0, 0] });
    const { frames, report } = await collect(
      makeLoop(model, {
        prefix: clip(0, 12),
        frameCount: 8,
        size: { ...pkg.model.frame },
        rate: pkg.model.rate,
        profile: 'preview',
        seed: 1,
        camera: { poses: numbers(0, 12).map(pose) },
      }),
    );
    expect(sequence(calls)).toEqual([
      ...numbers(0, 8).map((i) => ({ value: i, time: 20 + i })),
      ...numbers(0, 12).map((i) => ({ value: i, time: i })),
      ...numbers(12, 8).map((i) => ({ value: null, time: i })),
      ...numbers(0, 2).map((i) => ({ value: i, time: 20 + i })),
    ]);
    // Anchors have the poses of the clip's beginning.
    const anchor = calls[0]!.chunk;
    expect([...anchor.cameraKnown]).toEqual([1, 1, 1, 1, 1]);
    expect(anchor.rays[anchor.rays.length / perChunk]).toBe(1);
    expect(frames.map(grey)).toEqual(numbers(12, 8).map((i) => 2 * i));
    expect(report).toMatchObject({
      frames: 8,
      prefixFrames: 12,
      seamAfter: { colourStepAcrossCut: expect.closeTo(Math.sqrt(3) * 38, 6) },
    });
  });

  it('loops a clip of one frame, refuses one of none', async () => {
    const loop = (count: number): ReturnType<typeof collect> => {
      const { model } = clockworkModel(pkg);
      const { size, rate, profile, seed } = request(1, 1, 1);
      return collect(makeLoop(model, { prefix: clip(0, count), frameCount: 3, size, rate, profile, seed }));
    };
    expect((await loop(1)).frames).toHaveLength(3);
    await expect(loop(0)).rejects.toMatchObject({ code: 'input', message: 'The clip has no frames.' });
  });
});
