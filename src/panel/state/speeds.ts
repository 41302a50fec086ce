import type { ModelJson } from '../../engine/package/model-json.ts';
import type { FrameCost } from '../../engine/scheduler/frame-cost.ts';
import type { Speed } from '../../engine/scheduler/speed.ts';

/** How fast a model is on this machine, and what a megapixel of a clip's frame costs beside it, in milliseconds. */
export type MachineSpeed = Speed &
  FrameCost & {
    /** What each further rollout at the same time adds, in parts of the first alone; left out until it was measured. */
    added?: number;
  };

/** What was measured here, by `speedKey`; the latest stands last. */
export type Speeds = Readonly<Record<string, MachineSpeed>>;

/** Measurements that are kept: hosts give little room for small values. */
const MOST_KEPT = 8;

const NUMBERS = ['passMs', 'fixedMs', 'commitMs', 'primeMs', 'readMs', 'makeMs'] as const;

/** What a speed depends on: the weights, the backend and the graphics device. */
export function speedKey(model: ModelJson, backend: string, adapter: string): string {
  const weights = model.files.find(({ path }) => path === model.world.weights)?.sha256 ?? '';
  return [model.name, weights.slice(0, 8), backend, backend === 'webgpu' ? adapter : ''].join('/');
}

/** Puts a measurement in the place of an older one. */
export function withSpeed(speeds: Speeds, key: string, speed: MachineSpeed): Speeds {
  const others = Object.entries(speeds).filter(([other]) => other !== key);
  return Object.fromEntries([...others, [key, speed] as const].slice(-MOST_KEPT));
}

/** Keeps only what is a valid table of speeds; anything else read from storage is dropped. */
export function parseSpeeds(value: unknown): Speeds {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([, speed]) => isSpeed(speed)));
}

function isSpeed(value: unknown): value is MachineSpeed {
  if (typeof value !== 'object' || value === null) return false;
  const speed = value as Record<string, unknown>;
  const { added = 0 } = speed;
  if (typeof added !== 'number' || !(added >= 0 && added <= 1)) return false;
  return NUMBERS.every((name) => Number.isFinite(speed[name]) && (speed[name] as number) >= 0);
}
