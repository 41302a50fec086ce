import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  extendClip,
  fillGap,
  httpFolder,
  loadWorldModel,
  makeLoop,
  openPackage,
  repaintRegion,
} from '../../src/engine/browser.ts';
import { loadedModel } from '../../src/engine/loaded-model.ts';
import { browserRuntime } from '../../src/engine/world/ort/browser-runtime.ts';
import { ortBackend } from '../../src/engine/world/ort/ort-backend.ts';
import type { WorldModel } from '../../src/engine/world/world-model.ts';
import { EngineClient } from '../../src/engine/worker/client.ts';
import { EVENTS_AHEAD } from '../../src/engine/worker/protocol.ts';
import type { FromWorker } from '../../src/engine/worker/protocol.ts';
import type { ExtendEvent, ExtendRequest, RepaintEvent, RgbaFrame } from '../../src/engine/index.ts';
import { CHUNKS, PREFIX_CHUNKS, RECORDED_SEED, Recording } from '../../src/engine/parity/recording.ts';
import { largestDifference } from '../../src/engine/parity/difference.ts';
import { drain } from './drain.ts';
import { testFrames } from './test-frames.ts';

const FIXTURE = new URL('/test/fixtures/tiny/', location.origin);
const TINY = new URL('package/', FIXTURE);

async function cacheFolder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  const area = await root.getDirectoryHandle('world-models', { create: true });
  for await (const [, folder] of area.entries()) return folder as FileSystemDirectoryHandle;
  throw new Error('nothing was cached');
}

async function emptyCache(): Promise<void> {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry('world-models', { recursive: true }).catch(() => undefined);
}

beforeEach(emptyCache);

const exact = ortBackend(browserRuntime, { exact: true });

describe('onnxruntime in WebAssembly', () => {
  /** Largest difference from the latents that PyTorch finished. */
  async function difference(world: WorldModel): Promise<number> {
    const file = await fetch(new URL('recorded.safetensors', FIXTURE));
    const recording = new Recording(new Uint8Array(await file.arrayBuffer()));
    const session = await world.createSession();
    await session.commit(Array.from({ length: PREFIX_CHUNKS }, (_, i) => recording.chunk(i)));
    let largest = 0;
    for (let i = PREFIX_CHUNKS; i < CHUNKS; i++) {
      const chunk = recording.chunk(i);
      const finished = await session.denoise(chunk, recording.levels(), { seed: RECORDED_SEED, chunk: i });
      largest = Math.max(largest, largestDifference(finished, recording.floats(`chunk.${i}.finished`)));
      await session.commit([{ ...chunk, latents: finished }]);
    }
    session.dispose();
    world.dispose();
    return largest;
  }

  it('agrees with PyTorch on a rollout of 25 frames', async () => {
    expect(await difference(await exact.load(await openPackage(httpFolder(TINY)), {}))).toBeLessThanOrEqual(
      1e-4,
    );
  });

  it('comes near with 8-bit products', async () => {
    const { world } = await loadWorldModel(await openPackage(httpFolder(TINY)), { backend: 'ort' });
    const largest = await difference(world);
    expect(largest).toBeGreaterThan(1e-4);
    expect(largest).toBeLessThan(0.1);
  });
});

describe('the package cache', () => {
  it('keeps files, mends a damaged one and goes on without a file system', async () => {
    const asked: string[] = [];
    const realFetch = globalThis.fetch;
    globalThis.fetch = (input, init) => {
      asked.push(
        String(input instanceof Request ? input.url : input)
          .split('/')
          .at(-1)!,
      );
      return realFetch(input, init);
    };
    try {
      const { model } = await openPackage(httpFolder(TINY));
      expect(asked).toHaveLength(model.files.length + 1);
      asked.length = 0;
      await openPackage(httpFolder(TINY));
      expect(asked).toEqual(['model.json']);

      const kept = await (await cacheFolder()).getFileHandle('weights.safetensors');
      const writer = await kept.createWritable();
      await writer.write(new Uint8Array(99));
      await writer.close();
      asked.length = 0;
      await openPackage(httpFolder(TINY));
      expect(asked).toEqual(['model.json', 'weights.safetensors']);
      asked.length = 0;
      await openPackage(httpFolder(TINY));
      expect(asked).toEqual(['model.json']);

      const getDirectory = navigator.storage.getDirectory;
      navigator.storage.getDirectory = () =>
        Promise.reject(new DOMException('no room', 'QuotaExceededError'));
      try {
        expect((await openPackage(httpFolder(TINY))).model).toEqual(model);
      } finally {
        navigator.storage.getDirectory = getDirectory;
      }
    } finally {
      globalThis.fetch = realFetch;
    }
  });

  it('opens the model that was kept when the address no longer answers', async () => {
    const { model } = await openPackage(httpFolder(TINY));
    const realFetch = globalThis.fetch;
    globalThis.fetch = () => Promise.reject(new TypeError('offline'));
    try {
      expect((await openPackage(httpFolder(TINY))).model).toEqual(model);
      await emptyCache();
      await expect(openPackage(httpFolder(TINY))).rejects.toMatchObject({ code: 'package' });
    } finally {
      globalThis.fetch = realFetch;
    }
  });
});

describe('EngineClient', () => {
  let client: EngineClient;

  beforeEach(() => {
    client = EngineClient.start();
  });

  afterEach(() => client.dispose());

  const size = { width: 32, height: 18 };

  function request(changes: Partial<ExtendRequest> = {}): ExtendRequest {
    const rate = { num: 10, den: 1 };
    return {
      prefix: testFrames(12, 32, 18),
      size,
      rate,
      frameCount: 6,
      profile: 'draft',
      seed: 5,
      ...changes,
    };
  }

  async function load(): Promise<Awaited<ReturnType<EngineClient['loadWorldModel']>>> {
    return client.loadWorldModel(await client.openPackage(TINY), { backend: 'ort' });
  }

  async function run(
    model: Awaited<ReturnType<typeof load>>,
    wanted: ExtendRequest,
  ): Promise<{ events: ExtendEvent[]; frames: RgbaFrame[] }> {
    const events: ExtendEvent[] = [];
    for await (const event of client.extendClip(model, wanted)) events.push(event);
    return { events, frames: events.flatMap((event) => (event.kind === 'frame' ? [event.frame] : [])) };
  }

  it('opens, loads, extends and makes variations, as the engine does in one thread', async () => {
    const steps: number[] = [];
    const pkg = await client.openPackage(TINY, { onProgress: ({ bytesDone }) => steps.push(bytesDone) });
    expect(steps.at(-1)).toBe(pkg.model.files.reduce((sum, file) => sum + file.bytes, 0));
    const model = await client.loadWorldModel(pkg, { backend: 'ort' });
    expect(model.backend).toBe('ort');
    const prefix = testFrames(12, 32, 18);
    const { events, frames } = await run(model, request({ prefix, keepPrimed: true }));
    expect(frames).toHaveLength(6);
    expect(frames[0]).toMatchObject(size);
    expect(frames[0]!.data).toHaveLength(32 * 18 * 4);
    // The caller keeps its frames.
    expect(prefix.every((frame) => frame.data.length === 32 * 18 * 4)).toBe(true);
    expect(events.at(-1)).toMatchObject({ kind: 'done', report: { backend: 'ort', prefixFrames: 12 } });
    const primed = events.find((event) => event.kind === 'primed')!.primed;
    expect((await run(model, request({ prefix: [], primed }))).frames).toEqual(frames);
    client.release(primed);
    await expect(run(model, request({ prefix: [], primed }))).rejects.toMatchObject({ code: 'internal' });
    client.release(model);
    await expect(run(model, request())).rejects.toMatchObject({ code: 'internal' });
  });

  it('takes the memory of frames where it may, and makes the same of them', async () => {
    const prefix = testFrames(12, 32, 18);
    const expected = (await run(await load(), request({ prefix }))).frames;
    client.dispose();
    client = EngineClient.start({ moveFrames: true });
    const model = await load();
    expect((await run(model, request({ prefix }))).frames).toEqual(expected);
    expect(prefix.every((frame) => frame.data.length === 0)).toBe(true);
    // One mask for many frames is no frame: it is read again and again.
    const mask = { width: 32, height: 18, data: new Uint8Array(32 * 18).fill(255) };
    const { size, rate, profile, seed } = request();
    const repainted = client.repaintRegion(model, {
      ...{ size, rate, profile, seed, frameCount: 5, prefix: testFrames(6, 32, 18) },
      frames: testFrames(5, 32, 18),
      mask: { kind: 'pictures', pictures: Array.from({ length: 5 }, () => mask) },
    });
    let count = 0;
    for await (const event of repainted) if (event.kind === 'frame') count++;
    expect(count).toBe(5);
    expect(mask.data).toHaveLength(32 * 18);
  });

  it('makes the same frames on WebGPU', async () => {
    const pkg = await openPackage(httpFolder(TINY));
    const processor = loadedModel(pkg, await exact.load(pkg, {}));
    const expected: RgbaFrame[] = [];
    await drain(extendClip(processor, request()), (event) => {
      if (event.kind === 'frame') expected.push(event.frame);
    });
    processor.dispose();
    const graphics = await client.loadWorldModel(await client.openPackage(TINY), { backend: 'webgpu' });
    expect(graphics.backend).toBe('webgpu');
    const actual = await run(graphics, request());
    expect(actual.frames).toHaveLength(expected.length);
    actual.frames.forEach((frame, index) => {
      // A number on the edge between two whole ones may be rounded either way.
      expect(largestDifference(frame.data, expected[index]!.data)).toBeLessThanOrEqual(1);
    });
  });

  it('fills gaps, closes loops and repaints regions as the engine does in one thread', async () => {
    const model = await load();
    const local = await loadWorldModel(await openPackage(httpFolder(TINY)), { backend: 'ort' });
    const all = testFrames(20, 32, 18);
    const { prefix: clip, ...rest } = request({ prefix: all });
    const frames = async (events: AsyncIterable<ExtendEvent | RepaintEvent>): Promise<RgbaFrame[]> => {
      const made: RgbaFrame[] = [];
      for await (const event of events) if (event.kind === 'frame') made.push(event.frame);
      return made;
    };
    const gap = { ...rest, before: all.slice(0, 8), after: all.slice(14) };
    expect(await frames(client.fillGap(model, gap))).toEqual(await frames(fillGap(local, gap)));
    const loop = { ...rest, prefix: clip };
    expect(await frames(client.makeLoop(model, loop))).toEqual(await frames(makeLoop(local, loop)));
    const half = {
      width: 32,
      height: 18,
      data: Uint8Array.from({ length: 576 }, (_, i) => (i % 32 < 9 ? 255 : 0)),
    };
    for (const mask of [
      { kind: 'pictures' as const, pictures: Array.from({ length: 6 }, () => half) },
      { kind: 'rectangles' as const, keyframes: [{ frame: 0, x: 3, y: 4, width: 9, height: 9 }] },
    ]) {
      const region = { ...rest, prefix: all.slice(0, 8), frames: all.slice(8, 14), mask };
      const made = await frames(client.repaintRegion(model, region));
      expect(made).toEqual(await frames(repaintRegion(local, region)));
      expect(made).toHaveLength(6);
    }
    local.dispose();
  });

  it('cancels gaps and regions, and lets go of what they read', async () => {
    const model = await load();
    const all = testFrames(40, 32, 18);
    for (const task of ['gap', 'region'] as const) {
      const abort = new AbortController();
      const held = new Set<string>();
      async function* part(name: string, frames: RgbaFrame[]): AsyncGenerator<RgbaFrame> {
        held.add(name);
        try {
          yield* frames;
        } finally {
          held.delete(name);
        }
      }
      const { prefix: none, ...rest } = request({ frameCount: 30, signal: abort.signal });
      void none;
      const [one, two] = [part('one', all.slice(0, 10)), part('two', all.slice(10))];
      const keyframes = [{ frame: 0, x: 0, y: 0, width: 9, height: 9 }];
      const events: AsyncIterable<ExtendEvent | RepaintEvent> =
        task === 'gap'
          ? client.fillGap(model, { ...rest, before: one, after: two })
          : client.repaintRegion(model, {
              ...rest,
              prefix: one,
              frames: two,
              mask: { kind: 'rectangles', keyframes },
            });
      const running = (async () => {
        for await (const event of events) if (event.kind === 'frame') abort.abort();
      })();
      await expect(running).rejects.toMatchObject({ code: 'cancelled' });
      await expect.poll(() => held.size).toBe(0);
    }
    expect((await run(model, request())).frames).toHaveLength(6);
  });

  it('passes errors on with their code and sentence', async () => {
    await expect(client.openPackage(new URL('nowhere/', FIXTURE))).rejects.toMatchObject({ code: 'package' });
    const model = await load();
    await expect(run(model, request({ frameCount: 0 }))).rejects.toMatchObject({
      name: 'LongtakeError',
      code: 'usage',
    });
    const end = new Error('the file ends here');
    async function* broken(): AsyncGenerator<RgbaFrame> {
      yield* testFrames(2, 32, 18);
      throw end;
    }
    await expect(run(model, request({ prefix: broken() }))).rejects.toBe(end);
  });

  it('cancels at once at every stage, and goes on afterwards', async () => {
    await expect(client.openPackage(TINY, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
    const model = await load();
    for (const at of [0, 5, 11, 13, 14, 16]) {
      const abort = new AbortController();
      let closed = false;
      async function* decoder(): AsyncGenerator<RgbaFrame> {
        try {
          yield* testFrames(12, 32, 18);
        } finally {
          closed = true;
        }
      }
      let seen = 0;
      const wanted = request({ prefix: decoder(), frameCount: 200, signal: abort.signal });
      const running = drain(client.extendClip(model, wanted), () => {
        if (seen++ === at) abort.abort();
      });
      await expect(running, `event ${at}`).rejects.toMatchObject({ code: 'cancelled' });
      await expect.poll(() => closed).toBe(true);
    }
    // A prefix that never comes does not hold the caller up.
    const abort = new AbortController();
    const never: AsyncIterable<RgbaFrame> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
    };
    const waiting = run(model, request({ prefix: never, signal: abort.signal }));
    setTimeout(() => abort.abort(), 50);
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    for await (const event of client.extendClip(model, request())) if (event.kind === 'frame') break;
    expect((await run(model, request())).frames).toHaveLength(6);
  });

  it('measures the machine once, learns from rollouts, and stops measuring when it is told to', async () => {
    const model = await load();
    const abort = new AbortController();
    const stopped = client.measure(model, size, abort.signal);
    abort.abort();
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
    const { speed, frames } = await client.measure(model, size);
    expect(speed.passMs + speed.fixedMs).toBeGreaterThan(0);
    expect(frames.readMs).toBeGreaterThanOrEqual(0);
    // What is known is not measured again: the same to the last digit.
    expect((await client.measure(model, { width: 640, height: 360 })).speed).toEqual(speed);
    await run(model, request({ frameCount: 12 }));
    const corrected = (await client.measure(model, size)).speed;
    expect(corrected.commitMs / speed.commitMs).toBeCloseTo(corrected.passMs / speed.passMs, 6);
    expect(corrected).not.toEqual(speed);
  });

  it('runs no further ahead of a slow consumer than agreed', async () => {
    const worker = new Worker(new URL('../../src/engine/worker/main.ts', import.meta.url), {
      type: 'module',
    });
    let sent = 0;
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === 'event') sent++;
    });
    const slow = new EngineClient(worker);
    try {
      const model = await slow.loadWorldModel(await slow.openPackage(TINY), { backend: 'ort' });
      const events = slow.extendClip(model, request({ prefix: [], frameCount: 60 }));
      await events.next();
      await expect.poll(() => sent).toBe(EVENTS_AHEAD + 1);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(sent).toBe(EVENTS_AHEAD + 1);
      let rest = 0;
      for await (const event of events) if (event.kind === 'frame') rest++;
      expect(rest).toBe(59);
    } finally {
      slow.dispose();
    }
  });

  it('rejects what is under way when the worker dies or is disposed of', async () => {
    const model = await load();
    const running = run(model, request({ frameCount: 500 }));
    setTimeout(() => client.dispose(), 100);
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    await expect(client.openPackage(TINY)).rejects.toMatchObject({ code: 'cancelled' });

    const url = URL.createObjectURL(new Blob(['onmessage = () => { throw new Error("gone"); }']));
    const broken = new EngineClient(new Worker(url));
    await expect(broken.openPackage(TINY)).rejects.toMatchObject({ code: 'internal' });
  });
});
