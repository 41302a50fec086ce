import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openClipFile } from '../../src/media/node/clip-file.ts';
import { writePaintedClip } from '../media/painted-clip.ts';
import { readNumber } from '../media/painted-frame.ts';
import { complaint, runCli, runHere, startCli, TINY, type CliResult } from './longtake.ts';

interface Report {
  done: number;
  kept: number;
  failed: number;
  clips: {
    index: number;
    name: string;
    status: string;
    files?: string[];
    error?: string;
    notices?: string[];
  }[];
}

let folder: string;
let out: string;
let project: string;
let count = 0;

const time = (value: number) => ({ OTIO_SCHEMA: 'RationalTime.1', value, rate: 12 });
const part = (start: number, duration: number) => ({
  OTIO_SCHEMA: 'TimeRange.1',
  start_time: time(start),
  duration: time(duration),
});
const clip = (name: string, url: string, source_range: object | null = null) => ({
  OTIO_SCHEMA: 'Clip.2',
  name,
  source_range,
  media_references: { DEFAULT_MEDIA: { OTIO_SCHEMA: 'ExternalReference.1', target_url: url } },
  active_media_reference_key: 'DEFAULT_MEDIA',
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longtake-batch-'));
  await mkdir(join(folder, 'media files'));
  await writePaintedClip(join(folder, 'media files', 'walk one.mp4'), { frames: 24, rate: 12 });
  await writePaintedClip(join(folder, 'upright.mp4'), { frames: 6, rate: 12, width: 32, height: 64 });
  await writeFile(join(folder, 'notes.mp4'), 'no video');
  project = join(folder, 'cut.otio');
  const track = (...children: object[]) => ({ OTIO_SCHEMA: 'Track.1', kind: 'Video', name: 'V1', children });
  const nested = { OTIO_SCHEMA: 'Stack.1', name: 'inner', children: [track(clip('Nested', 'upright.mp4'))] };
  const timeline = {
    OTIO_SCHEMA: 'Timeline.1',
    name: 'cut',
    tracks: {
      OTIO_SCHEMA: 'Stack.1',
      children: [
        track(
          clip('Walk, trimmed', 'media%20files/walk%20one.mp4', part(6, 12)),
          { OTIO_SCHEMA: 'Gap.1', source_range: part(0, 5) },
          clip('Not there', 'lost.mp4'),
          { ...clip('Bars', ''), media_references: { DEFAULT_MEDIA: { OTIO_SCHEMA: 'MissingReference.1' } } },
          nested,
          clip('Notes', pathToFileURL(join(folder, 'notes.mp4')).href),
        ),
      ],
    },
  };
  // OTIO writes words that JSON does not know.
  await writeFile(
    project,
    JSON.stringify(timeline).replace('"name":"inner"', '"name":"inner","global_start_time":NaN'),
  );
});
beforeEach(() => {
  out = join(folder, `out-${count++}`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const OPTIONS = ['--seconds', '0.5', '--model', TINY, '--backend', 'ort', '--profile', 'draft'];

const batch = (...options: string[]): Promise<CliResult> =>
  runHere(['batch', project, '--out', out, ...OPTIONS, '--json', ...options]);

async function numbers(path: string): Promise<number[]> {
  const opened = await openClipFile(path);
  const found: number[] = [];
  for await (const frame of opened.frames()) found.push(readNumber(frame));
  opened.dispose();
  return found;
}

describe('longtake batch', () => {
  it('extends what it can, reports what it can not, through the real program', async () => {
    const run = await runCli(['batch', project, '--out', out, ...OPTIONS]);
    expect(run.code).toBe(3);
    expect(run.stdout).toContain('2 of 5 clips');
    const report = JSON.parse(await readFile(join(out, 'report.json'), 'utf8')) as Report;
    expect(report).toMatchObject({ done: 2, kept: 0, failed: 3 });
    expect(report.clips.map(({ name, status }) => [name, status])).toEqual([
      ['Walk, trimmed', 'done'],
      ['Not there', 'failed'],
      ['Bars', 'failed'],
      ['Nested', 'done'],
      ['Notes', 'failed'],
    ]);
    expect(report.clips[1]!.error).toMatch(/“lost\.mp4” is not there/);
    expect(report.clips[2]!.error).toMatch(/missing in the project/);
    expect(report.clips[4]!.error).toMatch(/no video file/);
    expect((await readdir(out)).sort()).toEqual([
      '.longtake',
      '001-walk-trimmed.mp4',
      '004-nested.mp4',
      'contact-sheet.png',
      'report.json',
    ]);
    const extended = await numbers(join(out, '001-walk-trimmed.mp4'));
    expect(extended.slice(0, 12)).toEqual(Array.from({ length: 12 }, (_, i) => i + 6));
    expect(extended).toHaveLength(18);
    const sheet = PNG.sync.read(await readFile(join(out, 'contact-sheet.png')));
    expect(sheet.height).toBeGreaterThan(400);
  });

  it('does not make finished clips again, but makes changed ones', async () => {
    await batch();
    const first = join(out, '001-walk-trimmed.mp4');
    const made = (await stat(first)).mtimeMs;
    const sheet = await readFile(join(out, 'contact-sheet.png'));
    const again = JSON.parse((await batch()).stdout) as Report;
    expect(again).toMatchObject({ done: 0, kept: 2, failed: 3 });
    expect((await stat(first)).mtimeMs).toBe(made);
    expect(await readFile(join(out, 'contact-sheet.png'))).toEqual(sheet);

    // Other settings: everything again.
    expect(JSON.parse((await batch('--seed', '9')).stdout)).toMatchObject({ done: 2, kept: 0 });
    // A lost preview, and media that changed: those again.
    await rm(first);
    expect(JSON.parse((await batch('--seed', '9')).stdout)).toMatchObject({ done: 1, kept: 1 });
    await utimes(join(folder, 'upright.mp4'), new Date(), new Date(Date.now() + 5000));
    expect(JSON.parse((await batch('--seed', '9')).stdout)).toMatchObject({ done: 1, kept: 1 });
  });

  it('resumes where Ctrl-C stopped it and leaves nothing half-written', async () => {
    const long = ['--seconds', '60', '--model', TINY, '--backend', 'ort', '--profile', 'draft'];
    const run = startCli(['batch', project, '--out', out, ...long]);
    await run.says(/Nested, generating: 1 of/);
    run.process.kill('SIGINT');
    expect((await run.ended).code).toBe(130);
    expect((await readdir(out)).sort()).toEqual(['.longtake', '001-walk-trimmed.mp4']);
    const resumed = JSON.parse((await batch(...long)).stdout) as Report;
    expect(resumed).toMatchObject({ done: 1, kept: 1, failed: 3 });
  });

  it('ends with code 0 when every clip was made', async () => {
    const single = join(folder, 'single.otio');
    await writeFile(single, JSON.stringify(clip('Only', 'upright.mp4')));
    const run = await runHere(['batch', single, '--out', out, ...OPTIONS, '--content', 'both']);
    expect(run.code).toBe(0);
    expect((await readdir(out)).filter((name) => name.endsWith('.mp4')).sort()).toEqual([
      '001-only-continuation.mp4',
      '001-only.mp4',
    ]);
  });

  it('never writes over the project’s media', async () => {
    await mkdir(out);
    const media = join(out, '001-shot.mp4');
    const bytes = await writePaintedClip(media, { frames: 6, rate: 12 });
    const inside = join(out, 'inside.otio');
    await writeFile(inside, JSON.stringify(clip('Shot', '001-shot.mp4')));
    const run = await runHere(['batch', inside, '--out', out, ...OPTIONS]);
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('would overwrite the project’s own media');
    expect(new Uint8Array(await readFile(media))).toEqual(bytes);
  });

  it.each([
    ['no such project', 'nothing.otio', null, 3, /There is no file/],
    ['a project that is none', 'bad.otio', 'text', 3, /not valid JSON/],
    ['a project without clips', 'empty.otio', '{"OTIO_SCHEMA": "Timeline.1"}', 3, /holds no video clip/],
  ])('%s', async (_name, file, content, code, sentence) => {
    const path = join(folder, file);
    if (content !== null) await writeFile(path, content);
    const run = await runHere(['batch', path, '--out', out, ...OPTIONS]);
    expect(run.code).toBe(code);
    expect(complaint(run)).toMatch(sentence);
    expect(await readdir(folder)).not.toContain(`out-${count - 1}`);
  });

  it('a damaged model ends the batch with code 5, a folder that is a file with code 1', async () => {
    const model = await runHere(['batch', project, '--out', out, ...OPTIONS, '--model', folder]);
    expect(model.code).toBe(2);
    const taken = await runHere(['batch', project, '--out', join(folder, 'notes.mp4'), ...OPTIONS]);
    expect(taken.code).toBe(1);
  });
});
