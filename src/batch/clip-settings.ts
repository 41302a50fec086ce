import type { Direction, Profile } from '../engine/tasks/extend-request.ts';
import { MAX_STEPS } from '../engine/sampler/levels.ts';
import { LongtakeError } from '../engine/types.ts';
import { MAX_SECONDS } from '../media/limits.ts';

/** What is made of one clip of a batch. */
export interface ClipSettings {
  /** Length of the continuation. */
  seconds: number;
  profile: Profile;
  direction: Direction;
  /** Of the first variation; each further one takes the next number. */
  seed: number;
  /** Denoise passes; null = the profile's. */
  steps: number | null;
  /** Camera track file, relative to the project's folder; null = the model goes on as it likes. */
  camera: string | null;
}

const PROFILES: readonly Profile[] = ['draft', 'preview', 'final'];
const DIRECTIONS: readonly Direction[] = ['forward', 'backward'];
const KEYS: readonly (keyof ClipSettings)[] = ['seconds', 'profile', 'direction', 'seed', 'steps', 'camera'];

/** Settings of a batch, before clips change them; `seconds` may be left to the clips. */
export type BatchDefaults = Omit<ClipSettings, 'seconds'> & { seconds: number | null };

/**
 * A clip's own settings over those of the batch.
 * @param own what the project says of the clip (`metadata.longtake.batch`); undefined = nothing
 * @throws LongtakeError 'input' naming the setting that is wrong, unknown or missing
 */
export function readClipSettings(own: unknown, defaults: BatchDefaults): ClipSettings {
  if (own !== undefined && (typeof own !== 'object' || own === null || Array.isArray(own))) {
    throw wrong('metadata.longtake.batch', 'must be an object');
  }
  const given: Record<string, unknown> = { ...own };
  const unknown = Object.keys(given).find((key) => !KEYS.some((known) => known === key));
  if (unknown !== undefined) throw wrong(unknown, `is not known; there are ${KEYS.join(', ')}`);
  const { seconds, seed, steps, camera } = { ...defaults, ...given };
  const profile = PROFILES.find((name) => name === (given['profile'] ?? defaults.profile));
  const direction = DIRECTIONS.find((name) => name === (given['direction'] ?? defaults.direction));
  if (seconds === null) {
    throw new LongtakeError(
      'input',
      'Neither the project nor the batch says how long this clip’s continuation is to be.',
    );
  }
  if (!(typeof seconds === 'number' && seconds > 0 && seconds <= MAX_SECONDS)) {
    throw wrong('seconds', `must be a number above 0 and at most ${MAX_SECONDS}`);
  }
  if (profile === undefined) throw wrong('profile', `must be ${PROFILES.join(', ')}`);
  if (direction === undefined) throw wrong('direction', `must be ${DIRECTIONS.join(' or ')}`);
  if (!isWhole(seed, 0, 0xffffffff)) throw wrong('seed', 'must be a whole number from 0 to 4294967295');
  if (steps !== null && !isWhole(steps, 1, MAX_STEPS)) {
    throw wrong('steps', `must be a whole number from 1 to ${MAX_STEPS}`);
  }
  if (camera !== null && (typeof camera !== 'string' || camera === ''))
    throw wrong('camera', 'must name a file');
  return { seconds, profile, direction, seed, steps, camera };
}

function wrong(key: string, words: string): LongtakeError {
  return new LongtakeError('input', `The project’s setting “${key}” for this clip ${words}.`);
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}
