import { beforeAll, describe, expect, it } from 'vitest';
import { extendClip, loadedModel, LongtakeError, nodeFolder, openPackage } from '../../src/engine/node.ts';
import type { LoadedModel, WorldPackage } from '../../src/engine/node.ts';
import { DurableWorldModel } from '../../src/engine/world/durable-world.ts';
import {
  type Chunk,
  denoiseThenCommit,
  type WorldModel,
  type WorldSession,
} from '../../src/engine/world/world-model.ts';
import { testFrames } from './test-frames.ts';
import { TINY, tinyModel } from './tiny.ts';

let pkg: WorldPackage;
let tiny: LoadedModel;

beforeAll(async () => {
  pkg = await openPackage(nodeFolder(TINY));
  tiny = await tinyModel();
});

const broken = () => new LongtakeError('backend', 'The machine failed.');

/** A machine that fails for good at one operation, and counts what it was asked to do. */
class Machine {
  operations = 0;
  readonly committed: Chunk[] = [];
  disposed = false;

  constructor(
    /** Number of the operation that fails, from 1. */
    private readonly failsAt = Infinity,
    /** How many chunks of a failing commit come through. */
    private readonly through = 0,
    /** Whether it answers a chunk that it makes and commits before the commit is done, as graphics devices do. */
    private readonly ahead = false,
  ) {}

  /** @throws LongtakeError `backend` from the fatal operation on */
  use(): void {
    this.operations++;
    if (this.operations >= this.failsAt || this.disposed) throw broken();
  }

  /** `inner` on this machine. */
  carry(inner: WorldModel): WorldModel {
    const createSession = async (): Promise<WorldSession> => {
      this.use();
      const session = await inner.createSession();
      const own: WorldSession = {
        get committed() {
          return session.committed;
        },
        commit: async (chunks, signal) => {
          try {
            this.use();
          } catch (error) {
            await session.commit(chunks.slice(0, this.through), signal);
            throw error;
          }
          this.committed.push(...chunks);
          await session.commit(chunks, signal);
        },
        denoise: async (...given) => {
          this.use();
          return session.denoise(...given);
        },
        generate: async (...given) => {
          const made = await denoiseThenCommit(own, ...given);
          if (!this.ahead) return made;
          await made.committed.catch(() => undefined);
          return { ...made, committed: Promise.resolve() };
        },
        settle: () => session.settle(),
        snapshot: async () => {
          this.use();
          return session.snapshot();
        },
        restore: async (snapshot) => {
          this.use();
          return session.restore(snapshot);
        },
        dispose: () => session.dispose(),
      };
      return own;
    };
    const dispose = () => void (this.disposed = true);
    return { spec: inner.spec, backend: inner.backend, createSession, dispose };
  }
}

async function frames(world: WorldModel): Promise<number[][]> {
  const size = { ...pkg.model.frame };
  const made: number[][] = [];
  const request = {
    prefix: testFrames(13, size.width, size.height),
    size,
    rate: pkg.model.rate,
    frameCount: 11,
    profile: 'draft' as const,
    seed: 3,
    keepPrimed: true,
  };
  for await (const event of extendClip(loadedModel(pkg, world), request)) {
    if (event.kind === 'frame') made.push([...event.frame.data]);
  }
  return made;
}

describe('a rollout on a machine that fails', () => {
  it('makes the same frames, whichever operation the machine fails at', async () => {
    const sound = new Machine();
    const expected = await frames(sound.carry(tiny.world));
    expect(sound.operations).toBeGreaterThan(7);
    for (let failsAt = 1; failsAt <= sound.operations; failsAt++) {
      for (const [through, ahead] of [
        [0, false],
        [1, false],
        [1, true],
      ] as const) {
        const machines = [new Machine(failsAt, through, ahead), new Machine()];
        const world = new DurableWorldModel(machines[0]!.carry(tiny.world), async () =>
          machines[1]!.carry(tiny.world),
        );
        expect(await frames(world), `failure at operation ${failsAt}`).toEqual(expected);
        expect(machines[0]!.disposed).toBe(true);
        expect(machines[1]!.operations).toBeGreaterThan(0);
      }
    }
  });

  it('goes on when the next machine fails too', async () => {
    const expected = await frames(tiny.world);
    const world = new DurableWorldModel(new Machine(4).carry(tiny.world), async (attempt) =>
      new Machine(attempt < 2 ? 3 : Infinity).carry(tiny.world),
    );
    expect(await frames(world)).toEqual(expected);
  });

  it('tries again where the machine does not come back at once', async () => {
    const attempts: number[] = [];
    const world = new DurableWorldModel(new Machine(4).carry(tiny.world), async (attempt) => {
      attempts.push(attempt);
      if (attempt === 0) throw broken();
      return new Machine().carry(tiny.world);
    });
    expect(await frames(world)).toEqual(await frames(tiny.world));
    expect(attempts).toEqual([0, 1]);
  });

  it('fails with the first error when nothing is left to try', async () => {
    const world = new DurableWorldModel(new Machine(4).carry(tiny.world), async () => null);
    await expect(frames(world)).rejects.toMatchObject({ code: 'backend', message: 'The machine failed.' });
  });

  it('does not hide an error that is no failure of the machine', async () => {
    let rebuilt = 0;
    const world = new DurableWorldModel(new Machine(4).carry(tiny.world), async () => {
      rebuilt++;
      throw new LongtakeError('package', 'The weights are damaged.');
    });
    await expect(frames(world)).rejects.toMatchObject({ code: 'package' });
    expect(rebuilt).toBe(1);
  });

  it('says which backend it runs on in the end', async () => {
    const world = new DurableWorldModel(
      { ...new Machine(4).carry(tiny.world), backend: 'webgpu' },
      async () => new Machine().carry(tiny.world),
    );
    const model = loadedModel(pkg, world);
    expect(model.backend).toBe('webgpu');
    await frames(world);
    expect(model.backend).toBe('ort');
  });

  it('loses no chunk where another rollout finds the failure between its making and its commit', async () => {
    const first = new Machine();
    const world = new DurableWorldModel(first.carry(tiny.world), async () => new Machine().carry(tiny.world));
    const [session, other] = [await world.createSession(), await world.createSession()];
    const noise = new Float32Array(someChunk(5).latents.length).fill(0.5);
    const { latents, committed } = await session.generate(someChunk(5), [1, 0], noise);
    first.disposed = true;
    await other.commit([someChunk(2)]);
    await committed;
    const straight = await tiny.world.createSession();
    await straight.commit([{ ...someChunk(5), latents }]);
    expect(await session.snapshot()).toEqual(await straight.snapshot());
    expect(session.committed).toBe(1);
  });

  it('brings every session back with one new machine', async () => {
    const first = new Machine();
    let rebuilt = 0;
    const world = new DurableWorldModel(first.carry(tiny.world), async () => {
      rebuilt++;
      return new Machine().carry(tiny.world);
    });
    const chunk = someChunk(5);
    const noise = new Float32Array(chunk.latents.length).fill(0.5);
    const sessions = [await world.createSession(), await world.createSession()];
    await sessions[0]!.commit([someChunk(1), someChunk(2)]);
    await sessions[1]!.commit([someChunk(3)]);
    const before = await Promise.all(sessions.map((session) => session.denoise(chunk, [1, 0], noise)));
    first.disposed = true;
    const after = await Promise.all(sessions.map((session) => session.denoise(chunk, [1, 0], noise)));
    expect(after).toEqual(before);
    expect(before[0]).not.toEqual(before[1]);
    expect(sessions.map(({ committed }) => committed)).toEqual([2, 1]);
    expect(rebuilt).toBe(1);
  });

  it('commits no more than the latest chunks again, however long the prefix was', async () => {
    const first = new Machine();
    const second = new Machine();
    const world = new DurableWorldModel(first.carry(tiny.world), async () => second.carry(tiny.world));
    const session = await world.createSession();
    for (let start = 0; start < 300; start += 4) {
      await session.commit([1, 2, 3, 4].map((step) => someChunk((start + step) % 7)));
    }
    const expected = await session.snapshot();
    await session.commit([someChunk(2)]);
    first.disposed = true;
    await session.commit([someChunk(3)]);
    expect(second.committed).toHaveLength(2);
    const straight = await tiny.world.createSession();
    await straight.restore(expected);
    await straight.commit([someChunk(2), someChunk(3)]);
    expect(await session.snapshot()).toEqual(await straight.snapshot());
    expect(session.committed).toBe(302);
  });

  it('knows where the state is after a commit that was cancelled half way', async () => {
    const world = new DurableWorldModel(new Machine().carry(tiny.world), async () => null);
    const session = await world.createSession();
    await session.commit([someChunk(1)]);
    const abort = new AbortController();
    abort.abort();
    await expect(session.commit([someChunk(2)], abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
    const straight = await tiny.world.createSession();
    await straight.commit([someChunk(1)]);
    expect(await session.snapshot()).toEqual(await straight.snapshot());
  });
});

/** A chunk without a camera whose latents are even. */
function someChunk(value: number): Chunk {
  const { framesPerChunk: frames, grid, latentChannels } = pkg.model.world;
  const tokens = frames * grid.rows * grid.columns;
  return {
    latents: new Float32Array(tokens * latentChannels).fill(value / 10),
    mask: new Uint8Array(tokens).fill(1),
    rays: new Float32Array(tokens * 6),
    cameraKnown: new Uint8Array(frames),
    times: Int32Array.from({ length: frames }, (_, index) => index),
  };
}
