import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { extendClip } from '../../src/engine/node.ts';
import type { ExtendEvent, ExtendRequest, LoadedModel, RgbaFrame } from '../../src/engine/node.ts';
import { drain } from './drain.ts';
import { testFrames } from './test-frames.ts';
import { tinyModel } from './tiny.ts';

let model: LoadedModel;

beforeAll(async () => {
  model = await tinyModel();
});

afterAll(() => model.dispose());

const size = { width: 32, height: 18 };

function request(changes: Partial<ExtendRequest> = {}): ExtendRequest {
  const rate = model.package.model.rate;
  return { prefix: testFrames(13, 32, 18), size, rate, frameCount: 8, profile: 'draft', seed: 5, ...changes };
}

async function run(wanted: ExtendRequest): Promise<{ frames: RgbaFrame[]; events: ExtendEvent[] }> {
  const events: ExtendEvent[] = [];
  for await (const event of extendClip(model, wanted)) events.push(event);
  return { events, frames: events.flatMap((event) => (event.kind === 'frame' ? [event.frame] : [])) };
}

describe('extendClip on onnxruntime', () => {
  it('repeats itself for the same seed and differs for another', async () => {
    const first = await run(request());
    expect(first.frames).toHaveLength(8);
    expect((await run(request())).frames).toEqual(first.frames);
    expect((await run(request({ seed: 6 }))).frames).not.toEqual(first.frames);
  });

  it('makes the same frames from the primed state as from the prefix', async () => {
    const first = await run(request({ keepPrimed: true }));
    const primed = first.events.find((event) => event.kind === 'primed')!.primed;
    expect((await run(request({ prefix: [], primed }))).frames).toEqual(first.frames);
    const other = await run(request({ prefix: [], primed, seed: 9 }));
    expect(other.frames).toEqual((await run(request({ seed: 9 }))).frames);
  });

  it.each(['forward', 'backward'] as const)(
    'goes on after what an earlier run made, as if nothing had come between (%s)',
    async (direction) => {
      const wanted = request({ direction, frameCount: 14 });
      const whole = await run({ ...wanted, keepChunks: true });
      const chunks = whole.events.flatMap((event) => (event.kind === 'chunk' ? [event.latents] : []));
      expect(chunks.length).toBeGreaterThan(2);
      expect((await run(wanted)).events.some(({ kind }) => kind === 'chunk')).toBe(false);
      for (const count of [1, 2, chunks.length]) {
        const rest = await run({ ...wanted, keepChunks: true, madeChunks: chunks.slice(0, count) });
        expect(rest.frames).toEqual(whole.frames);
        const made = rest.events.flatMap((event) => (event.kind === 'chunk' ? [event.latents] : []));
        expect(made).toEqual(chunks.slice(count));
      }
      const foreign = run({ ...wanted, madeChunks: [chunks[0]!.slice(1)] });
      await expect(foreign).rejects.toMatchObject({ code: 'usage' });
    },
  );

  it('runs two rollouts at once without mixing them up', async () => {
    const alone = [await run(request()), await run(request({ seed: 6 }))];
    const together = await Promise.all([run(request()), run(request({ seed: 6 }))]);
    together.forEach((rollout, index) => expect(rollout.frames).toEqual(alone[index]!.frames));
  });

  it('remembers the prefix: another one gives other frames', async () => {
    const other = testFrames(13, 32, 18).reverse();
    expect((await run(request({ prefix: other }))).frames).not.toEqual((await run(request())).frames);
  });

  it('cancels in the middle of the passes', async () => {
    const abort = new AbortController();
    const running = run(request({ frameCount: 500, signal: abort.signal }));
    setTimeout(() => abort.abort(), 100);
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    // The backend is unharmed.
    expect((await run(request())).frames).toHaveLength(8);
  });

  it('says so when the model was disposed', async () => {
    const gone = await tinyModel();
    gone.dispose();
    await expect(drain(extendClip(gone, request()))).rejects.toMatchObject({ code: 'backend' });
  });
});
