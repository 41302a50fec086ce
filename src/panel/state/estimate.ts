import type { Profile } from '../../engine/tasks/extend-request.ts';

/** Measured cost on this machine: seconds of work for one frame, by `backend/profile`. */
export type Timings = Readonly<Record<string, number>>;

/** Notes a finished rollout's figure. A new measurement outweighs the old: machines and models change. */
export function withMeasurement(
  timings: Timings,
  backend: string,
  profile: Profile,
  msPerFrame: number,
): Timings {
  if (!Number.isFinite(msPerFrame) || msPerFrame <= 0) return timings;
  return { ...timings, [`${backend}/${profile}`]: msPerFrame / 1000 };
}

/** Seconds that `frames` new frames will take here, or null while nothing was measured for this profile. */
export function estimateSeconds(
  timings: Timings,
  backend: string,
  profile: Profile,
  frames: number,
): number | null {
  const each = timings[`${backend}/${profile}`];
  return each === undefined ? null : each * frames;
}

/** Keeps only what is a valid table of timings; anything else read from storage is dropped. */
export function parseTimings(value: unknown): Timings {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter(
      (entry): entry is [string, number] =>
        typeof entry[1] === 'number' && Number.isFinite(entry[1]) && entry[1] > 0,
    ),
  );
}
