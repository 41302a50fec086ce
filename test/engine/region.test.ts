import { beforeAll, describe, expect, it } from 'vitest';
import { nodeFolder, openPackage, repaintRegion } from '../../src/engine/node.ts';
import type {
  CameraPose,
  LoadedModel,
  MaskPicture,
  RegionMask,
  RepaintEvent,
  RepaintReport,
  RepaintRequest,
  RgbaFrame,
  WorldPackage,
} from '../../src/engine/node.ts';
import { clockworkModel } from './clockwork-model.ts';
import { evenFrame, testFrames } from './test-frames.ts';
import { TINY } from './tiny.ts';

let pkg: WorldPackage;
let perChunk: number;
let tokens: number;

beforeAll(async () => {
  pkg = await openPackage(nodeFolder(TINY));
  const { framesPerChunk, grid } = pkg.model.world;
  perChunk = framesPerChunk;
  tokens = grid.rows * grid.columns;
});

const size = { width: 16, height: 16 };
/** The tiny model's patches are 4 × 4: this is its token in row 1, column 2. */
const ONE_TOKEN = { frame: 0, x: 9, y: 5, width: 2, height: 2 };

function rectangle(
  ...keyframes: RegionMask extends infer M
    ? M extends { keyframes: infer K }
      ? K & readonly unknown[]
      : never
    : never
): RegionMask {
  return { kind: 'rectangles', keyframes };
}

function request(
  prefix: number,
  count: number,
  mask: RegionMask,
  changes: Partial<RepaintRequest> = {},
): RepaintRequest {
  const all = testFrames(prefix + count, 16, 16);
  return {
    prefix: all.slice(0, prefix),
    frames: all.slice(prefix),
    mask,
    frameCount: count,
    size,
    rate: pkg.model.rate,
    profile: 'preview',
    seed: 1,
    ...changes,
  };
}

async function run(
  model: LoadedModel,
  wanted: RepaintRequest,
): Promise<{ frames: RgbaFrame[]; events: RepaintEvent[]; report: RepaintReport }> {
  const events: RepaintEvent[] = [];
  for await (const event of repaintRegion(model, wanted)) events.push(event);
  const done = events.at(-1)!;
  if (done.kind !== 'done') throw new Error('no report');
  const frames = events.flatMap((event) => (event.kind === 'frame' ? [event.frame] : []));
  return { events, frames, report: done.report };
}

function maskOf(width: number, height: number, inside: (x: number, y: number) => boolean): MaskPicture {
  const data = Uint8Array.from({ length: width * height }, (_, at) =>
    inside(at % width, Math.floor(at / width)) ? 255 : 0,
  );
  return { width, height, data };
}

/** Indices of the pixels in which two frames differ. */
function changed(a: RgbaFrame, b: RgbaFrame): number[] {
  const pixels = new Set<number>();
  a.data.forEach((value, at) => value !== b.data[at] && pixels.add(at >> 2));
  return [...pixels];
}

describe('repaintRegion', () => {
  it('gives the model what the mask does not touch, and asks for the tokens that it does', async () => {
    const { model, calls, open } = clockworkModel(pkg);
    await run(model, request(7, 8, rectangle(ONE_TOKEN)));
    expect(open()).toBe(0);
    // A chunk of the prefix, then two that are made; the last is not committed, for nobody comes after it.
    expect(calls.map(({ kind }) => kind)).toEqual(['commit', 'denoise', 'commit', 'denoise']);
    const once = calls.filter(({ kind }, i) => kind === 'denoise' || i === 0);
    expect(once.flatMap(({ chunk }) => [...chunk.times])).toEqual(Array.from({ length: 15 }, (_, i) => i));
    const holes = once.flatMap(({ chunk }) =>
      Array.from({ length: perChunk }, (_, i) => [...chunk.mask.subarray(i * tokens, (i + 1) * tokens)]),
    );
    const token = Array.from({ length: tokens }, (_, i) => (i === 6 ? 1 : 0));
    holes.forEach((hole, frame) => expect(hole).toEqual(frame < 7 ? token.map(() => 0) : token));
    // What is to be made does not lie in the input; what is given does.
    const { latents } = once[2]!.chunk;
    const channels = latents.length / perChunk / tokens;
    expect(latents.subarray(6 * channels, 7 * channels).every((value) => value === 0)).toBe(true);
    expect(latents.subarray(5 * channels, 6 * channels).every((value) => value === 0)).toBe(false);
  });

  it('changes nothing outside the mask, and softens its edge inside', async () => {
    const { model } = clockworkModel({ ...pkg });
    const big = { width: 256, height: 256 };
    const all = testFrames(9, 256, 256);
    const copies = all.map(({ data }) => data.slice());
    // Not a rectangle, and no whole number of tokens.
    const disc = maskOf(256, 256, (x, y) => Math.hypot(x - 100, y - 90) < 40);
    const wanted = request(
      4,
      5,
      { kind: 'pictures', pictures: Array.from({ length: 5 }, () => disc) },
      {
        size: big,
        prefix: all.slice(0, 4),
        frames: all.slice(4),
      },
    );
    const { frames, report } = await run(model, wanted);
    expect(frames).toHaveLength(5);
    frames.forEach((frame, i) => {
      const original = all[4 + i]!;
      expect(changed(frame, original).every((pixel) => disc.data[pixel]! > 0)).toBe(true);
      // In the middle the clockwork's grey alone, on the rim a fifth of it.
      const at = (x: number, y: number): number => frame.data[4 * (y * 256 + x) + 2]!;
      const was = original.data[4 * (90 * 256 + 61) + 2]!;
      expect(at(100, 90)).toBe(2 * (4 + i));
      expect(at(61, 90)).toBe(Math.round(was + (2 * (4 + i) - was) / 5));
    });
    const masked = disc.data.filter((value) => value > 0).length;
    expect(report).toMatchObject({ frames: 5, prefixFrames: 4, repaintedFrames: 5 });
    expect(report.maskedShare).toBeCloseTo(masked / 65536, 9);
    all.forEach(({ data }, i) => expect(data.every((value, at) => value === copies[i]![at])).toBe(true));
  });

  it('hands frames back untouched where nothing is masked, without a pass for them', async () => {
    const { model, calls } = clockworkModel(pkg);
    const nothing = maskOf(16, 16, () => false);
    const something = maskOf(16, 16, (x) => x < 3);
    const pictures = Array.from({ length: 15 }, (_, i) => (i === 7 ? something : nothing));
    const wanted = request(0, 15, { kind: 'pictures', pictures });
    const { frames, report } = await run(model, wanted);
    const originals = wanted.frames as RgbaFrame[];
    frames.forEach((frame, i) => {
      if (i === 7) expect(changed(frame, originals[i]!).length).toBeGreaterThan(0);
      else expect(frame).toBe(originals[i]);
    });
    expect(report).toMatchObject({ repaintedFrames: 1 });
    expect(calls.map(({ kind }) => kind)).toEqual(['commit', 'denoise', 'commit']);
  });

  it('takes a value of 128 or more as masked', async () => {
    const { model } = clockworkModel(pkg);
    const mask = { ...size, data: new Uint8Array(256).fill(127) };
    mask.data[5 * 16 + 5] = 128;
    const wanted = request(5, 1, { kind: 'pictures', pictures: [mask] });
    const { frames } = await run(model, wanted);
    expect(changed(frames[0]!, (wanted.frames as RgbaFrame[])[0]!)).toEqual([5 * 16 + 5]);
  });

  it('moves a rectangle evenly between keyframes', async () => {
    const { model } = clockworkModel(pkg);
    const mask = rectangle(
      { frame: 5, x: 8, y: 10, width: 4, height: 4 },
      { frame: 1, x: 0, y: 10, width: 4, height: 4 },
    );
    const wanted = request(0, 8, mask);
    const { frames } = await run(model, wanted);
    const originals = wanted.frames as RgbaFrame[];
    const left = frames.map((frame, i) => Math.min(...changed(frame, originals[i]!).map((at) => at % 16)));
    expect(left).toEqual([0, 0, 2, 4, 6, 8, 8, 8]);
  });

  it('asks for every token that a clip frame needs, whatever the rates', async () => {
    for (const [num, den] of [
      [24000, 1001],
      [10, 1],
      [4, 1],
      [3, 1],
      [1, 1],
    ] as const) {
      for (const prefix of [0, 1, 6, 12]) {
        for (const count of [1, 2, 9]) {
          const { model, calls, open } = clockworkModel(pkg);
          const title = `${num}/${den} ${prefix} ${count}`;
          // Every frame has its own masked column of pixels.
          const columns = Array.from({ length: count }, (_, i) => (i * 5) % 16);
          const pictures = columns.map((column) => maskOf(16, 16, (x) => x === column));
          const black = Array.from({ length: prefix + count }, () => evenFrame(255, 16, 16));
          const wanted = request(
            prefix,
            count,
            { kind: 'pictures', pictures },
            {
              rate: { num, den },
              prefix: black.slice(0, prefix),
              frames: black.slice(prefix),
            },
          );
          const { frames } = await run(model, wanted);
          expect(frames, title).toHaveLength(count);
          // The clockwork's grey is dark; were a needed token given, white would shine through.
          frames.forEach((frame, i) => {
            const pixels = changed(frame, black[0]!);
            expect(
              pixels.map((at) => at % 16),
              title,
            ).toEqual(Array.from({ length: 16 }, () => columns[i]));
            expect(frame.data[4 * columns[i]!], title).toBeLessThan(210);
          });
          expect(open()).toBe(0);
          for (const { chunk } of calls) expect(chunk.times).toHaveLength(perChunk);
        }
      }
    }
  });

  it('takes poses over prefix and frames', async () => {
    const { model, calls } = clockworkModel(pkg);
    const poses = Array.from({ length: 10 }, (_, i): CameraPose => ({
      position: [5 + i, 0, 0],
      orientation: [1, 0, 0, 0],
    }));
    await run(model, request(5, 5, rectangle(ONE_TOKEN), { camera: { poses } }));
    const { chunk } = calls.at(-1)!;
    expect(chunk.rays[0]).toBe(5);
    expect([...chunk.cameraKnown]).toEqual([1, 1, 1, 1, 1]);
  });

  it('reads no further than it must', async () => {
    const { model } = clockworkModel(pkg);
    let read = 0;
    async function* frames(): AsyncGenerator<RgbaFrame> {
      for (const frame of testFrames(100, 16, 16)) {
        read++;
        yield frame;
      }
    }
    const wanted = request(0, 100, rectangle(ONE_TOKEN), { frames: frames() });
    for await (const event of repaintRegion(model, wanted)) {
      if (event.kind === 'frame') expect(read).toBeLessThanOrEqual(event.index + 2 * perChunk);
    }
    expect(read).toBe(100);
  });

  it('refuses what makes no sense', async () => {
    const { model, open, calls } = clockworkModel(pkg);
    const refused = async (wanted: RepaintRequest): Promise<unknown> =>
      run(model, wanted).catch((error: unknown) => error);
    const none: RegionMask = { kind: 'rectangles', keyframes: [] };
    const masks = (count: number, side: number): RegionMask => ({
      kind: 'pictures',
      pictures: Array.from({ length: count }, () => maskOf(side, 16, () => true)),
    });
    for (const [wanted, code, message] of [
      [request(0, 3, none), 'usage', /has no rectangle/],
      [request(0, 3, rectangle({ ...ONE_TOKEN, width: 0 })), 'usage', /width and a height above 0/],
      [request(0, 3, rectangle({ ...ONE_TOKEN, x: NaN })), 'usage', /made of numbers/],
      [request(0, 3, rectangle({ ...ONE_TOKEN, frame: -1 })), 'usage', /whole number/],
      [request(0, 3, rectangle(ONE_TOKEN, ONE_TOKEN)), 'usage', /two rectangles/],
      [request(0, 0, rectangle(ONE_TOKEN)), 'usage', /number of new frames/],
      [request(0, 3, masks(3, 8)), 'input', /Mask 1 is 8 × 16 instead of 16 × 16/],
      [request(0, 3, masks(2, 16)), 'input', /no mask for frame 3/],
      [
        request(0, 3, rectangle(ONE_TOKEN), { frames: testFrames(2, 16, 16) }),
        'input',
        /2 frames to repaint instead of 3/,
      ],
      [
        request(0, 1, rectangle(ONE_TOKEN), { frames: testFrames(1, 8, 16) }),
        'input',
        /Frame 1 of the clip is 8 × 16/,
      ],
    ] as const) {
      expect(await refused(wanted)).toMatchObject({ code, message: expect.stringMatching(message) });
    }
    const untrained = clockworkModel({ ...pkg, model: { ...pkg.model, tasks: ['extend', 'gap'] } });
    await expect(run(untrained.model, request(0, 3, rectangle(ONE_TOKEN)))).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('was not trained to fill a part of the picture'),
    });
    expect(calls).toEqual([]);
    expect(open()).toBe(0);
  });

  it('cancels at every event and lets go of clip and masks when the consumer stops', async () => {
    for (const at of [0, 4, 6, 7, 12, 17]) {
      for (const how of ['cancel', 'stop'] as const) {
        const { model, open } = clockworkModel(pkg);
        const abort = new AbortController();
        const held = new Set<string>();
        async function* part<T>(name: string, items: T[]): AsyncGenerator<T> {
          held.add(name);
          try {
            yield* items;
          } finally {
            held.delete(name);
          }
        }
        const masks = Array.from({ length: 30 }, () => maskOf(16, 16, () => true));
        const wanted = request(
          6,
          30,
          { kind: 'pictures', pictures: part('masks', masks) },
          {
            prefix: part('prefix', testFrames(6, 16, 16)),
            frames: part('frames', testFrames(30, 16, 16)),
            signal: abort.signal,
          },
        );
        let seen = 0;
        const running = (async () => {
          for await (const event of repaintRegion(model, wanted)) {
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
