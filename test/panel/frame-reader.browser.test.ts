import { BlobSource, BufferTarget } from 'mediabunny';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RgbaFrame } from '../../src/engine/types.ts';
import { ClipWriter, openClip, REC709 } from '../../src/media/index.ts';
import { FrameReader } from '../../src/panel/reading/frame-reader.ts';
import { paintFrame, readNumber } from '../media/painted-frame.ts';

const COUNT = 60;
const label = 'walk.mp4';
const never = new AbortController().signal;

let blob: Blob;
let reader: FrameReader;
/** What the reader has started, to let it die. */
const workers: Worker[] = [];

beforeAll(async () => {
  const target = new BufferTarget();
  const rate = { num: 24, den: 1 };
  const writer = new ClipWriter({
    format: 'mp4',
    rate,
    colour: REC709,
    size: { width: 96, height: 64 },
    target,
  });
  for (let index = 0; index < COUNT; index++) await writer.addFrame(paintFrame(index, 96, 64));
  await writer.finish();
  blob = new Blob([target.buffer!], { type: 'video/mp4' });
});

const { Worker: RealWorker } = globalThis;
beforeEach(() => {
  workers.length = 0;
  globalThis.Worker = class extends RealWorker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      workers.push(this);
    }
  };
  reader = new FrameReader();
});
afterEach(() => {
  reader.dispose();
  globalThis.Worker = RealWorker;
});

async function all(frames: AsyncIterable<RgbaFrame>): Promise<RgbaFrame[]> {
  const list: RgbaFrame[] = [];
  for await (const frame of frames) list.push(frame);
  return list;
}

const stretch = (startFrame: number, frameCount: number) => ({
  blob,
  label,
  range: { startFrame, frameCount },
});

describe('FrameReader', () => {
  it('reads a stretch bit for bit as on the page', async () => {
    const clip = await openClip(new BlobSource(blob), label);
    const expected = await all(clip.frames(7, 20));
    clip.dispose();
    const frames = await all(reader.frames(stretch(7, 20), never));
    expect(frames.map(readNumber)).toEqual(Array.from({ length: 20 }, (_, i) => 7 + i));
    expect(frames).toEqual(expected);
  });

  it('gives frames away: each may be moved on, and the others stay whole', async () => {
    const numbers: number[] = [];
    for await (const frame of reader.frames(stretch(0, 12), never)) {
      numbers.push(readNumber(frame));
      structuredClone(frame, { transfer: [frame.data.buffer] });
      expect(frame.data.length).toBe(0);
    }
    expect(numbers).toEqual(Array.from({ length: 12 }, (_, i) => i));
  });

  it('reads several stretches at a time, in one worker', async () => {
    const [one, other] = await Promise.all([
      all(reader.frames(stretch(0, 30), never)),
      all(reader.frames(stretch(30, 30), never)),
    ]);
    expect([...one, ...other].map(readNumber)).toEqual(Array.from({ length: COUNT }, (_, i) => i));
    expect(workers).toHaveLength(1);
  });

  it('reads on after a stretch that was left in the middle', async () => {
    for await (const frame of reader.frames(stretch(0, COUNT), never)) if (readNumber(frame) === 3) break;
    expect((await all(reader.frames(stretch(50, 5), never))).map(readNumber)).toEqual([50, 51, 52, 53, 54]);
  });

  it('stops at once when it is cancelled', async () => {
    const abort = new AbortController();
    const frames = reader.frames(stretch(0, COUNT), abort.signal);
    await frames.next();
    const waiting = frames.next().then(() => frames.next());
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await expect(reader.frames(stretch(0, 1), abort.signal).next()).rejects.toMatchObject({
      code: 'cancelled',
    });
  });

  it('tells of a damaged file as the page would', async () => {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const cut = new Blob([bytes.subarray(0, bytes.length >> 1)]);
    const told = await openClip(new BlobSource(cut), label).then(
      (clip) => all(clip.frames(0, COUNT)),
      (error: unknown) => error,
    );
    expect(told).toMatchObject({ code: 'input' });
    const { message } = told as Error;
    await expect(
      all(reader.frames({ blob: cut, label, range: { startFrame: 0, frameCount: COUNT } }, never)),
    ).rejects.toMatchObject({ code: 'input', message });
  });

  it.each(['by itself', 'with an error'])(
    'a worker that ends %s: it says so, and the next reading works',
    async (how) => {
      const frames = reader.frames(stretch(0, COUNT), never);
      await frames.next();
      const waiting = all(frames);
      if (how === 'by itself') workers[0]!.terminate();
      else workers[0]!.dispatchEvent(new ErrorEvent('error', { message: 'out of memory' }));
      await expect(waiting).rejects.toMatchObject({
        code: 'input',
        message: 'Reading the clip stopped unexpectedly; what was made is kept, try again.',
      });
      expect(await all(reader.frames(stretch(10, 4), never))).toHaveLength(4);
      expect(workers).toHaveLength(2);
    },
  );
});
