import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClipFile } from '../../src/media/node/clip-file.ts';
import { pictureToRgba } from '../../src/media/rgb.ts';
import { writeInterlacedClip } from './interlaced-clip.ts';
import { writePaintedClip, type PaintedClipOptions } from './painted-clip.ts';
import { paintFrame, psnr, readNumber } from './painted-frame.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longtake-decode-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function numbers(path: string, start?: number, count?: number): Promise<number[]> {
  const clip = await openClipFile(path);
  const found: number[] = [];
  for await (const frame of clip.frames(start, count)) found.push(readNumber(frame));
  clip.dispose();
  return found;
}

/** The same by a walk: the numbers of the frames that it delivers, and those painted into them. */
async function walked(
  path: string,
  start: number,
  end: number | null,
  count = Infinity,
): Promise<number[][]> {
  const clip = await openClipFile(path);
  const walk = clip.walk(start, end);
  const found: number[][] = [];
  while (found.length < count) {
    const next = await walk.step();
    if (!next) break;
    found.push([next.frame, readNumber(pictureToRgba(await next.read(), clip.facts.colour))]);
  }
  walk.close();
  expect(await walk.step()).toBeNull();
  clip.dispose();
  return found;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const NTSC = (n: number): number => (n * 1000) / 1001;

describe('frame-exact decoding', () => {
  const cases: [string, PaintedClipOptions, { num: number; den: number }][] = [
    ['H.264 24 fps with long groups', { rate: 24, frames: 60, keyFrameInterval: 10 }, { num: 24, den: 1 }],
    ['H.264 23.976 fps', { rate: NTSC(24), frames: 50 }, { num: 24000, den: 1001 }],
    ['MOV 25 fps', { container: 'mov', rate: 25, frames: 30 }, { num: 25, den: 1 }],
    [
      'VP9 WebM 29.97 fps (times in milliseconds)',
      { container: 'webm', rate: NTSC(30), frames: 90 },
      { num: 30000, den: 1001 },
    ],
    ['VP9 WebM 23.976 fps', { container: 'webm', rate: NTSC(24), frames: 72 }, { num: 24000, den: 1001 }],
    ['VP9 WebM 24 fps', { container: 'webm', rate: 24, frames: 72 }, { num: 24, den: 1 }],
    ['VP8 MKV 60 fps', { container: 'mkv', codec: 'vp8', rate: 60, frames: 40 }, { num: 60, den: 1 }],
    ['AV1 MP4 12 fps', { codec: 'av1', rate: 12, frames: 20, width: 128, height: 96 }, { num: 12, den: 1 }],
    ['HEVC MP4 25 fps', { codec: 'hevc', rate: 25, frames: 30 }, { num: 25, den: 1 }],
    ['MPEG-TS 25 fps', { container: 'ts', rate: 25, frames: 30 }, { num: 25, den: 1 }],
  ];
  it.each(cases)('%s: all frames in order, exact rate and count', async (name, options, rate) => {
    const path = join(folder, `${name.replaceAll(/\W+/g, '-')}.${options.container ?? 'mp4'}`);
    await writePaintedClip(path, options);
    const clip = await openClipFile(path);
    expect(clip.facts.rate).toEqual(rate);
    expect(clip.facts.frameCount).toBe(options.frames);
    expect(clip.facts.notices).toEqual([]);
    clip.dispose();
    expect(await numbers(path)).toEqual(upTo(options.frames!));
    expect(await numbers(path, 7, 3)).toEqual([7, 8, 9]);
    const last = options.frames! - 1;
    expect(await numbers(path, last, 1)).toEqual([last]);
    expect(await walked(path, 0, null)).toEqual(upTo(last + 1).map((frame) => [frame, frame]));
    expect(await walked(path, 9, null, 2)).toEqual([9, 10].map((frame) => [frame, frame]));
    expect(await walked(path, 7, 9)).toEqual([7, 8, 9].map((frame) => [frame, frame]));
    expect(await walked(path, last, last)).toEqual([[last, last]]);
  });

  it('counts from the first frame of a file whose times begin late', async () => {
    const path = join(folder, 'late.ts');
    await writePaintedClip(path, { container: 'ts', stamps: upTo(30).map((i) => 1.48 + i / 25) });
    const clip = await openClipFile(path);
    expect(clip.facts).toMatchObject({ frameCount: 30, rate: { num: 25, den: 1 } });
    clip.dispose();
    expect(await numbers(path)).toEqual(upTo(30));
    expect(await walked(path, 3, null, 2)).toEqual([3, 4].map((frame) => [frame, frame]));
  });

  it('takes an interlaced transport stream at its full height', async () => {
    const path = join(folder, 'camcorder.ts');
    await writeInterlacedClip(path, { width: 960, height: 720 }, [60, 110, 160]);
    const clip = await openClipFile(path);
    const size = { width: 960, height: 720 };
    // Untagged colours go by the height too: half of it would be taken for standard definition.
    expect(clip.facts).toMatchObject({ size, frameCount: 3, colour: { matrix: 'bt709' } });
    const levels: number[] = [];
    for await (const { height, y } of clip.pictures()) levels.push(height, y[500]!, y.at(-1)!);
    clip.dispose();
    expect(levels).toEqual([60, 110, 160].flatMap((level) => [720, level, level]));
  });

  it('leaves out frames that an edit list hides', async () => {
    const path = join(folder, 'trimmed.mp4');
    await writePaintedClip(path, { stamps: upTo(40).map((i) => (i - 10) / 20) });
    const clip = await openClipFile(path);
    expect(clip.facts).toMatchObject({ frameCount: 30, rate: { num: 20, den: 1 } });
    clip.dispose();
    expect(await numbers(path)).toEqual(upTo(30).map((i) => i + 10));
  });

  it('conforms a variable rate: constant rate, same length, what was on screen at each centre', async () => {
    const path = join(folder, 'variable.mp4');
    // 20 frames at 30 fps, then one held for half a second, then 10 more at 30 fps.
    const stamps = [...upTo(20).map((i) => i / 30), ...upTo(10).map((i) => 19 / 30 + 0.5 + i / 30)];
    await writePaintedClip(path, { stamps });
    const clip = await openClipFile(path);
    expect(clip.facts).toMatchObject({ frameCount: 44, rate: { num: 30, den: 1 } });
    expect(clip.facts.notices).toHaveLength(1);
    expect(clip.facts.notices[0]).toContain('variable frame rate');
    clip.dispose();
    const expected = [...upTo(20), ...Array<number>(14).fill(19), ...upTo(10).map((i) => i + 20)];
    expect(await numbers(path)).toEqual(expected);
    const pairs = expected.map((number, frame) => [frame, number]);
    expect(await walked(path, 0, null)).toEqual(pairs);
    expect(await walked(path, 21, null, 18)).toEqual(pairs.slice(21, 39));
    expect(await walked(path, 18, 34)).toEqual(pairs.slice(18, 35));
  });

  it('takes jitter that a camera adds as a variable rate near its nominal one', async () => {
    const path = join(folder, 'jitter.mp4');
    await writePaintedClip(path, { stamps: upTo(60).map((i) => i / 30 + (i % 3) * 0.004) });
    const clip = await openClipFile(path);
    expect(clip.facts).toMatchObject({ frameCount: 60, rate: { num: 30, den: 1 } });
    clip.dispose();
    expect(await numbers(path)).toEqual(upTo(60));
    expect(await walked(path, 5, null)).toEqual(
      upTo(60)
        .slice(5)
        .map((frame) => [frame, frame]),
    );
  });

  it.each([90, 180, 270] as const)(
    'shows a picture that is stored turned by %i° upright',
    async (rotation) => {
      const path = join(folder, `turned-${rotation}.mp4`);
      await writePaintedClip(path, { width: 64, height: 48, rotation, frames: 3 });
      const clip = await openClipFile(path);
      const size = rotation === 180 ? { width: 64, height: 48 } : { width: 48, height: 64 };
      expect(clip.facts.size).toEqual(size);
      for await (const frame of clip.frames(0, 1)) {
        expect(frame).toMatchObject(size);
        expect(psnr(frame, turned(paintFrame(0, 64, 48), rotation))).toBeGreaterThan(24);
      }
      clip.dispose();
    },
  );

  it.each([
    [96, 96],
    [65, 64],
  ])('shows a picture of 64 pixels for a width of %i at %i', async (displayWidth, width) => {
    const path = join(folder, `aspect-${displayWidth}.mp4`);
    await writePaintedClip(path, { width: 64, height: 48, displayWidth, frames: 3 });
    const clip = await openClipFile(path);
    expect(clip.facts.size).toEqual({ width, height: 48 });
    for await (const frame of clip.frames(1, 1)) {
      expect(frame).toMatchObject({ width, height: 48 });
      expect(readNumber(frame)).toBe(1);
    }
    clip.dispose();
  });

  it('says that transparent parts become opaque, and only where there may be some', async () => {
    for (const transparent of [true, false]) {
      const path = join(folder, `title-${transparent}.webm`);
      await writePaintedClip(path, { container: 'webm', frames: 3, transparent });
      const clip = await openClipFile(path);
      expect(clip.facts.notices).toEqual(transparent ? [expect.stringContaining('transparent parts')] : []);
      clip.dispose();
      expect(await numbers(path)).toEqual([0, 1, 2]);
    }
  });

  it('opens a clip of one frame', async () => {
    const path = join(folder, 'one.mp4');
    await writePaintedClip(path, { frames: 1, rate: 25 });
    const clip = await openClipFile(path);
    expect(clip.facts).toMatchObject({ frameCount: 1, rate: { num: 25, den: 1 } });
    clip.dispose();
    expect(await numbers(path)).toEqual([0]);
  });

  it('reads odd sizes', async () => {
    const path = join(folder, 'odd.webm');
    await writePaintedClip(path, { container: 'mkv', codec: 'vp8', width: 641, height: 359, frames: 3 });
    const clip = await openClipFile(path);
    expect(clip.facts.size).toEqual({ width: 641, height: 359 });
    let index = 0;
    for await (const frame of clip.frames())
      expect(psnr(frame, paintFrame(index++, 641, 359))).toBeGreaterThan(30);
    clip.dispose();
    expect(index).toBe(3);
  });

  it('stops at once when cancelled', async () => {
    const path = join(folder, 'cancel.mp4');
    await writePaintedClip(path, { frames: 30 });
    const clip = await openClipFile(path);
    const controller = new AbortController();
    const frames = clip.frames(0, 30, controller.signal);
    await frames.next();
    controller.abort();
    await expect(frames.next()).rejects.toMatchObject({ code: 'cancelled' });
    clip.dispose();
  });
});

/** A picture turned clockwise. */
function turned(
  frame: ReturnType<typeof paintFrame>,
  rotation: 90 | 180 | 270,
): ReturnType<typeof paintFrame> {
  const swap = rotation !== 180;
  const width = swap ? frame.height : frame.width;
  const height = swap ? frame.width : frame.height;
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = {
        90: [y, frame.height - 1 - x],
        180: [frame.width - 1 - x, frame.height - 1 - y],
        270: [frame.width - 1 - y, x],
      }[rotation] as [number, number];
      data.set(
        frame.data.subarray((v * frame.width + u) * 4, (v * frame.width + u) * 4 + 4),
        (y * width + x) * 4,
      );
    }
  }
  return { width, height, data };
}
