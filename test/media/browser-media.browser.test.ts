import { BlobSource, BufferTarget } from 'mediabunny';
import { describe, expect, it } from 'vitest';
import type { ExtendEvent, ExtendRequest } from '../../src/engine/tasks/extend-request.ts';
import type { RgbaFrame } from '../../src/engine/types.ts';
import {
  ClipWriter,
  openClip,
  REC709,
  runExtension,
  type Clip,
  type ClipFormat,
  type ColourTags,
} from '../../src/media/index.ts';
import { paintFrame, psnr, readNumber } from './painted-frame.ts';

async function write(
  format: ClipFormat,
  frames: RgbaFrame[],
  rate = { num: 24000, den: 1001 },
  colour: ColourTags = REC709,
): Promise<Blob> {
  const target = new BufferTarget();
  const { width, height } = frames[0]!;
  const writer = new ClipWriter({ format, rate, colour, size: { width, height }, target });
  for (const frame of frames) await writer.addFrame(frame);
  await writer.finish();
  return new Blob([target.buffer!], { type: `video/${format}` });
}

async function allFrames(clip: Clip): Promise<RgbaFrame[]> {
  const frames: RgbaFrame[] = [];
  for await (const frame of clip.frames()) frames.push(frame);
  return frames;
}

const painted = (count: number, width = 96, height = 64): RgbaFrame[] =>
  Array.from({ length: count }, (_, i) => paintFrame(i, width, height));

async function* paintingTask(request: ExtendRequest): AsyncGenerator<ExtendEvent> {
  let prefixFrames = 0;
  for await (const frame of request.prefix) if (frame.width > 0) prefixFrames++;
  for (let index = 0; index < request.frameCount; index++) {
    const frame = paintFrame(100 + index, request.size.width, request.size.height);
    yield { kind: 'frame', index, frame, secondsLeft: 0 };
  }
  const { frameCount: frames } = request;
  yield {
    kind: 'done',
    report: { model: 'painter', backend: 'none', frames, prefixFrames, msPerFrame: 0, seam: null },
  };
}

describe('media in the browser', () => {
  it.each(['mp4', 'webm'] as const)('%s: every frame comes back in its place', async (format) => {
    const blob = await write(format, painted(40));
    const clip = await openClip(new BlobSource(blob), `clip.${format}`);
    expect(clip.facts).toMatchObject({
      frameCount: 40,
      rate: { num: 24000, den: 1001 },
      size: { width: 96, height: 64 },
      codec: format === 'mp4' ? 'avc' : 'vp9',
    });
    expect((await allFrames(clip)).map(readNumber)).toEqual(painted(40).map((_, i) => i));
    clip.dispose();
  });

  it('keeps colours and tags: what is read is what was written', async () => {
    const tags: ColourTags[] = [
      REC709,
      { primaries: 'smpte170m', transfer: 'smpte170m', matrix: 'smpte170m', fullRange: false },
      { ...REC709, fullRange: true },
    ];
    for (const colour of tags) {
      for (const format of ['mp4', 'webm'] as const) {
        const source = painted(6, 128, 96);
        const clip = await openClip(new BlobSource(await write(format, source, undefined, colour)), 'clip');
        expect(clip.facts.colour).toEqual(colour);
        (await allFrames(clip)).forEach((frame, i) => expect(psnr(frame, source[i]!)).toBeGreaterThan(28));
        clip.dispose();
      }
    }
  });

  it('extends a clip: the user’s frames at 40 dB or better, then the new ones', async () => {
    const clip = await openClip(new BlobSource(await write('mp4', painted(20, 160, 120))), 'clip.mp4');
    const target = new BufferTarget();
    const plan = {
      prefix: { clip, start: 0, count: 20 },
      size: clip.facts.size,
      rate: clip.facts.rate,
      request: { frameCount: 12, profile: 'draft' as const, seed: 0 },
    };
    const { tiles } = await runExtension(paintingTask, plan, [
      { content: 'extended', format: 'mp4', target },
    ]);
    expect(tiles.map(({ kind }) => kind)).toEqual([...Array(4).fill('prefix'), ...Array(12).fill('new')]);
    const result = await openClip(new BlobSource(new Blob([target.buffer!])), 'extended.mp4');
    const [before, after] = [await allFrames(clip), await allFrames(result)];
    expect(after.map(readNumber)).toEqual(
      [...painted(20).keys(), ...painted(12).keys()].map((n, i) => (i < 20 ? n : 100 + n)),
    );
    before.forEach((frame, i) => expect(psnr(frame, after[i]!)).toBeGreaterThan(40));
    clip.dispose();
    result.dispose();
  });

  it('pads odd sizes', async () => {
    const clip = await openClip(new BlobSource(await write('mp4', painted(3, 161, 121))), 'odd.mp4');
    expect(clip.facts.size).toEqual({ width: 162, height: 122 });
    clip.dispose();
  });

  it('refuses a codec that this browser can not decode', async () => {
    const blob = await (await fetch(new URL('../fixtures/media/hevc.mp4', import.meta.url))).blob();
    await expect(openClip(new BlobSource(blob), 'phone.mp4')).rejects.toMatchObject({
      code: 'input',
      message: expect.stringMatching(
        /“phone\.mp4” is HEVC \(H\.265\) video, which can not be decoded here/,
      ) as string,
    });
  });

  it('refuses what is no video and what is cut off', async () => {
    await expect(openClip(new BlobSource(new Blob(['Dear diary'])), 'a.mp4')).rejects.toThrow(
      /no video file/,
    );
    const whole = await write('mp4', painted(30));
    const half = whole.slice(0, Math.floor(whole.size / 2));
    await expect(openClip(new BlobSource(half), 'b.mp4')).rejects.toMatchObject({ code: 'input' });
  });
});
