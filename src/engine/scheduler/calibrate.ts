import { throwIfCancelled } from '../cancel.ts';
import type { LoadedModel } from '../loaded-model.ts';
import { levelsFor } from '../sampler/levels.ts';
import type { BackendName, Chunk, WorldSession } from '../world/world-model.ts';
import { speedFrom, type Speed, type SpeedSample } from './speed.ts';

/** Passes of the longer of the two measurements: the further from one pass, the better the passes are told from the rest. */
const PASSES = { fast: 4, slow: 2 };
/** From how many milliseconds a pass on the longer measurement has fewer passes. */
const SLOW_MS = 100;
/** Chunks of a prefix that are committed together, as `primeSession` does. */
const BATCH = 4;
const BUDGET_MS = 1000;
const KEY = { seed: 0, chunk: 0 };
const MOST_SAMPLES = 20;

/** Of each backend that a model has run on: after a failure of its device it may be another one. */
const known = new WeakMap<LoadedModel, Map<BackendName, Speed>>();

/** The speed that was measured of a loaded model on the backend that it runs on now; null before `measureSpeed`. */
export function knownSpeed(model: LoadedModel): Speed | null {
  return known.get(model)?.get(model.backend) ?? null;
}

function keepSpeed(model: LoadedModel, backend: BackendName, speed: Speed): void {
  const speeds = known.get(model) ?? new Map<BackendName, Speed>();
  known.set(model, speeds.set(backend, speed));
}

/**
 * Measures a loaded model on this machine for about a second (longer where a single chunk takes longer) and remembers it
 * for as long as the model is loaded. The model may not be at work meanwhile: it would seem slower than it is.
 * @throws LongtakeError `backend`, `cancelled`
 */
export async function measureSpeed(model: LoadedModel, signal?: AbortSignal): Promise<Speed> {
  const before = knownSpeed(model);
  if (before) return before;
  const session = await model.world.createSession();
  try {
    const began = performance.now();
    // The first ones also compile, upload and allocate.
    const chunk = emptyChunk(model);
    const single = levelsFor(model.package.model.sampler, 1);
    await session.denoise(chunk, single, KEY, signal);
    await session.commit([chunk], signal);
    const warm = performance.now();
    await session.denoise(chunk, single, KEY, signal);
    const passes = performance.now() - warm < SLOW_MS ? PASSES.fast : PASSES.slow;
    const outOfTime = (): boolean => performance.now() - began > BUDGET_MS;
    const samples: SpeedSample[] = [];
    do {
      throwIfCancelled(signal);
      samples.push(await sample(model, session, passes, outOfTime, signal));
    } while (!outOfTime() && samples.length < MOST_SAMPLES);
    const speed = speedFrom(samples, { passes, batch: BATCH });
    keepSpeed(model, model.backend, speed);
    return speed;
  } finally {
    session.dispose();
  }
}

/**
 * Corrects what is known of a model's speed by what a rollout took; the next prediction starts from there. Does nothing for
 * a model that was not measured.
 * @param ratio time taken over time expected
 */
export function correctSpeed(model: LoadedModel, ratio: number): void {
  const speed = knownSpeed(model);
  if (!speed || !Number.isFinite(ratio) || ratio <= 0) return;
  const { passMs, fixedMs, commitMs, primeMs } = speed;
  keepSpeed(model, model.backend, {
    passMs: passMs * ratio,
    fixedMs: fixedMs * ratio,
    commitMs: commitMs * ratio,
    primeMs: primeMs * ratio,
  });
}

async function sample(
  model: LoadedModel,
  session: WorldSession,
  passes: number,
  outOfTime: () => boolean,
  signal: AbortSignal | undefined,
): Promise<SpeedSample> {
  const { sampler } = model.package.model;
  const chunk = emptyChunk(model);
  const [single, several] = [levelsFor(sampler, 1), levelsFor(sampler, passes)];
  const start = performance.now();
  const latents = await session.denoise(chunk, single, KEY, signal);
  const afterOne = performance.now();
  await session.denoise(chunk, several, KEY, signal);
  const afterSeveral = performance.now();
  await session.commit([{ ...chunk, latents }], signal);
  await session.denoise(chunk, single, KEY, signal);
  const afterCommit = performance.now();
  const measured = {
    one: afterOne - start,
    several: afterSeveral - afterOne,
    commitAndOne: afterCommit - afterSeveral,
  };
  if (outOfTime()) return { ...measured, batchAndOne: null };
  await session.commit(Array<Chunk>(BATCH).fill(chunk), signal);
  await session.denoise(chunk, single, KEY, signal);
  return { ...measured, batchAndOne: performance.now() - afterCommit };
}

/** A chunk of which nothing is given and no pose is known. */
function emptyChunk({ world: { spec } }: LoadedModel): Chunk {
  const frames = spec.framesPerChunk;
  const tokens = frames * spec.grid.rows * spec.grid.columns;
  return {
    latents: new Float32Array(tokens * spec.latentChannels),
    mask: new Uint8Array(tokens).fill(1),
    rays: new Float32Array(tokens * 6),
    cameraKnown: new Uint8Array(frames),
    times: Int32Array.from({ length: frames }, (_, i) => i),
  };
}
