import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StreamTarget, type StreamTargetChunk } from 'mediabunny';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FolderStore } from '../../src/batch/node/folder-store.ts';
import type { BatchItem, BatchStore } from '../../src/batch/preview.ts';
import { runBatch, type BatchProgress } from '../../src/batch/run-batch.ts';
import type { ExtendEvent, ExtendRequest, PrimedPrefix } from '../../src/engine/tasks/extend-request.ts';
import { LongtakeError, type RgbaFrame } from '../../src/engine/types.ts';
import type { ExtendTask } from '../../src/media/extension.ts';
import { openClipFile } from '../../src/media/node/clip-file.ts';
import { writePaintedClip } from '../media/painted-clip.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longtake-run-batch-'));
  await writePaintedClip(join(folder, 'a.mp4'), { frames: 12, rate: 12 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const item = (index: number): BatchItem => ({
  index,
  name: `clip ${index}`,
  settings: { seconds: 0.5, profile: 'preview', direction: 'forward', seed: 0, steps: null, camera: null },
  open: async (signal) => {
    const clip = await openClipFile(join(folder, 'a.mp4'), signal);
    return { clip, start: 0, count: clip.facts.frameCount, notices: [] };
  },
});

const folderStore = (out: string) =>
  new FolderStore({
    folder: out,
    content: ['extended'],
    template: '{index}-{variation}',
    inputs: [],
    fingerprint: async ({ item: { index }, seed }) => `${index} ${seed}`,
  });

/** An engine whose chunks are one frame each; its machine fails while it makes the last but one. */
class FailingEngine {
  readonly backend = 'ort';
  readonly given: (readonly Float32Array[])[] = [];
  failing = true;

  readonly extend: ExtendTask = (request) => this.events(request);

  private async *events(request: ExtendRequest): AsyncGenerator<ExtendEvent> {
    const { madeChunks = [], frameCount, seed, size } = request;
    this.given.push(madeChunks);
    for await (const frame of request.prefix) void frame;
    for (let index = 0; index < frameCount; index++) {
      const latents = madeChunks[index] ?? Float32Array.of(seed, index);
      if (this.failing && index === frameCount - 2) throw new LongtakeError('backend', 'The machine failed.');
      if (!madeChunks[index]) yield { kind: 'chunk', latents };
      const data = new Uint8ClampedArray(4 * size.width * size.height).fill(20 * latents[1]!);
      yield { kind: 'frame', index, frame: { ...size, data }, secondsLeft: 0 };
    }
    const report = { model: 'failing', backend: this.backend, frames: frameCount, msPerFrame: 1 };
    yield { kind: 'done', report: { ...report, prefixFrames: request.prefixLength!, seam: null } };
  }
}

/** An engine that repeats the clip's last frame and writes down what it was asked for. */
class EchoEngine {
  readonly backend = 'ort';
  prefixesRead = 0;
  readonly released: PrimedPrefix[] = [];
  readonly seeds: number[] = [];
  private readonly last = new Map<PrimedPrefix, RgbaFrame>();

  readonly extend: ExtendTask = (request) => this.events(request);

  private async *events(request: ExtendRequest): AsyncGenerator<ExtendEvent> {
    this.seeds.push(request.seed);
    let frame = request.primed ? this.last.get(request.primed)! : null;
    let primed: PrimedPrefix | null = null;
    if (frame === null) {
      this.prefixesRead++;
      for await (const next of request.prefix) frame = next;
      primed = { prefixFrames: request.prefixLength!, direction: 'forward' };
      this.last.set(primed, frame!);
    }
    if (request.keepPrimed) yield { kind: 'primed', primed: primed! };
    for (let index = 0; index < request.frameCount; index++) {
      yield { kind: 'frame', index, frame: frame!, secondsLeft: request.frameCount - index - 1 };
    }
    const report = { model: 'echo', backend: this.backend, frames: request.frameCount, msPerFrame: 1 };
    yield { kind: 'done', report: { ...report, prefixFrames: request.prefixLength!, seam: null } };
  }
}

describe('runBatch', () => {
  it('reads each clip once for all its variations and lets go of it', async () => {
    const out = join(folder, 'variations');
    const store = folderStore(out);
    await store.prepare();
    const engine = new EchoEngine();
    const progress: BatchProgress[] = [];
    const outcomes = await runBatch([item(1), item(2)], {
      store,
      load: async () => engine,
      release: (primed) => engine.released.push(primed),
      variations: 3,
      signal: new AbortController().signal,
      onProgress: (state) => progress.push(state),
    });
    expect(engine.prefixesRead).toBe(2);
    expect(engine.seeds).toEqual([0, 1, 2, 0, 1, 2]);
    expect(engine.released).toHaveLength(2);
    expect(outcomes.map(({ status }) => status)).toEqual(Array(6).fill('done'));
    // The sheet has the clip's own frames in every strip, also where the model did not read them again.
    for (const outcome of outcomes) {
      const tiles = outcome.status === 'failed' ? [] : outcome.result.tiles;
      expect(tiles.map(({ kind }) => kind)).toEqual([...Array(4).fill('prefix'), ...Array(6).fill('new')]);
    }
    const fractions = progress.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(progress.at(-1)).toMatchObject({ fraction: 1, batchSecondsLeft: 0 });
  });

  it('goes on within a preview after its last whole chunk, where it is still the same preview', async () => {
    const out = join(folder, 'broken off');
    const engine = new FailingEngine();
    const options = { load: async () => engine, variations: 1, signal: new AbortController().signal };
    const run = async (fingerprint = 'one') => {
      const store = new FolderStore({
        ...{ folder: out, content: ['extended'], template: '{index}', inputs: [] },
        fingerprint: async () => fingerprint,
      });
      await store.prepare();
      return runBatch([item(1)], { ...options, store });
    };
    await expect(run()).rejects.toMatchObject({ code: 'backend' });
    expect(await readdir(out)).toEqual(['.longtake']);
    // What a crash in the middle of a write leaves beside whole chunks counts for nothing.
    await writeFile(join(out, '.longtake', '001-v1.chunks', '00004.f32'), new Uint8Array(3));
    await expect(run()).rejects.toMatchObject({ code: 'backend' });
    expect(engine.given.at(-1)).toEqual([0, 1, 2, 3].map((index) => Float32Array.of(0, index)));
    // Other media or settings: from its first frame.
    await expect(run('other')).rejects.toMatchObject({ code: 'backend' });
    expect(engine.given.at(-1)).toEqual([]);
    engine.failing = false;
    const [outcome] = await run('other');
    expect(outcome).toMatchObject({ status: 'done', result: { frames: 6 } });
    expect(engine.given.at(-1)).toHaveLength(4);
    expect((await readdir(join(out, '.longtake'))).sort()).toEqual(['001-v1.json', '001-v1.png']);
  });

  it('stops with one sentence when the disk is full while a chunk is kept', async () => {
    const out = join(folder, 'no room for chunks');
    const store = folderStore(out);
    await store.prepare();
    const full: BatchStore = {
      finished: (preview) => store.finished(preview),
      begin: async (preview) => ({
        ...(await store.begin(preview)),
        keepChunk: async () => {
          throw new LongtakeError('output', 'There is no space left.');
        },
      }),
    };
    const engine = new FailingEngine();
    const run = runBatch([item(1), item(2)], {
      ...{ store: full, load: async () => engine, variations: 1 },
      signal: new AbortController().signal,
    });
    await expect(run).rejects.toMatchObject({ code: 'output', message: 'There is no space left.' });
    expect(await readdir(out)).toEqual(['.longtake']);
  });

  it('stops with one sentence when the disk is full, and leaves whole files alone', async () => {
    const out = join(folder, 'full');
    const store = folderStore(out);
    await store.prepare();
    const full: BatchStore = {
      finished: (preview) => store.finished(preview),
      begin: async (preview) => {
        const open = await store.begin(preview);
        if (preview.item.index < 2) return open;
        const target = new StreamTarget(
          new WritableStream<StreamTargetChunk>({
            write: () => {
              throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
            },
          }),
        );
        return { ...open, outputs: open.outputs.map((output) => ({ ...output, target })) };
      },
    };
    const engine = new EchoEngine();
    const options = { load: async () => engine, variations: 1, signal: new AbortController().signal };
    const run = runBatch([item(1), item(2), item(3)], { ...options, store: full });
    await expect(run).rejects.toMatchObject({
      code: 'output',
      message: 'The video could not be written: there is no space left.',
    });
    expect((await readdir(out)).sort()).toEqual(['.longtake', '001-v1.mp4', '001-v1.png']);

    // With room again the batch goes on where it stopped.
    const first = await readFile(join(out, '001-v1.mp4'));
    const outcomes = await runBatch([item(1), item(2), item(3)], { ...options, store });
    expect(outcomes.map(({ status }) => status)).toEqual(['kept', 'done', 'done']);
    expect(await readFile(join(out, '001-v1.mp4'))).toEqual(first);
  });
});
