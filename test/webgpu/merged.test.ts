import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceMemory } from '../../bench/device-memory.ts';
import {
  extendClip,
  loadedModel,
  nodeFolder,
  openPackage,
  type PrimedPrefix,
  type RgbaFrame,
} from '../../src/engine/node.ts';
import type { Recording } from '../../src/engine/parity/recording.ts';
import { DurableWorldModel } from '../../src/engine/world/durable-world.ts';
import { createWebGpuWorldModel, type WebGpuWorldModel } from '../../src/engine/world/webgpu/index.ts';
import { stateSizes } from '../../src/engine/world/webgpu/state-sizes.ts';
import { makePlans } from '../../src/engine/world/webgpu/world-plans.ts';
import {
  type Chunk,
  denoiseThenCommit,
  type WorldSession,
  type WorldSnapshot,
} from '../../src/engine/world/world-model.ts';
import { testFrames } from '../engine/test-frames.ts';
import { TINY } from '../engine/tiny.ts';
import { openSoftwareGpu } from './software-device.ts';
import { readTiny } from './tiny-package.ts';

type Tiny = Awaited<ReturnType<typeof readTiny>>;

let tiny: Tiny;
let recording: Recording;
let model: WebGpuWorldModel;
let memory: DeviceMemory;
/** Labels of what was submitted since it was last emptied; `watch` is told of each. */
const submitted: string[] = [];
let watch: (label: string) => void = () => undefined;
/** Bytes that a single buffer may have. */
let largestBuffer = Infinity;

beforeAll(async () => {
  tiny = await readTiny();
  recording = tiny.recording;
  const { device, sources } = await openSoftwareGpu();
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    if (descriptor.size > largestBuffer) throw new RangeError('out of memory');
    return createBuffer(descriptor);
  };
  memory = new DeviceMemory(device);
  const createEncoder = device.createCommandEncoder.bind(device);
  device.createCommandEncoder = (descriptor) => {
    const label = descriptor?.label ?? '';
    submitted.push(label);
    watch(label);
    return createEncoder(descriptor);
  };
  model = await createWebGpuWorldModel(tiny.spec, tiny.weights, sources, { device, primingChunks: 2 });
});
afterAll(() => model?.dispose());

const LEVELS = [1, 0.5, 0];
const STEPS = LEVELS.length - 1;

/** A rollout: how many chunks are committed before it and made in it. */
interface Course {
  seed: number;
  prefix: number;
  chunks: number;
}

const COURSES = [
  { seed: 1, prefix: 0, chunks: 3 },
  { seed: 2, prefix: 2, chunks: 1 },
  { seed: 2, prefix: 1, chunks: 2 },
] as const satisfies Course[];

/** A session with the prefix of a course behind it. */
async function begin({ prefix }: Course): Promise<WorldSession> {
  const session = await model.createSession();
  const chunks = Array.from({ length: prefix }, (_, index) => recording.chunk(index));
  if (prefix > 0) await session.commit(chunks);
  return session;
}

/** Makes and commits the chunks of a course. @param make in one call unless given */
async function goOn(
  session: WorldSession,
  { seed, chunks }: Course,
  make: typeof denoiseThenCommit = (_, ...given) => session.generate(...given),
): Promise<Float32Array[]> {
  const made: Float32Array[] = [];
  for (let index = 0; index < chunks; index++) {
    // The last recorded chunk has given tokens among the others.
    const chunk = recording.chunk(6 - (index % 2));
    const noise = { seed, chunk: session.committed };
    const { latents, committed } = await make(session, chunk, LEVELS, noise);
    await committed;
    made.push(latents);
  }
  return made;
}

function denoise(session: WorldSession, chunk: Chunk, seed: number, signal?: AbortSignal) {
  return session.denoise(chunk, LEVELS, { seed, chunk: session.committed }, signal);
}

interface Outcome {
  made: Float32Array[];
  state: WorldSnapshot;
}

const known = new Map<Course, Outcome>();

/** What a course gives while nothing else runs, in two calls a chunk. */
async function alone(course: Course): Promise<Outcome> {
  const before = known.get(course);
  if (before) return before;
  const session = await begin(course);
  const outcome = { made: await goOn(session, course, denoiseThenCommit), state: await session.snapshot() };
  session.dispose();
  known.set(course, outcome);
  return outcome;
}

/** Bytes of the largest buffer of so many rollouts. */
function largestOf(rollouts: number): number {
  const states = stateSizes(tiny.spec).flatMap(({ scan, cache }) => [
    4 * scan * rollouts,
    16 * cache * rollouts,
  ]);
  const { merged } = makePlans(tiny.spec, () => ({ kind: 'int8' }), 1);
  const plans = [merged.denoise(rollouts), merged.commit(rollouts)];
  return Math.max(...states, ...plans.flatMap(({ workspace }) => workspace.sizes));
}

function steps(): number {
  return submitted.filter((label) => label === 'denoise step').length;
}

describe('rollouts at the same time', () => {
  it('share their passes and get what each gets alone, whatever their prefix and length', async () => {
    const expected: Outcome[] = [];
    for (const course of COURSES) expected.push(await alone(course));
    const sessions = await Promise.all(COURSES.map(begin));
    submitted.length = 0;
    const made = await Promise.all(sessions.map((session, index) => goOn(session, COURSES[index]!)));
    // Of six chunks, the first ones of all are made together, and the second ones of two.
    expect(steps()).toBe(3 * STEPS);
    expect(submitted.filter((label) => label === 'commit').length).toBe(3);
    for (const [index, session] of sessions.entries()) {
      expect(made[index]).toEqual(expected[index]!.made);
      expect(await session.snapshot()).toEqual(expected[index]!.state);
      session.dispose();
    }
  });

  it('fall into step where they start apart', async () => {
    const [, , course] = COURSES;
    const [first, second] = [await begin(course), await begin(course)];
    submitted.length = 0;
    let late: Promise<Float32Array[]> | null = null;
    watch = (label) => {
      if (label === 'denoise step') late ??= goOn(second, course);
    };
    const made = await goOn(first, course);
    watch = () => undefined;
    expect(await late).toEqual(made);
    // The first one's first chunk and the second one's last are made alone.
    expect(steps()).toBe(3 * STEPS);
    first.dispose();
    second.dispose();
  });

  it('are not disturbed by one that is cancelled and one that is closed in the middle', async () => {
    const [, short, long] = COURSES;
    const sessions = await Promise.all([short, long, short, long].map(begin));
    const [cancelled, closed, ...others] = sessions as [WorldSession, WorldSession, ...WorldSession[]];
    const cancel = new AbortController();
    submitted.length = 0;
    watch = () => {
      if (steps() < 2) return;
      cancel.abort();
      closed.dispose();
    };
    const chunk = recording.chunk(6);
    const outcomes = await Promise.allSettled([
      denoise(cancelled, chunk, 1, cancel.signal),
      denoise(closed, chunk, 2),
      goOn(others[0]!, short),
      goOn(others[1]!, long),
    ]);
    watch = () => undefined;
    const expected = [(await alone(short)).made, (await alone(long)).made];
    expect(outcomes[0]).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } });
    expect(outcomes[1]).toMatchObject({ status: 'rejected', reason: { code: 'internal' } });
    expect(outcomes.slice(2)).toEqual(expected.map((value) => ({ status: 'fulfilled', value })));
    // The cancelled one is as it was; a new one finds nothing of the closed one.
    const fresh = await begin(long);
    expect(await Promise.all([goOn(cancelled, short), goOn(fresh, long)])).toEqual(expected);
    for (const session of [...sessions, fresh]) session.dispose();
  });

  it('denoise apart where their levels differ or one brings its own noise', async () => {
    const sessions = await Promise.all([1, 2, 3].map(() => model.createSession()));
    const chunk = recording.chunk(2);
    const calls = (): (() => Promise<Float32Array>)[] => [
      () => sessions[0]!.denoise(chunk, [1, 0], { seed: 1, chunk: 0 }),
      () => sessions[1]!.denoise(chunk, [1, 0.25, 0], { seed: 1, chunk: 0 }),
      () => sessions[2]!.denoise(chunk, [1, 0], recording.floats('chunk.2.noise')),
    ];
    const expected: Float32Array[] = [];
    for (const call of calls()) expected.push(await call());
    expect(await Promise.all(calls().map((call) => call()))).toEqual(expected);
    for (const session of sessions) session.dispose();
  });
});

describe('variations of a clip', () => {
  it('from one start share all their passes, frames and all', async () => {
    const pkg = await openPackage(nodeFolder(TINY));
    const loaded = loadedModel(pkg, new DurableWorldModel(model, async () => null));
    const { frame, rate } = pkg.model;
    const settings = { size: { ...frame }, rate, frameCount: 6, profile: 'draft' as const };
    let primed: PrimedPrefix | undefined;
    const variation = async (seed: number): Promise<RgbaFrame[]> => {
      const made: RgbaFrame[] = [];
      const start = primed ? { prefix: [], primed } : { prefix: testFrames(12, frame.width, frame.height) };
      const request = { ...settings, ...start, keepPrimed: !primed, seed };
      for await (const event of extendClip(loaded, request)) {
        if (event.kind === 'primed') primed = event.primed;
        if (event.kind === 'frame') made.push(event.frame);
      }
      return made;
    };
    submitted.length = 0;
    const expected = [await variation(1)];
    const once = steps();
    expected.push(await variation(2));
    expect(steps()).toBe(2 * once);
    submitted.length = 0;
    expect(await Promise.all([1, 2].map(variation))).toEqual(expected);
    expect(steps()).toBe(once);
  });
});

describe('the states of rollouts', () => {
  it('take memory while there are any', async () => {
    const before = memory.live;
    const sessions = await Promise.all([1, 2, 3].map(() => model.createSession()));
    expect(memory.live).toBeGreaterThan(before);
    for (const session of sessions) session.dispose();
    expect(memory.live).toBe(before);
  });

  it('lie in smaller groups where the device has no memory for a larger one', async () => {
    const [, course] = COURSES;
    const expected = (await alone(course)).made;
    const live = memory.live;
    largestBuffer = largestOf(2);
    const sessions: WorldSession[] = [];
    for (let index = 0; index < 3; index++) sessions.push(await begin(course));
    submitted.length = 0;
    const made = await Promise.all(sessions.map((session) => goOn(session, course)));
    largestBuffer = Infinity;
    expect(made).toEqual(sessions.map(() => expected));
    // Two of them in one pass.
    expect(steps()).toBe(2 * STEPS);
    for (const session of sessions) session.dispose();
    expect(memory.live).toBe(live);
  });
});

describe('merged plans', () => {
  it('have as many dispatches as those of one rollout', () => {
    const plans = makePlans(tiny.spec, () => ({ kind: 'int8' }), 8);
    expect(plans.merged.most).toBe(8);
    for (const rollouts of [2, 3, 8]) {
      const [denoising, commit] = [plans.merged.denoise(rollouts), plans.merged.commit(rollouts)];
      expect(denoising.sections.step.length).toBe(plans.denoise.sections.step.length);
      expect(denoising.sections.before.length).toBe(plans.denoise.sections.before.length);
      expect(commit.sections.step.length).toBe(plans.commits.at(-1)!.sections.step.length);
    }
  });

  it('go over fewer rollouts where a binding holds no more', () => {
    const most = (bytes: number): number => {
      const limits = { maxStorageBufferBindingSize: bytes, maxBufferSize: 2 ** 28 };
      return makePlans(tiny.spec, () => ({ kind: 'int8' }), 1, undefined, limits).merged.most;
    };
    const enough = largestOf(8);
    expect([enough, enough - 1, enough / 4, enough / 8].map(most)).toEqual([8, 4, 2, 1]);
  });
});
