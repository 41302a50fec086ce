import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writePaintedClip } from '../media/painted-clip.ts';
import { complaint, runCli, runHere, runWithFileLimit, TINY, type CliResult } from './longtake.ts';

let folder: string;
let out: string;
let clip: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longtake-bad-'));
  clip = join(folder, 'clip.mp4');
  await writePaintedClip(clip, { frames: 24, rate: 24 });
});
beforeEach(async () => {
  out = join(folder, `out-${count++}`);
  await mkdir(out);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function commandLine(input: string | null, options: string[]): string[] {
  const source = input === null ? [] : [input];
  const given = (name: string, value: string): string[] => (options.includes(name) ? [] : [name, value]);
  return [
    'extend',
    ...source,
    ...given('--out', join(out, 'result.mp4')),
    ...given('--seconds', '0.25'),
    ...given('--model', TINY),
    ...given('--backend', 'ort'),
    '--sheet',
    join(out, 'sheet.png'),
    ...options,
  ];
}

/** The real program. */
function extend(input: string | null, ...options: string[]): Promise<CliResult> {
  return runCli(commandLine(input, options));
}

/** The same without a process of its own; for the many small cases. */
function extendHere(input: string | null, ...options: string[]): Promise<CliResult> {
  return runHere(commandLine(input, options));
}

/** Code, one sentence that says it, and nothing left behind. */
async function expectRefusal(result: CliResult, code: number, sentence: RegExp): Promise<void> {
  expect(complaint(result)).toMatch(sentence);
  expect(result.code).toBe(code);
  expect(complaint(result).trimEnd()).toMatch(/[.)]$/);
  expect(result.stderr).not.toMatch(/\n\s+at .*\.(ts|mjs|js):/);
  expect(await readdir(out)).toEqual([]);
}

async function broken(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

function patched(bytes: Uint8Array, box: string, offset: number, values: number[]): Uint8Array {
  const copy = Uint8Array.from(bytes);
  // The name may also stand in the list of brands at the file's head.
  const buffer = Buffer.from(copy.buffer);
  const at = buffer.indexOf(box, buffer.indexOf('trak'));
  expect(at).toBeGreaterThan(0);
  copy.set(values, at + offset);
  return copy;
}

describe('unusable clips end with code 3', () => {
  it('no such file', async () => {
    await expectRefusal(await extend(join(folder, 'nothing.mp4')), 3, /There is no file “.*nothing\.mp4”/);
  });

  it('a folder', async () => {
    await expectRefusal(await extend(folder), 3, /is a folder/);
  });

  it('an empty file', async () => {
    await expectRefusal(await extend(await broken('empty.mp4', '')), 3, /“empty\.mp4” is empty/);
  });

  it('a text file named .mp4', async () => {
    const path = await broken('text.mp4', 'Dear diary,\n'.repeat(100));
    await expectRefusal(await extend(path), 3, /“text\.mp4” is no video file/);
  });

  it.each([0.05, 0.5, 0.97])('an mp4 of which only the first part (%f) is there', async (part) => {
    const bytes = await readFile(clip);
    const path = await broken(`cut-${part}.mp4`, bytes.subarray(0, Math.floor(bytes.length * part)));
    await expectRefusal(await extend(path), 3, /damaged or incomplete|is incomplete/);
  });

  it('an mp4 whose index, at its end, is missing', async () => {
    const path = join(folder, 'index-last.mov');
    const bytes = await writePaintedClip(path, { container: 'mov', frames: 24 });
    await writeFile(path, bytes.subarray(0, bytes.length - 400));
    await expectRefusal(await extend(path), 3, /damaged or incomplete/);
  });

  it('sound without a picture', async () => {
    const path = join(folder, 'sound.mp4');
    await writePaintedClip(path, { noPicture: true, sound: { codec: 'aac', seconds: 1 } });
    await expectRefusal(await extend(path), 3, /“sound\.mp4” has sound but no picture/);
  });

  it.each([
    ['xvc9', '“xvc9”'],
    ['AVdh', 'DNxHD/DNxHR'],
  ])('a codec that can not be decoded: %s', async (code, title) => {
    const bytes = patched(await readFile(clip), 'avc1', 0, [...Buffer.from(code)]);
    const sentence = `“strange.mp4” is ${title} video, which can not be decoded here`;
    await expectRefusal(await extend(await broken('strange.mp4', bytes)), 3, new RegExp(sentence));
  });

  it('an 8K header, refused before anything of that size is made', async () => {
    // Width and height of the sample description: 24 bytes behind the box's name.
    const bytes = patched(await readFile(clip), 'avc1', 28, [0x1e, 0x00, 0x10, 0xe0]);
    await expectRefusal(await extend(await broken('8k.mp4', bytes)), 3, /7680×4320 pixels; .*4096×2304/);
  });

  it('a picture of 1×1', async () => {
    const path = join(folder, 'dot.mkv');
    await writePaintedClip(path, { container: 'mkv', codec: 'vp8', width: 1, height: 1, frames: 2 });
    await expectRefusal(await extend(path), 3, /1×1 pixels; Longtake needs at least 16×16/);
  });

  it('frames that all have the same time', async () => {
    const path = join(folder, 'still.mp4');
    const bytes = await writePaintedClip(path, { frames: 4 });
    // The table of frame durations: one entry, whose delta becomes 0.
    await writeFile(path, patched(bytes, 'stts', 16, [0, 0, 0, 0]));
    const result = await extend(path);
    expect(result.code).toBe(3);
    expect(complaint(result)).toMatch(/same time|damaged/);
    expect(await readdir(out)).toEqual([]);
  });

  it('a frame in the middle that is damaged', async () => {
    const path = join(folder, 'noise.mp4');
    const bytes = await writePaintedClip(path, { frames: 24, keyFrameInterval: 0.1 });
    const copy = Uint8Array.from(bytes);
    const start = Buffer.from(copy.buffer).indexOf('mdat') + 4;
    copy.fill(0xa5, start + Math.floor((copy.length - start) / 3), copy.length);
    await writeFile(path, copy);
    await expectRefusal(await extend(path), 3, /“noise\.mp4” is damaged or incomplete/);
  });

  it('a camera file that is none', async () => {
    const camera = await broken('camera.json', '{"poses": [{"position": [0, 0]}]}');
    await expectRefusal(await extend(clip, '--camera', camera), 3, /Pose 1 in the camera file/);
  });
});

describe('wrong commands end with code 2', () => {
  it.each(['0', '-1', 'NaN', '1e9', '', 'two', 'Infinity', '300.01'])('--seconds %s', async (seconds) => {
    await expectRefusal(
      await extend(clip, '--seconds', seconds),
      2,
      /--seconds must be a number above 0 and at most 300/,
    );
  });

  it.each([
    [['--profile', 'best'], /--profile must be draft, preview, final/],
    [['--backend', 'cuda'], /--backend must be auto, ort, webgpu/],
    [['--direction', 'sideways'], /--direction must be/],
    [['--seed', '-3'], /--seed must be a whole number/],
    [['--steps', '0'], /--steps must be a whole number/],
    [['--content', 'all'], /--content must be/],
    [['--move', 'dolly'], /--move must be hold, continue, pan-left,/],
    [['--move', 'pan-left:0'], /--move pan-left must be above 0 and at most 180 degrees, not “0”/],
    [['--move', 'tilt-up:-5'], /at most 180 degrees, not “-5”/],
    [['--move', 'push-in:1e3'], /at most 100 lengths of the model, not “1e3”/],
    [['--move', 'pan-left:20:30'], /not “20:30”/],
    [['--move', 'hold:3'], /--move hold takes no amount/],
    [['--move', 'continue'], /give a camera track of the clip with --camera/],
    [['--move', 'hold', '--loop'], /--loop .* takes no --move/],
    [['--frobnicate'], /frobnicate/],
    [['--model', 'no-such-model'], /There is no model “no-such-model”/],
    [['--size', '64x64'], /--size and --rate are for cold starts/],
  ])('%j', async (options, sentence) => {
    await expectRefusal(await extendHere(clip, ...options), 2, sentence);
  });

  it('two clips', async () => {
    await expectRefusal(await extendHere(clip, clip), 2, /Name one clip/);
  });

  it('a cold start that is to be one with a clip, or of an odd shape', async () => {
    await expectRefusal(await extendHere(null, '--content', 'extended'), 2, /cold start has no clip/);
    await expectRefusal(await extendHere(null, '--size', '9000x9000'), 2, /up to 4096×2304/);
    await expectRefusal(await extendHere(null, '--size', 'big'), 2, /--size must look like/);
    await expectRefusal(await extendHere(null, '--rate', '0'), 2, /no frame rate/);
  });

  it('no command, an unknown one', async () => {
    expect((await runCli([])).code).toBe(2);
    await expectRefusal(await runCli(['prolong']), 2, /no command “prolong”/);
  });

  it('a result that is the input, under its own name or another', async () => {
    const before = await readFile(clip);
    await expectRefusal(await extend(clip, '--out', clip), 2, /would overwrite the input/);
    const link = join(folder, 'link.mp4');
    await symlink(clip, link);
    await expectRefusal(await extend(clip, '--out', link), 2, /would overwrite the input/);
    expect(await readFile(clip)).toEqual(before);
  });

  it('a result of an unknown kind', async () => {
    await expectRefusal(
      await extend(clip, '--out', join(out, 'x.avi')),
      2,
      /must be named \.mp4 .* or \.webm/,
    );
  });
});

describe('results that can not be written end with code 1, before the work', () => {
  it('a folder that does not exist', async () => {
    await expectRefusal(
      await extend(clip, '--out', join(out, 'no', 'x.mp4')),
      1,
      /does not exist or can not be written/,
    );
  });

  it('a folder that is a file', async () => {
    await expectRefusal(
      await extend(clip, '--out', join(clip, 'x.mp4')),
      1,
      /does not exist or can not be written/,
    );
  });

  it('a name that leaves no room for the temporary one', async () => {
    const name = `${'n'.repeat(244)}.mp4`;
    await expectRefusal(await extend(clip, '--out', join(folder, name)), 1, /can not be written: .*too long/);
  });

  it('a name that a folder has', async () => {
    await mkdir(join(folder, 'taken.mp4'), { recursive: true });
    await expectRefusal(await extend(clip, '--out', join(folder, 'taken.mp4')), 1, /is a folder/);
  });
});

describe.skipIf(process.platform === 'win32')('a disk that fills up', () => {
  it('ends with code 1 and leaves nothing', async () => {
    const result = await runWithFileLimit(2, commandLine(null, ['--size', '320x240', '--seconds', '8']));
    await expectRefusal(result, 1, /The video could not be written/);
  });
});

describe('models', () => {
  async function copyOfTiny(): Promise<string> {
    const copy = join(folder, `tiny-${count}`);
    await cp(TINY, copy, { recursive: true });
    return copy;
  }

  it('one flipped byte in the weights ends with code 5', async () => {
    const model = await copyOfTiny();
    const path = join(model, 'weights.safetensors');
    const weights = await readFile(path);
    weights[weights.length >> 1]! ^= 1;
    await writeFile(path, weights);
    await expectRefusal(await extend(clip, '--model', model), 5, /damaged: weights\.safetensors/);
    const verify = await runCli(['models', 'verify', model]);
    expect(verify.code).toBe(5);
    expect(complaint(verify)).toMatch(/weights\.safetensors/);
  });

  it('a missing graph ends with code 5', async () => {
    const model = await copyOfTiny();
    await rm(join(model, 'commit.onnx'));
    await expectRefusal(await extend(clip, '--model', model), 5, /lacks commit\.onnx/);
  });

  it('a model.json that is none ends with code 5', async () => {
    const model = await copyOfTiny();
    await writeFile(join(model, 'model.json'), '{"formatVersion": 1}');
    const result = await extend(clip, '--model', model);
    expect(result.code).toBe(5);
    expect(await readdir(out)).toEqual([]);
  });

  it('no GPU for a backend that needs one ends with code 4', async () => {
    const result = await runCli(
      ['extend', clip, '--seconds', '1', '--out', join(out, 'x.mp4'), '--model', TINY, '--backend', 'webgpu'],
      { env: { VK_ICD_FILENAMES: '/nonexistent', VK_DRIVER_FILES: '/nonexistent' } },
    );
    await expectRefusal(result, 4, /backend “webgpu” can not run/);
  });

  it('prints the fault as one object with --json', async () => {
    const result = await extend(join(folder, 'nothing.mp4'), '--json');
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code: 'input' } });
    expect(result.code).toBe(3);
  });
});
