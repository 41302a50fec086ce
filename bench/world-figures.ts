import { throwIfCancelled } from '../src/engine/cancel.ts';
import { wanderingRollout } from '../src/engine/parity/wandering.ts';
import type { ModelJson } from '../src/engine/package/model-json.ts';
import { levelsFor } from '../src/engine/sampler/levels.ts';
import { PROFILES, stepsFor } from '../src/engine/scheduler/profiles.ts';
import type { Profile } from '../src/engine/tasks/extend-request.ts';
import type { Chunk, WorldModel, WorldSession } from '../src/engine/world/world-model.ts';
import { median } from '../src/engine/median.ts';
import { spread, wallTimes } from './wall-times.ts';

/** Cost of one chunk (all denoise passes and the commit), wall time. */
export interface ChunkCost {
  msAChunk: number;
  /** Largest minus smallest, as a share of the median. */
  spread: number;
}

export interface ProfileFigures extends ChunkCost {
  profile: Profile;
  steps: number;
  framesASecond: number;
}

/** After a prefix of so many frames. */
export interface PrefixFigures extends ChunkCost {
  frames: number;
  /** Live buffers on the device; null where nobody counts them. */
  deviceBytes: number | null;
  /** Used heap of the JavaScript engine, after a collection where node was started with --expose-gc. */
  heapBytes: number;
}

/** Variations at once; the cost is that of one chunk of each. */
export interface VariationFigures extends ChunkCost {
  count: number;
  /** Of all variations. */
  framesASecond: number;
  /** Live buffers on the device while they are made; null where nobody counts them. */
  deviceBytes: number | null;
}

/** The world model alone, without pictures. */
export interface WorldFigures {
  profiles: ProfileFigures[];
  prefixes: PrefixFigures[];
  /**
   * Time of a chunk after the longest prefix over that after the shortest, measured in turns, so that both see the same
   * clocks; null where there is one length.
   */
  longestAgainstShortest: number | null;
  /** Frames committed a second over the longest prefix; null when it was too short to say. */
  primingFramesASecond: number | null;
  variations: VariationFigures[];
}

export interface WorldBenchSettings {
  repeats: number;
  /** Lengths in frames, rising; made whole chunks. */
  prefixes: readonly number[];
  variations: readonly number[];
  signal?: AbortSignal;
  /** Told what is measured next. */
  onStage?: (stage: string) => void;
}

/** Measures a world model that is already loaded. @param deviceBytes bytes of the buffers that live on its device */
export async function measureWorld(
  model: ModelJson,
  world: WorldModel,
  settings: WorldBenchSettings,
  deviceBytes: (() => number) | null,
): Promise<WorldFigures> {
  const { repeats, signal, onStage } = settings;
  const chunks = wanderingRollout(model, 8, 1).chunks;
  const prefix = chunks.slice(0, 8);
  const fresh = chunks[8]!;
  const preview = levelsFor(model.sampler, stepsFor(model, 'preview'));
  const frames = model.world.framesPerChunk;

  const profiles: ProfileFigures[] = [];
  for (const profile of Object.keys(PROFILES) as Profile[]) {
    onStage?.(`profile ${profile}`);
    const steps = stepsFor(model, profile);
    const session = await world.createSession();
    try {
      await session.commit(prefix.slice(0, 2), signal);
      const cost = await chunkCost([session], fresh, levelsFor(model.sampler, steps), repeats, signal);
      profiles.push({ profile, steps, framesASecond: (1000 * frames) / cost.msAChunk, ...cost });
    } finally {
      session.dispose();
    }
  }

  const { prefixes, longestAgainstShortest, primingFramesASecond } = await measurePrefixes();
  const variations: VariationFigures[] = [];
  for (const count of settings.variations) {
    onStage?.(`${count} variations`);
    const sessions: WorldSession[] = [];
    try {
      for (let i = 0; i < count; i++) sessions.push(await world.createSession());
      for (const session of sessions) await session.commit(prefix.slice(0, 2), signal);
      const cost = await chunkCost(sessions, fresh, preview, repeats, signal);
      const framesASecond = (1000 * count * frames) / cost.msAChunk;
      variations.push({ count, framesASecond, deviceBytes: deviceBytes?.() ?? null, ...cost });
    } finally {
      for (const session of sessions) session.dispose();
    }
  }
  return { profiles, prefixes, longestAgainstShortest, primingFramesASecond, variations };

  async function measurePrefixes(): Promise<
    Pick<WorldFigures, 'prefixes' | 'longestAgainstShortest' | 'primingFramesASecond'>
  > {
    const found: PrefixFigures[] = [];
    let [primed, milliseconds] = [0, 0];
    let longestAgainstShortest: number | null = null;
    const session = await world.createSession();
    try {
      // The first commit pass of a size warms up.
      await session.commit(prefix, signal);
      await session.snapshot();
      for (const length of settings.prefixes) {
        onStage?.(`prefix of ${length} frames`);
        const start = performance.now();
        let added = 0;
        while (session.committed * frames < length) {
          throwIfCancelled(signal);
          const missing = Math.ceil(length / frames) - session.committed;
          await session.commit(prefix.slice(0, missing), signal);
          added += Math.min(missing, prefix.length);
        }
        // Reading the state waits for what was submitted; it is small change against a long prefix.
        await session.snapshot();
        if (added > primed) [primed, milliseconds] = [added, performance.now() - start];
        const cost = await chunkCost([session], fresh, preview, repeats, signal);
        (globalThis as { gc?: () => void }).gc?.();
        found.push({
          frames: length,
          ...cost,
          deviceBytes: deviceBytes?.() ?? null,
          heapBytes: process.memoryUsage().heapUsed,
        });
      }
      if (settings.prefixes.length > 1) {
        onStage?.('longest prefix against shortest');
        const short = await world.createSession();
        try {
          const chunks = Math.ceil(settings.prefixes[0]! / frames);
          await short.commit(prefix.slice(0, chunks), signal);
          longestAgainstShortest = await inTurns([session, short], fresh, preview, repeats, signal);
        } finally {
          short.dispose();
        }
      }
    } finally {
      session.dispose();
    }
    return {
      prefixes: found,
      longestAgainstShortest,
      primingFramesASecond: primed >= 2 * prefix.length ? (1000 * primed * frames) / milliseconds : null,
    };
  }
}

/** Median time of a session's chunk over that of another's, taken in turns. */
async function inTurns(
  sessions: readonly [WorldSession, WorldSession],
  chunk: Chunk,
  levels: readonly number[],
  repeats: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const times: [number[], number[]] = [[], []];
  await wallTimes(repeats, 2, async (index) => {
    for (const [turn, session] of sessions.entries()) {
      const start = performance.now();
      await makeChunk(session, chunk, levels, { seed: 0, chunk: index }, signal);
      times[turn]!.push(performance.now() - start);
    }
  });
  // What was done to warm up came first.
  const [one, other] = times.map((own) => median(own.slice(-repeats)));
  return one! / other!;
}

/**
 * Time until every session has made one chunk and committed it. The latents come to the processor, as in a rollout; the
 * commit of one chunk is waited for by the next.
 */
async function chunkCost(
  sessions: readonly WorldSession[],
  chunk: Chunk,
  levels: readonly number[],
  repeats: number,
  signal: AbortSignal | undefined,
): Promise<ChunkCost> {
  const times = await wallTimes(repeats, 2, (index) =>
    Promise.all(
      sessions.map((session, variation) =>
        makeChunk(session, chunk, levels, { seed: variation, chunk: index }, signal),
      ),
    ),
  );
  return { msAChunk: median(times), spread: spread(times) };
}

async function makeChunk(
  session: WorldSession,
  chunk: Chunk,
  levels: readonly number[],
  noise: { seed: number; chunk: number },
  signal: AbortSignal | undefined,
): Promise<void> {
  const { committed } = await session.generate(chunk, levels, noise, signal);
  await committed;
}
