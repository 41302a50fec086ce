import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BufferTarget } from 'mediabunny';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { InpaintSummary } from '../../src/cli/inpaint-command.ts';
import type { RgbaFrame } from '../../src/engine/types.ts';
import { ClipWriter } from '../../src/media/clip-writer.ts';
import { REC709 } from '../../src/media/colour.ts';
import { openClipFile } from '../../src/media/node/clip-file.ts';
import { registerMediaCodecs } from '../../src/media/node/register.ts';
import { writePaintedClip } from '../media/painted-clip.ts';
import { psnr, readNumber } from '../media/painted-frame.ts';
import { complaint, runCli, runHere, startCli, TINY, type CliResult } from './longtake.ts';

let folder: string;
let out: string;
let clip: string;
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longtake-inpaint-'));
  clip = join(folder, 'clip.mp4');
  await writePaintedClip(clip, { frames: 30, rate: 12, width: 96, height: 64 });
});
beforeEach(async () => {
  out = join(folder, `out-${count++}`);
  await mkdir(out);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const MODEL = ['--model', TINY, '--backend', 'ort', '--profile', 'draft'];

async function frames(path: string): Promise<RgbaFrame[]> {
  const opened = await openClipFile(path);
  const all: RgbaFrame[] = [];
  for await (const frame of opened.frames()) all.push(frame);
  opened.dispose();
  return all;
}

function args(...options: string[]): string[] {
  const target = options.includes('--out') ? [] : ['--out', join(out, 'result.mp4')];
  return ['inpaint', ...options, ...target, ...MODEL];
}

async function inpaint(...options: string[]): Promise<InpaintSummary> {
  const result = await runHere([...args(...options), '--json']);
  expect(result.stderr).toBe('');
  expect(result.code).toBe(0);
  return JSON.parse(result.stdout) as InpaintSummary;
}

/** A mask video: white in the left half from frame `from` on. */
async function writeMask(name: string, length: number, from: number, width = 96): Promise<string> {
  registerMediaCodecs();
  const target = new BufferTarget();
  const size = { width, height: 64 };
  const writer = new ClipWriter({ format: 'mp4', size, rate: { num: 12, den: 1 }, colour: REC709, target });
  for (let index = 0; index < length; index++) {
    const data = new Uint8ClampedArray(width * 64 * 4);
    for (let at = 0; at < data.length; at += 4) {
      data.fill(index >= from && (at / 4) % width < width / 2 ? 255 : 0, at, at + 3);
    }
    await writer.addFrame({ ...size, data });
  }
  await writer.finish();
  const path = join(folder, name);
  await writeFile(path, new Uint8Array(target.buffer!));
  return path;
}

/** Mean difference over the pixels of a part of the picture. */
function difference(a: RgbaFrame, b: RgbaFrame, within: (x: number, y: number) => boolean): number {
  let [sum, pixels] = [0, 0];
  for (let at = 0; at < a.data.length; at += 4) {
    if (!within((at / 4) % a.width, Math.floor(at / 4 / a.width))) continue;
    for (let c = at; c < at + 3; c++) sum += Math.abs(a.data[c]! - b.data[c]!);
    pixels += 3;
  }
  return sum / pixels;
}

describe('longtake inpaint', () => {
  it('fills a gap: the clip keeps its length and its other frames, through the real program', async () => {
    const [result, sheet] = [join(out, 'result.mp4'), join(out, 'sheet.png')];
    const run = await runCli([...args(clip, '--gap', '12:5', '--sheet', sheet), '--json']);
    expect(run.stderr).toBe('');
    expect(run.code).toBe(0);
    const summary = JSON.parse(run.stdout) as InpaintSummary;
    expect(summary).toMatchObject({
      task: 'gap',
      model: 'tiny',
      start: 12,
      frames: 5,
      prefixFrames: 12,
      size: { width: 96, height: 64 },
      rate: '12',
      files: [{ path: result, frames: 30 }, { path: sheet }],
    });
    expect((await readdir(out)).sort()).toEqual(['result.mp4', 'sheet.png']);
    const [before, after] = [await frames(clip), await frames(result)];
    expect(after).toHaveLength(30);
    after.forEach((frame, i) => {
      if (i < 12 || i >= 17) expect(psnr(frame, before[i]!)).toBeGreaterThan(40);
      else expect(psnr(frame, before[i]!)).toBeLessThan(40);
    });
    expect(after.slice(17).map(readNumber)).toEqual(Array.from({ length: 13 }, (_, i) => 17 + i));
    expect((await readFile(sheet)).length).toBeGreaterThan(1000);
  });

  it('repaints a rectangle and leaves the rest of the picture alone', async () => {
    const summary = await inpaint(
      clip,
      '--region',
      '48,16,32,32@8',
      '--region',
      '0,16,32,32@20',
      '--frames',
      '8:20',
    );
    expect(summary).toMatchObject({
      task: 'region',
      start: 8,
      frames: 13,
      prefixFrames: 8,
      repaintedFrames: 13,
    });
    const [before, after] = [await frames(clip), await frames(join(out, 'result.mp4'))];
    expect(after).toHaveLength(30);
    after.forEach((frame, i) => {
      if (i < 8 || i > 20) return expect(psnr(frame, before[i]!)).toBeGreaterThan(40);
      const left = 48 - 4 * (i - 8);
      const inside = (x: number, y: number): boolean => x >= left && x < left + 32 && y >= 16 && y < 48;
      expect(difference(frame, before[i]!, inside)).toBeGreaterThan(5);
      // Away from the edge, which the encoder blurs.
      const near = (x: number, y: number): boolean => x >= left - 4 && x < left + 36 && y >= 12 && y < 52;
      expect(difference(frame, before[i]!, (x, y) => !near(x, y))).toBeLessThan(2);
    });
  });

  it('takes a mask video for the whole clip or for the part', async () => {
    const whole = await writeMask('whole.mp4', 30, 10);
    expect(await inpaint(clip, '--mask', whole)).toMatchObject({ frames: 30, repaintedFrames: 20 });
    const all = await frames(join(out, 'result.mp4'));
    const part = await writeMask('part.mp4', 20, 0);
    const summary = await inpaint(clip, '--mask', part, '--frames', '10:29');
    expect(summary).toMatchObject({ frames: 20, repaintedFrames: 20 });
    expect('maskedShare' in summary && summary.maskedShare).toBeCloseTo(0.5, 2);
    const before = await frames(clip);
    for (const made of [all, await frames(join(out, 'result.mp4'))]) {
      made.forEach((frame, i) => {
        expect(difference(frame, before[i]!, (x) => x >= 56)).toBeLessThan(2);
        if (i >= 10) expect(difference(frame, before[i]!, (x) => x < 40)).toBeGreaterThan(5);
      });
    }
  });

  it('closes a loop with extend --loop', async () => {
    const path = join(out, 'loop.mp4');
    const run = await runHere([
      'extend',
      clip,
      '--loop',
      '--seconds',
      '1',
      '--out',
      path,
      ...MODEL,
      '--json',
    ]);
    expect(run.stderr).toBe('');
    const summary = JSON.parse(run.stdout) as Record<string, unknown>;
    expect(summary).toMatchObject({ frames: 12, prefixFrames: 30 });
    expect(summary['seamAfter']).toMatchObject({ psnrAcrossCut: expect.any(Number) });
    expect(await frames(path)).toHaveLength(42);
  });
});

describe('refusals', () => {
  async function refused(result: CliResult, code: number, sentence: RegExp): Promise<void> {
    expect(complaint(result)).toMatch(sentence);
    expect(result.code).toBe(code);
    expect(await readdir(out)).toEqual([]);
  }

  it.each([
    [[], /with one of --gap, --region and --mask/],
    [['--gap', '3:2', '--region', '1,1,2,2'], /with one of/],
    [['--gap', '3'], /--gap must look like/],
    [['--gap', '3:0'], /--gap must look like/],
    [['--gap', '-3:2'], /--gap must look like/],
    [['--gap', '28:9'], /frame 36 is not among them/],
    [['--gap', '0:5'], /frames on both sides/],
    [['--gap', '25:5'], /frames on both sides/],
    [['--gap', '5:2', '--frames', '1:2'], /--frames goes with/],
    [['--region', '1,1,0,5'], /--region must look like/],
    [['--region', '1,1,NaN,5'], /--region must look like/],
    [['--region', '96,1,5,5'], /outside the picture of 96×64/],
    [['--region', '1,1,5,5@12', '--frames', '3:9'], /frame 12 lies outside the frames 3 to 9/],
    [['--region', '1,1,5,5', '--region', '2,2,5,5'], /each must name its frame/],
    [['--region', '1,1,5,5@2', '--region', '2,2,5,5@2'], /Frame 2 has two rectangles/],
    [['--region', '1,1,5,5', '--frames', '9:3'], /--frames must look like/],
    [['--region', '1,1,5,5', '--frames', '9:30'], /frame 30 is not among them/],
  ])('%j ends with code 2', async (options, sentence) => {
    await refused(await runHere(args(clip, ...options)), 2, sentence);
  });

  it('no clip, two clips, a result over the clip or the mask', async () => {
    await refused(await runHere(args('--gap', '3:2')), 2, /Name one clip/);
    await refused(await runHere(args(clip, clip, '--gap', '3:2')), 2, /Name one clip/);
    await refused(await runHere(args(clip, '--gap', '3:2', '--out', clip)), 2, /would overwrite the input/);
    const mask = await writeMask('over.mp4', 30, 0);
    await refused(await runHere(args(clip, '--mask', mask, '--out', mask)), 2, /would overwrite the input/);
    await refused(
      await runHere(['extend', '--loop', '--seconds', '1', '--out', join(out, 'x.mp4'), ...MODEL]),
      2,
      /--loop leads/,
    );
  });

  it('a mask that does not fit ends with code 3', async () => {
    const short = await writeMask('short.mp4', 7, 0);
    await refused(await runHere(args(clip, '--mask', short)), 3, /has 7 frames; it needs 30/);
    const wide = await writeMask('wide.mp4', 30, 0, 128);
    await refused(await runHere(args(clip, '--mask', wide)), 3, /is 128×64 pixels, but the clip 96×64/);
    await refused(await runHere(args(clip, '--mask', join(folder, 'none.mp4'))), 3, /no file/);
  });

  it('a model that was not trained for it ends with code 2', async () => {
    const model = join(folder, 'plain');
    await cp(TINY, model, { recursive: true });
    const path = join(model, 'model.json');
    const json = JSON.parse(await readFile(path, 'utf8')) as { tasks: string[] };
    await writeFile(path, JSON.stringify({ ...json, tasks: ['extend'] }));
    for (const what of [
      ['--gap', '3:2'],
      ['--region', '1,1,5,5'],
    ]) {
      const result = await runHere(['inpaint', clip, ...what, '--out', join(out, 'x.mp4'), '--model', model]);
      await refused(result, 2, /was not trained to fill/);
    }
    const loop = await runHere([
      'extend',
      clip,
      '--loop',
      '--seconds',
      '1',
      '--out',
      join(out, 'x.mp4'),
      '--model',
      model,
    ]);
    await refused(loop, 2, /was not trained to fill/);
  });

  it('Ctrl-C leaves no file', async () => {
    const long = join(folder, 'long.mp4');
    await writePaintedClip(long, { frames: 400, rate: 12, width: 96, height: 64 });
    const run = startCli(
      args(long, '--region', '0,0,40,40', '--sheet', join(out, 'sheet.png'), '--steps', '16'),
    );
    await run.says(/Making new frames/);
    run.process.kill('SIGINT');
    expect((await run.ended).code).toBe(130);
    expect(await readdir(out)).toEqual([]);
  });
});
