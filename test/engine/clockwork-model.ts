import type { LoadedModel, WorldPackage } from '../../src/engine/index.ts';
import {
  type Chunk,
  denoiseThenCommit,
  type WorldSession,
  type WorldSnapshot,
} from '../../src/engine/world/world-model.ts';

/** What a session was asked to do. */
export type WorldCall = { kind: 'commit' | 'denoise'; chunk: Chunk; levels?: readonly number[] };

/**
 * A stand-in for the network whose output can be foretold: every frame it makes is even grey, 2 · time index. Takes a real
 * package for its shapes. `calls` lists what it was asked to do, in order, one chunk each.
 */
export function clockworkModel(pkg: WorldPackage): {
  model: LoadedModel;
  calls: WorldCall[];
  open: () => number;
} {
  const calls: WorldCall[] = [];
  let sessions = 0;
  const createSession = async (): Promise<WorldSession> => {
    sessions++;
    let committed = 0;
    const session: WorldSession = {
      get committed() {
        return committed;
      },
      async commit(chunks) {
        for (const chunk of chunks) calls.push({ kind: 'commit', chunk });
        committed += chunks.length;
      },
      async denoise(chunk, levels) {
        calls.push({ kind: 'denoise', chunk, levels });
        const tokensPerFrame = chunk.mask.length / chunk.times.length;
        const channels = chunk.latents.length / chunk.mask.length;
        return chunk.latents.map((value, at) => {
          const token = Math.floor(at / channels);
          if (chunk.mask[token] === 0) return value;
          return (2 * chunk.times[Math.floor(token / tokensPerFrame)]!) / 127.5 - 1;
        });
      },
      generate(...given) {
        return denoiseThenCommit(session, ...given);
      },
      async settle() {},
      async snapshot(): Promise<WorldSnapshot> {
        return { committed, layers: [] };
      },
      async restore(snapshot) {
        committed = snapshot.committed;
      },
      dispose() {
        sessions--;
      },
    };
    return session;
  };
  const world = { spec: pkg.model.world, backend: 'ort' as const, createSession, dispose: () => undefined };
  return {
    model: { package: pkg, world, backend: 'ort', dispose: () => undefined },
    calls,
    open: () => sessions,
  };
}
