import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FolderStore } from '../../src/batch/node/folder-store.ts';
import type { BatchItem, BatchOutcome } from '../../src/batch/preview.ts';
import { runBatch } from '../../src/batch/run-batch.ts';
import { extendClip, loadedModel, nodeFolder, openPackage, type LoadedModel } from '../../src/engine/node.ts';
import type { RgbaFrame } from '../../src/engine/types.ts';
import { DurableWorldModel } from '../../src/engine/world/durable-world.ts';
import { createWebGpuWorldModel } from '../../src/engine/world/webgpu/index.ts';
import { openClipFile } from '../../src/media/node/clip-file.ts';
import { Meeting } from '../batch/paced-engine.ts';
import { TINY } from '../engine/tiny.ts';
import { writePaintedClip } from '../media/painted-clip.ts';
import { openSoftwareGpu } from './software-device.ts';
import { readTiny } from './tiny-package.ts';

/** New frames of each preview: three chunks at the model's rate. */
const FRAMES = 15;
/** Frames that are made at once. */
const CHUNK = 5;
const VARIATIONS = 3;
/** Passes of a chunk at the draft profile. */
const STEPS = 2;

let folder: string;
let model: LoadedModel;
let rate: number;
/** Labels of what was submitted since it was last emptied. */
const submitted: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longtake-batch-webgpu-'));
  const tiny = await readTiny();
  const { device, sources } = await openSoftwareGpu();
  const createEncoder = device.createCommandEncoder.bind(device);
  device.createCommandEncoder = (descriptor) => {
    submitted.push(descriptor?.label ?? '');
    return createEncoder(descriptor);
  };
  const world = await createWebGpuWorldModel(tiny.spec, tiny.weights, sources, { device, primingChunks: 2 });
  const pkg = await openPackage(nodeFolder(TINY));
  model = loadedModel(pkg, new DurableWorldModel(world, async () => null));
  rate = pkg.model.rate.num / pkg.model.rate.den;
  const { width, height } = pkg.model.frame;
  await writePaintedClip(join(folder, 'a.mp4'), { width, height, rate, frames: 10 });
});
afterAll(async () => {
  model?.dispose();
  await rm(folder, { recursive: true, force: true });
});

interface Run {
  outcomes: BatchOutcome[];
  /** New frames by seed, as the model made them. */
  frames: Map<number, RgbaFrame[]>;
  /** Decoded frames of each file. */
  files: RgbaFrame[][];
  steps: number;
}

/**
 * Makes a batch of one clip.
 * @param backend what it is told that the model runs on
 * @param meet awaited by each rollout before the chunk that begins with a frame
 */
async function batchOf(
  name: string,
  backend: string,
  meet: (frame: number) => Promise<void> | void = () => {},
): Promise<Run> {
  const out = join(folder, name);
  const store = new FolderStore({
    folder: out,
    content: ['extended'],
    template: '{variation}',
    inputs: [],
    fingerprint: async ({ seed }) => String(seed),
  });
  await store.prepare();
  const frames = new Map<number, RgbaFrame[]>();
  const item: BatchItem = {
    ...{ index: 1, name },
    settings: {
      ...{
        seconds: FRAMES / rate,
        profile: 'draft',
        direction: 'forward',
        seed: 5,
        steps: null,
        camera: null,
      },
    },
    open: async (signal) => {
      const clip = await openClipFile(join(folder, 'a.mp4'), signal);
      return { clip, start: 0, count: clip.facts.frameCount, notices: [] };
    },
  };
  submitted.length = 0;
  const outcomes = await runBatch([item], {
    store,
    load: async () => ({
      backend,
      async *extend(request) {
        const made: RgbaFrame[] = [];
        frames.set(request.seed, made);
        if (request.primed) await meet(0);
        for await (const event of extendClip(model, request)) {
          if (event.kind === 'frame') made.push(event.frame);
          yield event;
          if (event.kind === 'primed') await meet(0);
          if (event.kind === 'frame' && made.length % CHUNK === 0) await meet(made.length);
        }
      },
    }),
    variations: VARIATIONS,
    signal: new AbortController().signal,
  });
  const steps = submitted.filter((label) => label === 'denoise step').length;
  const files: RgbaFrame[][] = [];
  for (let variation = 1; variation <= VARIATIONS; variation++) {
    const clip = await openClipFile(join(out, `v${variation}.mp4`));
    const pictures: RgbaFrame[] = [];
    for await (const frame of clip.frames()) pictures.push(frame);
    clip.dispose();
    files.push(pictures);
  }
  return { outcomes, frames, files, steps };
}

describe('a batch on a graphics device', () => {
  it('makes the variations of a clip in shared passes: the same frames as one after another', async () => {
    const alone = await batchOf('alone', 'ort');
    // Encoding would keep one or the other from a pass now and then.
    const meetings = new Map([0, 5, 10, 15].map((frame) => [frame, new Meeting(VARIATIONS)]));
    const together = await batchOf('together', 'webgpu', (frame) => meetings.get(frame)!.arrive());
    expect(together.outcomes.map(({ status }) => status)).toEqual(['done', 'done', 'done']);
    expect([...together.frames.keys()].sort()).toEqual([5, 6, 7]);
    for (const [seed, made] of together.frames) {
      expect(made).toHaveLength(FRAMES);
      expect(made).toEqual(alone.frames.get(seed));
    }
    expect(together.frames.get(5)).not.toEqual(together.frames.get(6));
    expect(together.files).toEqual(alone.files);
    expect(together.files.every((pictures) => pictures.length === 10 + FRAMES)).toBe(true);
    const once = alone.steps / VARIATIONS;
    expect(once).toBe((FRAMES / CHUNK) * STEPS);
    expect(together.steps).toBeGreaterThanOrEqual(once);
    // The others have to take over the state before their first chunk, which they may come late for.
    expect(together.steps).toBeLessThanOrEqual(once + 2 * STEPS);
  });
});
