import { beforeAll, describe, expect, it } from 'vitest';
import { extendClip, nodeFolder, openPackage } from '../../src/engine/node.ts';
import type {
  CameraPose,
  ExtendEvent,
  ExtendRequest,
  LoadedModel,
  PrimedPrefix,
  RgbaFrame,
  WorldPackage,
} from '../../src/engine/node.ts';
import { clockworkModel } from './clockwork-model.ts';
import { drain } from './drain.ts';
import { testFrames } from './test-frames.ts';
import { TINY } from './tiny.ts';

let pkg: WorldPackage;
let perChunk: number;

beforeAll(async () => {
  pkg = await openPackage(nodeFolder(TINY));
  perChunk = pkg.model.world.framesPerChunk;
});

function request(changes: Partial<ExtendRequest> = {}): ExtendRequest {
  const size = changes.size ?? { ...pkg.model.frame };
  return {
    prefix: testFrames(7, size.width, size.height),
    size,
    rate: pkg.model.rate,
    frameCount: 4,
    profile: 'preview',
    seed: 1,
    ...changes,
  };
}

async function run(
  model: LoadedModel,
  wanted: ExtendRequest,
): Promise<{ frames: RgbaFrame[]; events: ExtendEvent[] }> {
  const events: ExtendEvent[] = [];
  for await (const event of extendClip(model, wanted)) events.push(event);
  const frames = events.flatMap((event) => (event.kind === 'frame' ? [event.frame] : []));
  return { frames, events };
}

/** An even grey frame as the clockwork model makes it: brightness of its first pixel. */
function grey(frame: RgbaFrame): number {
  return frame.data[0]!;
}

function even(value: number, width: number, height: number): RgbaFrame {
  const data = new Uint8ClampedArray(width * height * 4).fill(value);
  for (let i = 3; i < data.length; i += 4) data[i] = 255;
  return { width, height, data };
}

describe('extendClip', () => {
  it('delivers exactly the frames asked for, whatever the lengths', async () => {
    for (const prefixLength of [0, 1, 2, 4, 5, 6, 9, 10, 23]) {
      for (const frameCount of [1, 2, 5, 6, 11]) {
        const { model, calls, open } = clockworkModel(pkg);
        const prefix = testFrames(prefixLength, 16, 16);
        const { frames, events } = await run(model, request({ prefix, frameCount }));
        expect(frames.map(grey)).toEqual(
          Array.from({ length: frameCount }, (_, i) => 2 * (prefixLength + i)),
        );
        const indices = events.flatMap((event) => (event.kind === 'frame' ? [event.index] : []));
        expect(indices).toEqual(Array.from({ length: frameCount }, (_, i) => i));
        expect(events.filter((event) => event.kind === 'reading')).toHaveLength(prefixLength);
        expect(events.at(-1)).toMatchObject({
          kind: 'done',
          report: { frames: frameCount, prefixFrames: prefixLength },
        });
        // Time runs on through all chunks, and no pass is wasted on a state that nobody needs.
        const full = Math.floor(prefixLength / perChunk);
        const made = Math.ceil(((prefixLength % perChunk) + frameCount) / perChunk);
        expect(calls.filter((call) => call.kind === 'denoise')).toHaveLength(made);
        expect(calls.filter((call) => call.kind === 'commit')).toHaveLength(full + made - 1);
        expect(open()).toBe(0);
      }
    }
  });

  it('starts a prefix that is no whole number of chunks with a mixed chunk', async () => {
    const { model, calls } = clockworkModel(pkg);
    await run(model, request({ prefix: testFrames(7, 16, 16), frameCount: 1 }));
    const mixed = calls.find((call) => call.kind === 'denoise')!.chunk;
    const tokens = mixed.mask.length / perChunk;
    expect([...mixed.times]).toEqual([5, 6, 7, 8, 9]);
    expect(Array.from({ length: perChunk }, (_, i) => mixed.mask[i * tokens])).toEqual([0, 0, 1, 1, 1]);
  });

  it('goes backward: the clip reversed, frames in reversed time order', async () => {
    const { model, calls } = clockworkModel(pkg);
    const prefix = Array.from({ length: 5 }, (_, i) => even(10 * i, 16, 16));
    const { frames } = await run(model, request({ prefix, direction: 'backward', frameCount: 3 }));
    const committed = calls[0]!.chunk;
    const frameLength = committed.latents.length / perChunk;
    const seen = Array.from({ length: 5 }, (_, i) =>
      Math.round((committed.latents[i * frameLength]! + 1) * 127.5),
    );
    expect(seen).toEqual([40, 30, 20, 10, 0]);
    expect(frames.map(grey)).toEqual([10, 12, 14]);
  });

  it('judges the seam by the frames at the cut, in both directions', async () => {
    const { model } = clockworkModel(pkg);
    const prefix = [0, 50, 52, 54].map((value) => even(value, 16, 16));
    const figures = async (direction: 'forward' | 'backward'): Promise<ExtendEvent> =>
      (await run(model, request({ prefix, direction, frameCount: 1 }))).events.at(-1)!;
    // New frame: 2 · time index 4 = 8.
    const colour = (value: number): number => Math.sqrt(3) * value;
    expect(await figures('forward')).toMatchObject({
      report: { seam: { colourStepAcrossCut: expect.closeTo(colour(54 - 8), 6) } },
    });
    expect(await figures('backward')).toMatchObject({
      report: {
        seam: {
          colourStepAcrossCut: expect.closeTo(colour(8), 6),
          colourStepWithinPrefix: expect.closeTo(colour((50 + 2 + 2) / 3), 6),
        },
      },
    });
    const cold = await run(model, request({ prefix: [], frameCount: 1 }));
    expect(cold.events.at(-1)).toMatchObject({ report: { seam: null } });
  });

  it('takes every third frame of a clip three times as fast, ending at the cut, and fills in between', async () => {
    const { model, calls } = clockworkModel(pkg);
    const { num, den } = pkg.model.rate;
    const prefix = Array.from({ length: 16 }, (_, i) => even(10 * i, 16, 16));
    const { frames } = await run(model, request({ prefix, rate: { num: num * 3, den }, frameCount: 7 }));
    const first = calls[0]!.chunk;
    const seen = (chunk: typeof first, i: number): number =>
      Math.round((chunk.latents[(i * chunk.latents.length) / perChunk]! + 1) * 127.5);
    expect([0, 1, 2, 3, 4].map((i) => seen(first, i))).toEqual([0, 30, 60, 90, 120]);
    expect(seen(calls[1]!.chunk, 0)).toBe(150);
    // From 150 at the cut to 2 · 6 = 12, then 14, 16: thirds of the way.
    expect(frames.map(grey)).toEqual([104, 58, 12, 13, 13, 14, 15]);
  });

  it('handles a clip slower than the model', async () => {
    const { model, calls } = clockworkModel(pkg);
    const { num, den } = pkg.model.rate;
    const prefix = Array.from({ length: 4 }, (_, i) => even(10 * i, 16, 16));
    const { frames } = await run(model, request({ prefix, rate: { num, den: den * 2 }, frameCount: 3 }));
    const first = calls[0]!.chunk;
    const seen = Array.from({ length: 5 }, (_, i) =>
      Math.round((first.latents[(i * first.latents.length) / perChunk]! + 1) * 127.5),
    );
    expect(seen).toEqual([0, 5, 10, 15, 20]);
    expect(frames.map(grey)).toEqual([2 * 8, 2 * 10, 2 * 12]);
  });

  it('keeps time for every pair of rates, prefix and length', async () => {
    const rates = [
      [24000, 1001],
      [25, 1],
      [60, 1],
      [7, 2],
      [1, 1],
    ] as const;
    const ownRates = [...rates, [12, 1], [4, 1]] as const;
    for (const [num, den] of rates) {
      for (const [modelNum, modelDen] of ownRates) {
        for (const prefixLength of [0, 1, 3, 14]) {
          for (const frameCount of [1, 4, 9]) {
            const rate = { num: modelNum, den: modelDen };
            const { model, calls } = clockworkModel({ ...pkg, model: { ...pkg.model, rate } });
            const prefix = Array.from({ length: prefixLength }, () => even(0, 16, 16));
            const wanted = request({ prefix, rate: { num, den }, frameCount });
            const { frames } = await run(model, wanted);
            const title = `${num}/${den} ${modelNum}/${modelDen} ${prefixLength} ${frameCount}`;
            expect(frames, title).toHaveLength(frameCount);
            // The sequence's times run on without a hole; a chunk that was made is committed right after.
            const once = calls.filter(
              (call, i) => call.kind === 'denoise' || calls[i - 1]?.kind !== 'denoise',
            );
            const times = once.flatMap((call) => [...call.chunk.times]);
            expect(times, title).toEqual(times.map((_, i) => i));
            const perClipFrame = (modelNum * den) / (modelDen * num);
            const atCut = prefixLength === 0 ? 0 : Math.floor((prefixLength - 1) * perClipFrame * 1.0101);
            frames.forEach((frame, i) => {
              const place = (prefixLength === 0 ? i : i + 1) * perClipFrame;
              // Before the first model frame the picture fades from the cut, which is black.
              const first = 2 * (atCut + 1) * place;
              const exact = prefixLength > 0 && place < 1 ? first : 2 * (atCut + place);
              const slack = 2 + 0.0101 * exact + (prefixLength === 0 ? 0 : 2);
              expect(Math.abs(grey(frame) - Math.min(255, exact)), `${title} frame ${i}`).toBeLessThanOrEqual(
                slack,
              );
            });
          }
        }
      }
    }
  });

  it('returns frames at the size of the clip', async () => {
    const { model } = clockworkModel(pkg);
    for (const size of [
      { width: 1, height: 1 },
      { width: 64, height: 36 },
      { width: 27, height: 48 },
    ]) {
      const { frames } = await run(model, request({ size, frameCount: 2 }));
      for (const { width, height, data } of frames) {
        expect({ width, height }).toEqual(size);
        expect(data.length).toBe(width * height * 4);
      }
    }
  });

  it('gives the camera to the model: relative to the first known pose, at the model’s rate, in the order of generation', async () => {
    const poses: CameraPose[] = Array.from({ length: 8 }, (_, i) => ({
      position: [i + 1, 0, 0],
      orientation: [1, 0, 0, 0],
    }));
    const x = (chunk: { rays: Float32Array; cameraKnown: Uint8Array }): (number | null)[] =>
      Array.from(chunk.cameraKnown, (known, i) =>
        known ? chunk.rays[(i * chunk.rays.length) / perChunk]! : null,
      );
    const walk = async (changes: Partial<ExtendRequest>): Promise<(number | null)[]> => {
      const { model, calls } = clockworkModel(pkg);
      await run(model, request({ prefix: testFrames(5, 16, 16), frameCount: 3, ...changes }));
      return calls.flatMap((call) => x(call.chunk));
    };
    expect(await walk({ camera: { poses } })).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 7, 7]);
    expect(await walk({ camera: { poses }, direction: 'backward' })).toEqual(
      [0, -1, -2, -3, -4, -5, -6, -7, -7, -7].map((v) => v + 0),
    );
    const unknownFirst = poses.map((pose, i) => (i < 5 ? null : pose));
    expect(await walk({ camera: { poses: unknownFirst } })).toEqual([
      null,
      null,
      null,
      null,
      null,
      0,
      1,
      2,
      2,
      2,
    ]);
    expect(await walk({})).toEqual(Array.from({ length: 10 }, () => null));
  });

  it('makes variations from the primed state without reading the prefix again', async () => {
    const { model, calls } = clockworkModel(pkg);
    const { events } = await run(model, request({ keepPrimed: true }));
    const primed = events.find((event) => event.kind === 'primed')!.primed;
    expect(primed).toMatchObject({ prefixFrames: 7, direction: 'forward' });
    const before = calls.length;
    const prefix: Iterable<RgbaFrame> = {
      [Symbol.iterator]: () => expect.unreachable('the prefix was read'),
    };
    const { frames } = await run(model, request({ prefix, primed, frameCount: 6 }));
    expect(frames.map(grey)).toEqual([14, 16, 18, 20, 22, 24]);
    expect(calls.slice(before).map((call) => call.kind)).toEqual(['denoise', 'commit', 'denoise']);
    const wrong: Partial<ExtendRequest>[] = [
      { size: { width: 8, height: 8 } },
      { direction: 'backward' },
      { primed: { prefixFrames: 7, direction: 'forward' } as PrimedPrefix },
    ];
    for (const changes of wrong) {
      await expect(run(model, request({ prefix, primed, ...changes }))).rejects.toMatchObject({
        code: 'usage',
      });
    }
    const files = pkg.model.files.map((file) => ({ ...file, sha256: '0'.repeat(64) }));
    const other = clockworkModel({ ...pkg, model: { ...pkg.model, files } });
    await expect(run(other.model, request({ prefix, primed }))).rejects.toMatchObject({ code: 'usage' });
  });

  it('turns the camera of a variation in the frame of the prefix it was primed with', async () => {
    const { model, calls } = clockworkModel(pkg);
    const at = (x: number): CameraPose => ({ position: [x, 0, 0], orientation: [1, 0, 0, 0] });
    const prefix = testFrames(5, 16, 16);
    const before = [10, 11, 12, 13, 14].map(at);
    const straight = { poses: [...before, at(15)] };
    const { events } = await run(
      model,
      request({ prefix, frameCount: 1, camera: straight, keepPrimed: true }),
    );
    const primed = events.find((event) => event.kind === 'primed')!.primed;
    const back = { poses: [null, null, null, null, null, at(13), at(12)] };
    await run(model, request({ prefix: [], primed, frameCount: 2, camera: back }));
    const { rays, cameraKnown } = calls.at(-1)!.chunk;
    expect([...cameraKnown]).toEqual([1, 1, 1, 1, 1]);
    expect([0, 1].map((i) => rays[(i * rays.length) / perChunk])).toEqual([3, 2]);
  });

  it('refuses what makes no sense with a sentence', async () => {
    const { model, open } = clockworkModel(pkg);
    const wrong: Partial<ExtendRequest>[] = [
      { frameCount: 0 },
      { frameCount: 1.5 },
      { frameCount: NaN },
      { frameCount: 1e9 },
      { seed: -1 },
      { steps: 0 },
      { steps: 1000 },
      { rate: { num: 0, den: 1 } },
      { size: { width: 0, height: 16 }, prefix: [] },
      { camera: { poses: [], verticalFov: 180 } },
      { camera: { poses: [{ position: [0, NaN, 0], orientation: [1, 0, 0, 0] }] } },
      { camera: { poses: [{ position: [0, 0, 0], orientation: [0, 0, 0, 0] }] } },
    ];
    for (const changes of wrong) {
      await expect(run(model, request(changes)), JSON.stringify(changes)).rejects.toMatchObject({
        code: 'usage',
      });
    }
    const mixedSizes = [...testFrames(1, 16, 16), ...testFrames(1, 16, 8)];
    await expect(run(model, request({ prefix: mixedSizes }))).rejects.toMatchObject({ code: 'input' });
    expect(open()).toBe(0);
  });

  it('refuses a task the model was not trained for', async () => {
    const only = { ...pkg, model: { ...pkg.model, tasks: ['extend' as const] } };
    const { model } = clockworkModel(only);
    await expect(run(model, request({ prefix: [] }))).rejects.toMatchObject({ code: 'usage' });
    await expect(run(model, request({ direction: 'backward' }))).rejects.toMatchObject({ code: 'usage' });
    expect((await run(model, request())).frames).toHaveLength(4);
  });

  it('passes on an error of the prefix and lets go of the session and the decoder', async () => {
    const { model, open } = clockworkModel(pkg);
    const broken = new Error('the file ends here');
    let closed = false;
    async function* decoder(): AsyncGenerator<RgbaFrame> {
      try {
        yield* testFrames(2, 16, 16);
        throw broken;
      } finally {
        closed = true;
      }
    }
    await expect(run(model, request({ prefix: decoder() }))).rejects.toBe(broken);
    expect([closed, open()]).toEqual([true, 0]);
  });
});

describe('cancelling', () => {
  it('at any event ends with `cancelled` and lets go of everything', async () => {
    const { model, open } = clockworkModel(pkg);
    const whole = (await run(model, request({ keepPrimed: true }))).events.length;
    for (let at = 0; at < whole - 1; at++) {
      const abort = new AbortController();
      let closed = 0;
      async function* decoder(): AsyncGenerator<RgbaFrame> {
        try {
          yield* testFrames(7, 16, 16);
        } finally {
          closed++;
        }
      }
      const wanted = request({ prefix: decoder(), signal: abort.signal, keepPrimed: true });
      let seen = 0;
      const running = drain(extendClip(model, wanted), () => {
        if (seen++ === at) abort.abort();
      });
      // The last frame may already be out when the signal comes.
      if (at < whole - 2) await expect(running, `event ${at}`).rejects.toMatchObject({ code: 'cancelled' });
      else await running.catch((error: unknown) => expect(error).toMatchObject({ code: 'cancelled' }));
      expect([closed, open()]).toEqual([1, 0]);
    }
  });

  it('before the start does not even open a session', async () => {
    const { model, calls } = clockworkModel(pkg);
    const signal = AbortSignal.abort();
    await expect(run(model, request({ signal }))).rejects.toMatchObject({ code: 'cancelled' });
    expect(calls).toEqual([]);
  });

  it('by leaving the loop closes the decoder and the session', async () => {
    const { model, open } = clockworkModel(pkg);
    let closed = false;
    async function* decoder(): AsyncGenerator<RgbaFrame> {
      try {
        yield* testFrames(7, 16, 16);
      } finally {
        closed = true;
      }
    }
    for await (const event of extendClip(model, request({ prefix: decoder() })))
      if (event.kind === 'reading') break;
    expect([closed, open()]).toEqual([true, 0]);
  });
});
