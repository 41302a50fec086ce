import { LongtakeError } from '../types.ts';
import type { WorldPackage } from '../package/world-package.ts';
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
