import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ALL_FORMATS, FilePathSource, Input } from 'mediabunny';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExtendEvent, ExtendRequest } from '../../src/engine/tasks/extend-request.ts';
import type { RgbaFrame } from '../../src/engine/types.ts';
import { ClipWriter, type ClipFormat } from '../../src/media/clip-writer.ts';
import { REC709, type ColourTags } from '../../src/media/colour.ts';
import { runExtension } from '../../src/media/extension.ts';
import { openClipFile, targetOf } from '../../src/media/node/clip-file.ts';
import { beginFile } from '../../src/media/node/pending-file.ts';
import { registerMediaCodecs } from '../../src/media/node/register.ts';
import type { Clip } from '../../src/media/open-clip.ts';
import { writePaintedClip } from './painted-clip.ts';
import { paintFrame, psnr, readNumber } from './painted-frame.ts';

let folder: string;
beforeAll(async () => {
  registerMediaCodecs();
  folder = await mkdtemp(join(tmpdir(), 'longtake-encode-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function write(
  name: string,
  frames: RgbaFrame[],
  options: { format: ClipFormat; rate: { num: number; den: number }; colour?: ColourTags },
): Promise<string> {
  const path = join(folder, name);
  const file = await beginFile(path);
  const { width, height } = frames[0]!;
  const { format, rate, colour = REC709 } = options;
  const writer = new ClipWriter({ format, rate, colour, size: { width, height }, target: targetOf(file) });
  for (const frame of frames) await writer.addFrame(frame);
  await writer.finish();
  await file.commit();
  return path;
}

async function allFrames(clip: Clip): Promise<RgbaFrame[]> {
  const frames: RgbaFrame[] = [];
  for await (const frame of clip.frames()) frames.push(frame);
  return frames;
}

/** Stands in for the engine: new frames are painted 100, 101, … (or 99, 98, … backward). */
async function* paintingTask(request: ExtendRequest): AsyncGenerator<ExtendEvent> {
  let prefixFrames = 0;
  for await (const frame of request.prefix) {
    expect(frame).toMatchObject(request.size);
    yield { kind: 'reading', framesRead: ++prefixFrames };
  }
  for (let index = 0; index < request.frameCount; index++) {
    const number = request.direction === 'backward' ? 99 - index : 100 + index;
    const frame = paintFrame(number, request.size.width, request.size.height);
    yield { kind: 'frame', index, frame, secondsLeft: 0 };
  }
  const { frameCount: frames } = request;
  yield {
    kind: 'done',
    report: { model: 'painter', backend: 'none', frames, prefixFrames, msPerFrame: 0, seam: null },
  };
}

async function extend(
  clip: Clip,
  name: string,
  options: { direction?: 'forward' | 'backward'; start?: number; count?: number } = {},
): Promise<{ path: string; notices: string[] }> {
  const path = join(folder, name);
  const file = await beginFile(path);
  const { direction = 'forward', start = 0, count = clip.facts.frameCount - start } = options;
  const { notices } = await runExtension(
    paintingTask,
    {
      prefix: { clip, start, count },
      size: clip.facts.size,
      rate: clip.facts.rate,
      request: { frameCount: 20, profile: 'preview', seed: 0, direction },
    },
    [{ content: 'extended', format: name.endsWith('.webm') ? 'webm' : 'mp4', target: targetOf(file) }],
  );
  await file.commit();
  return { path, notices };
}

describe('encoding', () => {
  it.each([
    ['mp4', { num: 24000, den: 1001 }],
    ['mp4', { num: 12, den: 1 }],
    ['mp4', { num: 30000, den: 1001 }],
    ['webm', { num: 24000, den: 1001 }],
    ['webm', { num: 60, den: 1 }],
  ] as const)('%s at %j: every frame comes back in its place, rate and count exact', async (format, rate) => {
    const painted = Array.from({ length: 40 }, (_, i) => paintFrame(i, 96, 64));
    const clip = await openClipFile(
      await write(`${format}-${rate.num}.${format}`, painted, { format, rate }),
    );
    expect(clip.facts).toMatchObject({ rate, frameCount: 40, size: { width: 96, height: 64 }, notices: [] });
    const frames = await allFrames(clip);
    expect(frames.map(readNumber)).toEqual(painted.map((_, i) => i));
    clip.dispose();
  });

  it.each(['mp4', 'webm'] as const)(
    '%s of 641×359 is stored with even sides, the edge repeated',
    async (format) => {
      const painted = [paintFrame(1, 641, 359), paintFrame(2, 641, 359)];
      const clip = await openClipFile(
        await write(`odd.${format}`, painted, { format, rate: { num: 25, den: 1 } }),
      );
      expect(clip.facts.size).toEqual({ width: 642, height: 360 });
      const [frame] = await allFrames(clip);
      const pixel = (x: number, y: number): number => frame!.data[(y * 642 + x) * 4]!;
      expect(Math.abs(pixel(641, 200) - pixel(640, 200))).toBeLessThan(8);
      expect(Math.abs(pixel(300, 359) - pixel(300, 358))).toBeLessThan(8);
      clip.dispose();
    },
  );

  it.each([
    { primaries: 'smpte170m', transfer: 'smpte170m', matrix: 'smpte170m', fullRange: false },
    { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', fullRange: true },
    { primaries: 'bt2020', transfer: 'bt709', matrix: 'bt2020-ncl', fullRange: false },
  ] as const)('keeps the colour tags %j and the colours', async (colour) => {
    const grey = paintFrame(5, 64, 48);
    for (const format of ['mp4', 'webm'] as const) {
      const name = `tags-${colour.matrix}-${colour.fullRange}.${format}`;
      const path = await write(name, [grey, grey, grey], { format, rate: { num: 24, den: 1 }, colour });
      const input = new Input({ formats: ALL_FORMATS, source: new FilePathSource(path) });
      expect(await (await input.getPrimaryVideoTrack())!.getColorSpace()).toMatchObject(colour);
      input.dispose();
      const clip = await openClipFile(path);
      for (const frame of await allFrames(clip)) expect(psnr(frame, grey)).toBeGreaterThan(30);
      clip.dispose();
    }
  });
});

describe('extended clips', () => {
  it('holds the prefix and the continuation, the user’s frames at 40 dB or better', async () => {
    const source = join(folder, 'source.mp4');
    await writePaintedClip(source, { frames: 30, rate: 24000 / 1001, width: 128, height: 96 });
    const clip = await openClipFile(source);
    const { path } = await extend(clip, 'extended.mp4');
    const before = await allFrames(clip);
    const result = await openClipFile(path);
    expect(result.facts).toMatchObject({ frameCount: 50, rate: { num: 24000, den: 1001 } });
    expect(result.facts.colour).toEqual(clip.facts.colour);
    const after = await allFrames(result);
    expect(after.map(readNumber)).toEqual([
      ...Array.from({ length: 30 }, (_, i) => i),
      ...Array.from({ length: 20 }, (_, i) => 100 + i),
    ]);
    before.forEach((frame, i) => expect(psnr(frame, after[i]!)).toBeGreaterThan(40));
    clip.dispose();
    result.dispose();
  });

  it('puts a backward continuation before the clip, in time order', async () => {
    const source = join(folder, 'source-back.mp4');
    await writePaintedClip(source, { frames: 10 });
    const clip = await openClipFile(source);
    const { path } = await extend(clip, 'backward.webm', { direction: 'backward' });
    const result = await openClipFile(path);
    const numbers = (await allFrames(result)).map(readNumber);
    expect(numbers).toEqual([
      ...Array.from({ length: 20 }, (_, i) => 80 + i),
      ...Array.from({ length: 10 }, (_, i) => i),
    ]);
    clip.dispose();
    result.dispose();
  });

  it('copies the sound of the part that is used, moved with it', async () => {
    const source = join(folder, 'sound.mp4');
    await writePaintedClip(source, { frames: 48, rate: 24, sound: { codec: 'aac', seconds: 2 } });
    const clip = await openClipFile(source);
    const { path, notices } = await extend(clip, 'sound-out.mp4', { start: 12, count: 24 });
    expect(notices).toEqual([]);
    const input = new Input({ formats: ALL_FORMATS, source: new FilePathSource(path) });
    const sound = (await input.getPrimaryAudioTrack())!;
    expect(await sound.getCodec()).toBe('aac');
    expect(await sound.getFirstTimestamp()).toBeLessThan(0.03);
    expect(await sound.computeDuration()).toBeGreaterThan(0.97);
    expect(await sound.computeDuration()).toBeLessThan(1.05);
    input.dispose();
    const result = await openClipFile(path);
    expect(result.facts.frameCount).toBe(44);
    clip.dispose();
    result.dispose();
  });

  it('says so where the sound does not fit the file', async () => {
    const source = join(folder, 'sound-2.mp4');
    await writePaintedClip(source, { frames: 12, sound: { codec: 'aac', seconds: 0.5 } });
    const clip = await openClipFile(source);
    const { notices } = await extend(clip, 'sound-out.webm');
    expect(notices.join()).toContain('sound');
    clip.dispose();
  });

  it('a fault in the middle frees the encoder and is passed on', async () => {
    const source = join(folder, 'source-fault.mp4');
    await writePaintedClip(source, { frames: 6 });
    const clip = await openClipFile(source);
    const file = await beginFile(join(folder, 'never.mp4'));
    const run = runExtension(
      async function* () {
        yield { kind: 'frame', index: 0, frame: paintFrame(0, 64, 48), secondsLeft: 1 };
        throw new Error('lamp fell over');
      },
      {
        prefix: { clip, start: 0, count: 6 },
        size: clip.facts.size,
        rate: clip.facts.rate,
        request: { frameCount: 5, profile: 'draft', seed: 1 },
      },
      [{ content: 'extended', format: 'mp4', target: targetOf(file) }],
    );
    await expect(run).rejects.toThrow('lamp fell over');
    await file.discard();
    clip.dispose();
  });
});
