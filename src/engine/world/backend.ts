import { LongtakeError } from '../types.ts';
import type { WorldPackage } from '../package/world-package.ts';
import { DurableWorldModel } from './durable-world.ts';
import type { BackendName, WorldModel } from './world-model.ts';

export type BackendChoice = 'auto' | BackendName;

/** One way to run world models on this machine. */
export interface WorldBackend {
  readonly name: BackendName;
  /** What is missing, in words that fit after “because”; null when the backend can run here. */
  unavailable(): Promise<string | null>;
  /** @throws LongtakeError `backend` when the machine can not run this model, `package` when its files do not fit together */
  load(pkg: WorldPackage, options: { signal?: AbortSignal }): Promise<WorldModel>;
}

/**
 * Loads a package on the chosen backend; `auto` takes the first of `backends` that works.
 * @param backends in order of preference
 * @throws LongtakeError `backend` when none works, or the chosen one does not
 */
export async function loadOnBackend(
  pkg: WorldPackage,
  backends: readonly WorldBackend[],
  options: { backend?: BackendChoice; signal?: AbortSignal } = {},
): Promise<WorldModel> {
  const choice = options.backend ?? 'auto';
  const candidates = choice === 'auto' ? backends : backends.filter((backend) => backend.name === choice);
  const reasons: string[] = [];
  const causes: unknown[] = [];
  for (const backend of candidates) {
    const missing = await backend.unavailable();
    if (missing !== null) {
      reasons.push(`${backend.name}: ${missing}`);
      continue;
    }
    try {
      return await backend.load(pkg, options.signal ? { signal: options.signal } : {});
    } catch (error) {
      // A damaged package or a cancelled load would fail the same way on the next backend.
      if (!(error instanceof LongtakeError) || error.code !== 'backend') throw error;
      reasons.push(`${backend.name}: ${error.message}`);
      causes.push(error);
    }
  }
  const why = reasons.length > 0 ? ` (${reasons.join('; ')})` : '';
  throw new LongtakeError(
    'backend',
    choice === 'auto'
      ? `No backend on this machine can run the world model${why}.`
      : `The backend “${choice}” can not run the world model here${why}.`,
    { cause: causes.length === 1 ? causes[0] : causes },
  );
}

/** A graphics driver or the browser's GPU process needs about this long to come back after a crash, ms. */
const RESTART = 1000;

/**
 * Loads a package like `loadOnBackend`, so that rollouts outlive a graphics device: when it fails, the model is loaded again
 * on the same backend, a second later once more, then on the backends that come after it (where the choice is `auto`).
 * @throws LongtakeError as `loadOnBackend`
 */
export async function loadDurably(
  pkg: WorldPackage,
  backends: readonly WorldBackend[],
  options: { backend?: BackendChoice; signal?: AbortSignal } = {},
): Promise<WorldModel> {
  const first = await loadOnBackend(pkg, backends, options);
  // The processor does not go away; trying again what failed there would fail again.
  if (first.backend === 'ort') return first;
  const same = backends.filter(({ name }) => name === first.backend);
  const others =
    options.backend === first.backend ? [] : backends.filter((backend) => !same.includes(backend));
  return new DurableWorldModel(first, async (attempt) => {
    if (attempt === 1) await new Promise((resolve) => setTimeout(resolve, RESTART));
    const candidates = attempt < 2 ? same : attempt === 2 ? others : [];
    return candidates.length > 0 ? loadOnBackend(pkg, candidates) : null;
  });
}
