import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EvaluationReport } from '../../src/evaluation/evaluate.ts';
import { encodePng } from '../../src/media/node/png.ts';
import { complaint, runCli, runHere, TINY } from '../cli/longtake.ts';
import { walkFrame, writeWalk } from './walks.ts';

let root: string;
let walks: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'longtake-eval-'));
  walks = join(root, 'walks');
  await writeWalk(walks, 'walk-b', 16);
  await writeWalk(walks, 'walk-a', 18);
  // Not clips: a file and a hidden folder.
  await writeFile(join(walks, 'README.md'), 'two walks');
  await mkdir(join(walks, '.unfinished'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

function line(data: string, ...more: string[]): string[] {
  return ['eval', TINY, '--data', data, '--backend', 'ort', '--steps', '1', ...more];
}

const SHORT = ['--task', 'retrieval', '--context', '8', '--generate', '4'];

describe('longtake eval', () => {
  it('prints one JSON object and writes a sheet, through the real program', async () => {
    const sheet = join(root, 'sheet.png');
    const run = await runCli(
      line(walks, ...SHORT, '--json', '--sheet', sheet, '--noise', '0.1', '--missing', '.2'),
    );
    expect(run.code).toBe(0);
    const report = JSON.parse(run.stdout) as EvaluationReport;
    expect(report).toMatchObject({
      task: 'retrieval',
      model: 'tiny',
      backend: 'ort',
      steps: 1,
      clips: 2,
      seed: 0,
      degradation: { noise: 0.1, missing: 0.2, occlusion: 0, cameraJump: false },
    });
    expect(report.perClip.map(({ name }) => name)).toEqual(['walk-a', 'walk-b']);
    expect(report.psnr).toBeGreaterThan(3);
    expect(report.psnr).toBeLessThan(30);
    expect(run.stderr).toMatch(/walk-b: \d+ of \d+/);
    expect(run.stderr).toContain(`walk-a: PSNR ${report.perClip[0]!.psnr!.toFixed(2)} dB`);
    const png = PNG.sync.read(await readFile(sheet));
    expect([png.width, png.height].every((side) => side > 200)).toBe(true);
    expect((await readdir(root)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('gives the same figures for the same seed and others for another', async () => {
    const figures = async (seed: string): Promise<unknown> => {
      const { stdout } = await runHere(line(walks, ...SHORT, '--clips', '1', '--json', '--seed', seed));
      const { curve, clips } = JSON.parse(stdout) as EvaluationReport;
      expect(clips).toBe(1);
      return curve;
    };
    const first = await figures('1');
    expect(await figures('1')).toEqual(first);
    expect(await figures('2')).not.toEqual(first);
  });

  it.each([
    ['retrieval', ['--context', '8', '--generate', '4'], /last frame held/],
    ['reasoning', ['--context', '8', '--generate', '8', '--camera-jump', '--occlusion', '2'], /camera jump/],
    ['gap', ['--context', '7', '--generate', '3'], /cross-fade/],
    ['region', ['--context', '5', '--generate', '5'], /hole dB[\s\S]*harmonic fill/],
    ['cold', ['--generate', '10'], /collapsed: \d/],
  ])('prints a table: %s', async (task, options, pattern) => {
    const run = await runHere(line(walks, '--task', task, '--clips', '1', ...options));
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(pattern);
    expect(run.stdout).toMatch(/ms a generated frame/);
    expect(run.stdout).not.toMatch(/NaN|undefined|null/);
  });

  it.each([
    [['eval'], /Name one world model/],
    [['eval', TINY, ...SHORT], /--data/],
    [['eval', TINY, '--data', 'x'], /--task: retrieval, reasoning, gap, region, cold/],
    [line('x', '--task', 'dream'), /--task must be/],
    [line('x', '--task', 'retrieval', '--context', '5', '--generate', '6'), /way back/],
    [line('x', ...SHORT, '--noise', '2'), /--noise must be a number from 0 to 1/],
    [line('x', ...SHORT, '--missing', '-1'), /--missing must be/],
    [line('x', ...SHORT, '--clips', '0'), /--clips must be/],
    [line('x', ...SHORT, '--sheet', 'a.jpg'), /must be named .png/],
    [line('x', '--task', 'cold', '--noise', '.1'), /no prefix/],
    [['eval', 'no-such-model', '--data', 'x', ...SHORT], /no model “no-such-model”/],
  ])('refuses %j', async (args, sentence) => {
    const run = await runHere(args);
    expect(complaint(run)).toMatch(sentence);
    expect(run.code).toBe(2);
  });
});

describe('bad folders', () => {
  async function refused(data: string, sentence: RegExp): Promise<void> {
    const run = await runHere(line(data, ...SHORT, '--json'));
    expect(complaint(run)).toMatch(sentence);
    expect(run.code).toBe(3);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: 'input' } });
  }

  async function folder(name: string): Promise<{ data: string; clip: string }> {
    const data = join(root, name);
    return { data, clip: await writeWalk(data, 'walk', 10) };
  }

  it('that are not there, hold no clips, too few, or are a clip', async () => {
    await refused(join(root, 'nowhere'), /can not be read/);
    const empty = join(root, 'empty');
    await mkdir(empty);
    await refused(empty, /holds no clips/);
    await refused(join(walks, 'walk-a'), /is itself a clip/);
    const run = await runHere(line(walks, ...SHORT, '--clips', '3'));
    expect(complaint(run)).toMatch(/holds 2 clips, but 3 were asked for/);
    expect(run.code).toBe(3);
  });

  it('with frames missing, too few, of two sizes or damaged', async () => {
    const gone = await folder('gone');
    await rm(join(gone.clip, '0003.png'));
    await refused(gone.data, /“walk” lacks the frame 0003\.png/);
    const short = await folder('short');
    for (const frame of ['0006', '0007', '0008', '0009']) await rm(join(short.clip, `${frame}.png`));
    await writeFile(join(short.clip, 'camera.json'), JSON.stringify({ poses: Array(6).fill(null) }));
    await refused(short.data, /has 6 frames, but this evaluation needs 8/);
    const sizes = await folder('sizes');
    await writeFile(join(sizes.clip, '0002.png'), encodePng(walkFrame(2, 20)));
    await refused(sizes.data, /“walk\/0002\.png” is 20 × 20, the first 16 × 16/);
    const text = await folder('text');
    await writeFile(join(text.clip, '0004.png'), 'no picture');
    await refused(text.data, /“walk\/0004\.png” is not a PNG picture/);
    const cut = await folder('cut');
    await truncate(join(cut.clip, '0004.png'), 60);
    await refused(cut.data, /“walk\/0004\.png” is not a PNG picture/);
    const none = join(root, 'none');
    await mkdir(join(none, 'walk'), { recursive: true });
    await refused(none, /“walk” has no frames/);
  });

  it('with a camera that does not fit', async () => {
    const broken = await folder('broken-camera');
    await writeFile(join(broken.clip, 'camera.json'), '{');
    await refused(broken.data, /“walk\/camera\.json” is not valid JSON/);
    const few = await folder('few-poses');
    await writeFile(join(few.clip, 'camera.json'), JSON.stringify({ poses: [null, null] }));
    await refused(few.data, /has 2 poses for 10 frames/);
    const wrong = await folder('wrong-pose');
    const poses = [...Array(9).fill(null), { position: [0, 0], orientation: [1, 0, 0, 0] }];
    await writeFile(join(wrong.clip, 'camera.json'), JSON.stringify({ poses }));
    await refused(wrong.data, /Pose 10/);
  });

  it('but links to clips elsewhere are fine', async () => {
    const { clip } = await folder('elsewhere');
    const data = join(root, 'links');
    await mkdir(data);
    await symlink(clip, join(data, 'linked'));
    await symlink(join(root, 'nowhere'), join(data, 'broken'));
    const run = await runHere(line(data, ...SHORT, '--json'));
    expect(run.code, run.stderr).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ clips: 1, perClip: [{ name: 'linked' }] });
  });

  it('but a clip without a camera file is fine', async () => {
    const { data, clip } = await folder('no-camera');
    await rm(join(clip, 'camera.json'));
    expect((await runHere(line(data, ...SHORT))).code).toBe(0);
  });
});
