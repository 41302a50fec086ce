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

/** Every frame of a file, as one string each. */
async function pictures(path: string): Promise<string[]> {
  const opened = await openClipFile(path);
  const found: string[] = [];
  for await (const frame of opened.frames()) found.push(Buffer.from(frame.data).toString('base64'));
  opened.dispose();
  return found;
}

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
      '001-walk-trimmed.png',
      '004-nested.mp4',
      '004-nested.png',
      'contact-sheet.html',
      'contact-sheet.png',
      'report.json',
    ]);
    const poster = PNG.sync.read(await readFile(join(out, '004-nested.png')));
    expect([poster.width, poster.height]).toEqual([32, 64]);
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
    expect((await readdir(out)).sort()).toEqual([
      '.longtake',
      '001-walk-trimmed.mp4',
      '001-walk-trimmed.png',
    ]);
    const resumed = JSON.parse((await batch(...long)).stdout) as Report;
    expect(resumed).toMatchObject({ done: 1, kept: 1, failed: 3 });
  });

  it('goes on after it was killed and clears away what the killed run left', async () => {
    const long = ['--seconds', '60', '--model', TINY, '--backend', 'ort', '--profile', 'draft'];
    const run = startCli(['batch', project, '--out', out, ...long]);
    const chunks = join(out, '.longtake', '004-v1.chunks');
    await expect.poll(() => readdir(chunks).catch(() => [])).toContain('00002.f32');
    run.process.kill('SIGKILL');
    await run.ended;
    // The chunks that it made are there; one that is made grey shows that they are not made again.
    const first = join(chunks, '00000.f32');
    const latents = new Float32Array(new Uint8Array(await readFile(first)).buffer);
    await writeFile(first, new Float32Array(latents.length));
    // What a killed process may leave: the preview in progress, under a name that nobody takes for a result.
    await writeFile(join(out, '.004-nested.mp4.0123abcd.part'), 'half');
    const resumed = JSON.parse((await batch(...long)).stdout) as Report;
    expect(resumed).toMatchObject({ done: 1, kept: 1, failed: 3 });
    expect((await readdir(out)).filter((name) => name.endsWith('.part'))).toEqual([]);
    expect(await readdir(join(out, '.longtake'))).not.toContain('004-v1.chunks');
    const made = await openClipFile(join(out, '004-nested.mp4'));
    const grey: number[] = [];
    let index = 0;
    for await (const { data } of made.frames(0, 12)) {
      if (data.every((value, at) => at % 4 === 3 || Math.abs(value - 127) < 12)) grey.push(index);
      index++;
    }
    // Behind the clip's six frames and the ones that are mixed of its last: the model's first new ones.
    expect(grey).toEqual([8, 9, 10, 11]);
    made.dispose();
  });

  it('makes variations from one look at the clip: each as if it had been made alone', async () => {
    const single = join(folder, 'variations.otio');
    await writeFile(single, JSON.stringify(clip('Only', 'upright.mp4')));
    const run = (to: string, ...options: string[]) =>
      runHere(['batch', single, '--out', to, ...OPTIONS, '--json', ...options]);
    const three = await run(out, '--variations', '3', '--seed', '7');
    const report = JSON.parse(three.stdout) as Report;
    expect(report.clips).toMatchObject([
      { variation: 1, seed: 7, files: ['001-only-v1.mp4'], poster: '001-only-v1.png' },
      { variation: 2, seed: 8, files: ['001-only-v2.mp4'] },
      { variation: 3, seed: 9, files: ['001-only-v3.mp4'] },
    ]);
    const alone = join(folder, 'alone');
    await run(alone, '--seed', '8');
    const [second, same] = [await readFile(join(out, '001-only-v2.mp4')), join(alone, '001-only.mp4')];
    expect(await pictures(join(out, '001-only-v2.mp4'))).toEqual(await pictures(same));
    expect(await readFile(join(out, '001-only-v1.mp4'))).not.toEqual(second);

    // One lost variation is made again, the others stay.
    await rm(join(out, '001-only-v2.mp4'));
    const again = JSON.parse((await run(out, '--variations', '3', '--seed', '7')).stdout) as Report;
    expect(again.clips.map(({ status }) => status)).toEqual(['kept', 'done', 'kept']);
    expect(await pictures(join(out, '001-only-v2.mp4'))).toEqual(await pictures(same));
  });

  it('takes settings of single clips from the project', async () => {
    const pose = { position: [0, 0, 0], orientation: [1, 0, 0, 0] };
    await writeFile(join(folder, 'hold.json'), JSON.stringify({ poses: Array(30).fill(pose) }));
    const own = (name: string, batchSettings: object) => ({
      ...clip(name, 'media files/walk one.mp4'),
      metadata: { longtake: { model: 'whoever made it', batch: batchSettings } },
    });
    const mixed = join(folder, 'mixed.otio');
    const children = [
      own('Long', { seconds: 1, profile: 'final', seed: 4 }),
      own('Before', { seconds: 0.25, direction: 'backward' }),
      own('Held', { camera: 'hold.json' }),
      own('Lost camera', { camera: 'nowhere.json' }),
      own('Typo', { second: 3 }),
    ];
    await writeFile(mixed, JSON.stringify({ OTIO_SCHEMA: 'Track.1', kind: 'Video', name: 'V1', children }));
    const run = await runHere(['batch', mixed, '--out', out, ...OPTIONS, '--json']);
    const { clips } = JSON.parse(run.stdout) as Report;
    expect(clips).toMatchObject([
      { status: 'done', frames: 12, profile: 'final', seed: 4, direction: 'forward' },
      { status: 'done', frames: 3, profile: 'draft', direction: 'backward' },
      { status: 'done', frames: 6, seed: 0 },
      { status: 'failed', error: expect.stringContaining('nowhere.json') as string },
      { status: 'failed', error: expect.stringMatching(/“second”.*is not known/) as string },
    ]);
    expect((await numbers(join(out, '002-before.mp4'))).slice(3)).toEqual(
      Array.from({ length: 24 }, (_, i) => i),
    );
  });

  it('names files by a template and refuses one that gives two files one name', async () => {
    const named = await batch('--name', 'take_{clip} ({seed})');
    expect(named.code).toBe(3);
    expect((await readdir(out)).filter((name) => name.endsWith('.mp4')).sort()).toEqual([
      'take_nested (0).mp4',
      'take_walk-trimmed (0).mp4',
    ]);
    const same = await batch('--name', 'preview');
    expect(same.code).toBe(2);
    expect(complaint(same)).toMatch(/Two files would be named “preview\.mp4”/);
    const path = await batch('--name', '../{clip}');
    expect(path.code).toBe(2);
    expect(complaint(path)).toMatch(/“\/” does not belong in a file name|begin or end with a dot/);
  });

  it('says how far the whole batch is', async () => {
    const run = await runCli(['batch', project, '--out', out, ...OPTIONS, '--variations', '2']);
    expect(run.stderr).toMatch(/1\/5 Walk, trimmed, variation 2, generating: .*\(all: \d+ %, \d+ s left\)/);
    expect(run.stdout).toContain('4 previews of 5 clips');
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
