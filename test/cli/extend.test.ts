import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ExtendSummary } from '../../src/cli/extend-command.ts';
import type { RgbaFrame } from '../../src/engine/types.ts';
import { openClipFile } from '../../src/media/node/clip-file.ts';
import { writePaintedClip } from '../media/painted-clip.ts';
import { psnr, readNumber } from '../media/painted-frame.ts';
import { runCli, runHere, startCli, TINY } from './longtake.ts';

let folder: string;
let out: string;
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longtake-extend-'));
});
beforeEach(async () => {
  out = join(folder, `out-${count++}`);
  await mkdir(out);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const MODEL = ['--model', TINY, '--backend', 'ort', '--profile', 'draft'];

async function frames(path: string): Promise<RgbaFrame[]> {
  const clip = await openClipFile(path);
  const all: RgbaFrame[] = [];
  for await (const frame of clip.frames()) all.push(frame);
  clip.dispose();
  return all;
}

/** Runs `extend` in this process and returns what `--json` printed, which must be one object. */
async function extend(args: string[]): Promise<ExtendSummary> {
  const result = await runHere(['extend', ...args, ...MODEL, '--json']);
  expect(result.stderr).toBe('');
  expect(result.code).toBe(0);
  return JSON.parse(result.stdout) as ExtendSummary;
}

describe('longtake extend', () => {
  it('continues a clip: files, report and contact sheet, through the real program', async () => {
    const clip = join(folder, 'walk.mp4');
    await writePaintedClip(clip, { frames: 30, rate: 24000 / 1001, width: 96, height: 64 });
    const [result, sheet] = [join(out, 'long.mp4'), join(out, 'sheet.png')];
    const args = ['extend', clip, '--seconds', '1', '--out', result, '--content', 'both', '--sheet', sheet];
    const run = await runCli([...args, ...MODEL, '--json']);
    expect(run.stderr).toBe('');
    expect(run.code).toBe(0);
    const summary = JSON.parse(run.stdout) as ExtendSummary;
    expect(summary).toMatchObject({
      model: 'tiny',
      backend: 'ort',
      frames: 24,
      prefixFrames: 30,
      size: { width: 96, height: 64 },
      rate: '24000/1001',
      notices: [],
    });
    expect(summary.msPerFrame).toBeGreaterThan(0);
    for (const figure of Object.values(summary.seam!)) expect(figure).toBeGreaterThanOrEqual(0);
    expect((await readdir(out)).sort()).toEqual(['long-continuation.mp4', 'long.mp4', 'sheet.png']);

    const before = await frames(clip);
    const extended = await frames(result);
    const continuation = await frames(join(out, 'long-continuation.mp4'));
    expect(extended).toHaveLength(54);
    expect(continuation).toHaveLength(24);
    before.forEach((frame, i) => expect(psnr(frame, extended[i]!)).toBeGreaterThan(40));
    continuation.forEach((frame, i) => expect(psnr(frame, extended[30 + i]!)).toBeGreaterThan(24));
    const png = PNG.sync.read(await readFile(sheet));
    expect(png.width).toBeGreaterThan(300);
  });

  it('gives the same frames for the same seed and others for another', async () => {
    const clip = join(folder, 'seed.mp4');
    // x264 itself is not the same from run to run on pictures of a few macroblocks.
    await writePaintedClip(clip, { frames: 8, rate: 4, width: 256, height: 192 });
    // The files themselves hold the time at which they were made.
    const run = async (seed: number): Promise<RgbaFrame[]> => {
      const path = join(out, `seed-${seed}.mp4`);
      await extend([clip, '--seconds', '2', '--seed', String(seed), '--out', path]);
      return frames(path);
    };
    const first = await run(7);
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
  });

  it('starts a new shot without a clip, at a size and rate of choice', async () => {
    const path = join(out, 'cold.webm');
    const summary = await extend(['--seconds', '1.5', '--size', '48x32', '--rate', '23.976', '--out', path]);
    expect(summary).toMatchObject({ frames: 36, prefixFrames: 0, rate: '24000/1001', seam: null });
    const clip = await openClipFile(path);
    expect(clip.facts).toMatchObject({ frameCount: 36, size: { width: 48, height: 32 }, codec: 'vp9' });
    clip.dispose();
    // In a process of its own: nothing has opened a clip before.
    const plain = await runCli([
      'extend',
      '--seconds',
      '1',
      '--out',
      join(out, 'plain.mp4'),
      ...MODEL,
      '--json',
    ]);
    expect(JSON.parse(plain.stdout)).toMatchObject({ frames: 4, size: { width: 16, height: 16 }, rate: '4' });
  });

  it('goes back before a clip', async () => {
    const clip = join(folder, 'back.mp4');
    await writePaintedClip(clip, { frames: 12, rate: 8 });
    const path = join(out, 'back.mp4');
    const summary = await extend([clip, '--seconds', '1', '--direction', 'backward', '--out', path]);
    expect(summary).toMatchObject({ frames: 8, direction: 'backward' });
    const all = await frames(path);
    expect(all).toHaveLength(20);
    expect(all.slice(8).map(readNumber)).toEqual(Array.from({ length: 12 }, (_, i) => i));
  });

  it.each([
    ['one frame', { frames: 1, rate: 12 }, 1],
    ['fewer frames than a chunk', { frames: 3, rate: 12 }, 3],
  ])('takes a prefix of %s', async (_name, options, length) => {
    const clip = join(folder, `short-${length}.mp4`);
    await writePaintedClip(clip, options);
    const path = join(out, 'short.mp4');
    const summary = await extend([clip, '--seconds', '0.5', '--out', path]);
    expect(summary).toMatchObject({ frames: 6, prefixFrames: length });
    expect(await frames(path)).toHaveLength(length + 6);
  });

  it('turns a rotated phone video upright', async () => {
    const clip = join(folder, 'phone.mp4');
    await writePaintedClip(clip, { frames: 6, rate: 12, width: 96, height: 64, rotation: 90 });
    const path = join(out, 'phone.mp4');
    const summary = await extend([clip, '--seconds', '0.5', '--out', path]);
    expect(summary.size).toEqual({ width: 64, height: 96 });
    const upright = await frames(clip);
    const result = await frames(path);
    expect(psnr(upright[0]!, result[0]!)).toBeGreaterThan(40);
    expect(result[0]).toMatchObject({ width: 64, height: 96 });
  });

  it('conforms a variable frame rate and says so', async () => {
    const clip = join(folder, 'variable.mp4');
    const stamps = [0, 1, 2, 3, 4, 5, 10, 11, 12, 13].map((i) => i / 25);
    await writePaintedClip(clip, { stamps });
    const summary = await extend([clip, '--seconds', '0.2', '--out', join(out, 'x.mp4')]);
    expect(summary).toMatchObject({ rate: '25', prefixFrames: 14 });
    expect(summary.notices.join()).toContain('variable frame rate');
  });

  it('pads odd sizes and says so', async () => {
    const clip = join(folder, 'odd.mkv');
    await writePaintedClip(clip, {
      container: 'mkv',
      codec: 'vp8',
      width: 641,
      height: 359,
      frames: 4,
      rate: 4,
    });
    const summary = await extend([clip, '--seconds', '0.5', '--out', join(out, 'odd.mp4')]);
    expect(summary.size).toEqual({ width: 642, height: 360 });
    expect(summary.notices.join()).toContain('641×359');
  });

  it('follows a camera file', async () => {
    const clip = join(folder, 'camera.mp4');
    await writePaintedClip(clip, { frames: 4, rate: 4, width: 32, height: 32 });
    const poses = Array.from({ length: 8 }, (_, i) => ({
      position: [i / 2, 0, 0],
      orientation: [1, 0, 0, 0],
    }));
    const camera = join(folder, 'camera.json');
    await writeFile(camera, JSON.stringify({ verticalFov: 75, poses }));
    await extend([clip, '--seconds', '1', '--camera', camera, '--out', join(out, 'with.mp4')]);
    await extend([clip, '--seconds', '1', '--out', join(out, 'without.mp4')]);
    expect(await frames(join(out, 'with.mp4'))).not.toEqual(await frames(join(out, 'without.mp4')));
  });

  it('moves the camera as it is told', async () => {
    const clip = join(folder, 'move.mp4');
    await writePaintedClip(clip, { frames: 6, rate: 4, width: 64, height: 64 });
    const poses = Array.from({ length: 6 }, (_, i) => ({
      position: [0, 0, -i / 2],
      orientation: [1, 0, 0, 0],
    }));
    const camera = join(folder, 'move.json');
    await writeFile(camera, JSON.stringify({ poses }));
    const made: RgbaFrame[][] = [];
    for (const options of [
      [],
      ['--move', 'hold'],
      ['--move', 'pan-left'],
      ['--move', 'pan-left:90'],
      ['--move', 'push-in:2.5', '--direction', 'backward'],
      ['--move', 'continue', '--camera', camera],
    ]) {
      const path = join(out, `move-${made.length}.mp4`);
      await extend([clip, '--seconds', '2', '--content', 'continuation', '--out', path, ...options]);
      made.push(await frames(path));
      expect(made.at(-1)).toHaveLength(8);
      for (const other of made.slice(0, -1)) expect(other).not.toEqual(made.at(-1));
    }
  });

  it('takes as many passes as a time allows, and tells them', async () => {
    const result = join(out, 'fit.mp4');
    const args = ['extend', '--seconds', '1', '--out', result, '--model', TINY, '--backend', 'ort'];
    const ample = await runHere([...args, '--fit', '100000', '--json']);
    expect(JSON.parse(ample.stdout)).toMatchObject({ fit: { steps: 8, inTime: true } });
    const none = await runHere([...args, '--fit', '0.1', '--seed', '1']);
    expect(none.stdout).toMatch(/Made in time with|It took longer than asked for, even with/);
    const both = await runHere([...args, '--fit', '10', '--steps', '2']);
    expect(both.code).toBe(2);
    expect(both.stderr).toContain('--fit chooses the passes itself');
  });

  it('replaces an older result', async () => {
    const path = join(out, 'again.mp4');
    await extend(['--seconds', '1', '--out', path]);
    const first = await frames(path);
    await extend(['--seconds', '1', '--seed', '5', '--out', path]);
    expect(await frames(path)).not.toEqual(first);
    expect(await readdir(out)).toEqual(['again.mp4']);
  });

  it('prints help, version and the installed models', async () => {
    expect((await runCli(['--help'])).stdout).toContain('longtake extend [IN] --seconds S --out OUT');
    expect((await runCli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await runCli(['models', 'list', '--json'])).stdout).toMatch(/^\{"models":\[.*\]\}\n$/);
    const verify = await runCli(['models', 'verify', TINY]);
    expect(verify.stdout).toContain('all as they were made');
    expect(verify.code).toBe(0);
  });
});

describe('Ctrl-C', () => {
  it.each([
    ['while the program starts', null],
    ['while the clip is copied', /Copying the clip/],
    ['while the clip is read', /Reading the clip/],
    ['while frames are made', /Making new frames/],
  ])('%s: code 130 and no file', async (_name, moment) => {
    const clip = join(folder, 'long.mp4');
    if (!(await readdir(folder)).includes('long.mp4')) {
      await writePaintedClip(clip, { frames: 200, rate: 50, width: 320, height: 240 });
    }
    const args = [
      'extend',
      clip,
      '--seconds',
      '300',
      '--out',
      join(out, 'x.mp4'),
      '--sheet',
      join(out, 'x.png'),
    ];
    const run = startCli([...args, ...MODEL, '--content', 'both']);
    if (moment === null) await new Promise((resolve) => setTimeout(resolve, 300));
    else await run.says(moment);
    run.process.kill('SIGINT');
    const { code, stdout } = await run.ended;
    expect(code).toBe(130);
    expect(stdout).toBe('');
    expect(await readdir(out)).toEqual([]);
  });

  it('twice in a row', async () => {
    const run = startCli([
      'extend',
      '--seconds',
      '300',
      '--rate',
      '60',
      '--out',
      join(out, 'x.mp4'),
      ...MODEL,
    ]);
    await run.says(/Making new frames/);
    run.process.kill('SIGINT');
    run.process.kill('SIGINT');
    expect((await run.ended).code).toBe(130);
    expect(await readdir(out)).toEqual([]);
  });
});
