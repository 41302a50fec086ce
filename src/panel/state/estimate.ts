import type { ModelJson } from '../../engine/package/model-json.ts';
import { profileWith, stepsFor } from '../../engine/scheduler/profiles.ts';
import { predictSeconds, stepsWithin, type RolloutWork } from '../../engine/scheduler/speed.ts';
import { addedByEach, sharesPasses, timesOne } from '../../engine/scheduler/together.ts';
import { PLANNED } from '../../engine/scheduler/step-budget.ts';
import { workOf, workOfGap, workOfRegion } from '../../engine/scheduler/work.ts';
import type { Profile } from '../../engine/tasks/extend-request.ts';
import type { PrefixSource } from '../hosts/host-adapter.ts';
import type { ClipPurpose, ClipRecord } from '../clips/clip-record.ts';
import { framesToMake, PROFILES, purposeOf, type PanelState } from './panel-state.ts';
import { speedKey, type MachineSpeed } from './speeds.ts';

/** What Generate has the machine do: `runs` times the same, of which only the first reads the clip where the state is kept. */
interface Task {
  work: RolloutWork;
  readFrames: number;
  newFrames: number;
  megapixels: number;
  runs: number;
  readings: number;
}

/** What was measured of this machine for the present model; null where nothing was. */
export function presentSpeed(state: PanelState): MachineSpeed | null {
  const { model, abilities, speeds } = state;
  if (!model || !abilities) return null;
  return speeds[speedKey(model, backendOf(state), abilities.adapter)] ?? null;
}

/** The backend that the model runs on, or will run on as far as that is known. */
function backendOf({ abilities, engine }: PanelState): string {
  return engine?.backend ?? abilities?.backend ?? (abilities?.webgpu ? 'webgpu' : 'ort');
}

/** Whether variations are made at the same time. */
export function makesTogether(state: PanelState): boolean {
  return sharesPasses(backendOf(state));
}

/** How many times as long as one rollout a number of them takes. */
function timesAsLong(state: PanelState, speed: MachineSpeed, runs: number): number {
  return makesTogether(state) ? timesOne(runs, speed.added) : runs;
}

/** Seconds that Generate will take with a number of passes, or null while that cannot be told. */
export function secondsWith(state: PanelState, steps: number): number | null {
  const speed = presentSpeed(state);
  const task = taskOf(state);
  if (!speed || !task) return null;
  const { work, runs, readings } = task;
  const making = predictSeconds(speed, steps, { ...work, primeChunks: 0 }) + afterModel(speed, task) / 1000;
  const reading = (work.primeChunks * speed.primeMs + beforeModel(speed, task)) / 1000;
  return timesAsLong(state, speed, runs) * making + readings * reading;
}

/** Seconds that each profile will take; null while that cannot be told. */
export function secondsByProfile(state: PanelState): Record<Profile, number> | null {
  const { model } = state;
  if (!model) return null;
  const seconds = PROFILES.map((profile) => [profile, secondsWith(state, stepsFor(model, profile))] as const);
  return seconds.every(([, value]) => value !== null)
    ? (Object.fromEntries(seconds) as Record<Profile, number>)
    : null;
}

/** Seconds that Generate will take with the present settings, or null while that cannot be told. */
export function expectedSeconds(state: PanelState): number | null {
  const { model, settings } = state;
  if (!model) return null;
  return settings.fitSeconds === null
    ? secondsWith(state, stepsFor(model, settings.profile))
    : (fitOf(state)?.seconds ?? null);
}

/**
 * Seconds that the frames of one record will take; null while that cannot be told.
 * @param reads whether its clip has to be read first
 */
export function secondsOf(state: PanelState, record: ClipRecord, reads: boolean): number | null {
  const speed = presentSpeed(state);
  const { model } = state;
  if (!model || !speed) return null;
  const { prefix, purpose = 'extend', frameCount, framesMade, size, fit } = record;
  const newFrames = frameCount - framesMade;
  const { work, readFrames } = workFor(model, prefix, purpose, newFrames);
  const frames = { newFrames, readFrames, megapixels: megapixels(size) };
  const steps = fit?.steps ?? stepsFor(model, record.profile);
  const beside = afterModel(speed, frames) + (reads ? beforeModel(speed, frames) : 0);
  return predictSeconds(speed, steps, reads ? work : { ...work, primeChunks: 0 }) + beside / 1000;
}

/**
 * What is known of the speed after variations were made at the same time.
 * @param record one of them, made from its first frame on
 * @param took seconds from when the clip was read until all were there
 */
export function withTogether(
  state: PanelState,
  record: ClipRecord,
  count: number,
  took: number,
): MachineSpeed | null {
  const speed = presentSpeed(state);
  const alone = secondsOf(state, { ...record, framesMade: 0 }, false);
  return speed && alone ? { ...speed, added: addedByEach(count, took / alone, speed.added) } : null;
}

/** What is made to be done in a given time. */
export interface Fit {
  /** Passes; those of Draft where not even that is fast enough. */
  steps: number;
  /** The best profile that has no more passes. */
  profile: Profile;
  /** Whether `steps` are more than that profile's. */
  more: boolean;
  /** Whether it will be done in time. */
  fits: boolean;
  /** Seconds that it will take. */
  seconds: number;
}

/** The most passes that leave Generate done in the time chosen; null where none is chosen or nothing was measured. */
export function fitOf(state: PanelState): Fit | null {
  const { model, settings } = state;
  const speed = presentSpeed(state);
  const task = taskOf(state);
  if (!model || !speed || !task || settings.fitSeconds === null) return null;
  const draft = stepsFor(model, 'draft');
  const { work, runs, readings } = task;
  const reading = readings * (work.primeChunks * speed.primeMs + beforeModel(speed, task));
  const one = (PLANNED * 1000 * settings.fitSeconds - reading) / timesAsLong(state, speed, runs);
  const room = (one - afterModel(speed, task)) / work.chunks;
  const steps = Math.max(draft, stepsWithin(speed, room, stepsFor(model, 'final')));
  const seconds = secondsWith(state, steps)!;
  const profile = profileBelow(model, steps);
  const more = profileWith(model, steps) === null;
  return { steps, profile, more, fits: steps > draft || seconds <= settings.fitSeconds, seconds };
}

/** The best profile with no more passes than `steps`; Draft where there is none. */
export function profileBelow(model: ModelJson, steps: number): Profile {
  return PROFILES.filter((profile) => stepsFor(model, profile) <= steps).at(-1) ?? 'draft';
}

/**
 * Corrects what frames cost by what a finished rollout took beside the model's own work.
 * @param took milliseconds a frame of the prefix and a new frame; null where nothing was read
 * @param size of the clip
 */
export function withFrameCost(
  speed: MachineSpeed,
  took: { read: number | null; make: number },
  size: { width: number; height: number },
): MachineSpeed {
  const each = megapixels(size);
  return {
    ...speed,
    readMs: took.read === null ? speed.readMs : took.read / each,
    makeMs: Math.max(0, took.make) / each,
  };
}

type Frames = Pick<Task, 'readFrames' | 'newFrames' | 'megapixels'>;

/** Milliseconds of reading the clip once, before the model sees it. */
function beforeModel({ readMs }: MachineSpeed, { readFrames, megapixels }: Frames): number {
  return megapixels * readFrames * readMs;
}

/** Milliseconds that the new frames of one rollout take when the model has made them. */
function afterModel({ makeMs }: MachineSpeed, { newFrames, megapixels }: Frames): number {
  return megapixels * newFrames * makeMs;
}

function taskOf({ model, source, settings }: PanelState): Task | null {
  if (!model || source.status !== 'ready') return null;
  const { prefix } = source;
  const newFrames = framesToMake(prefix, settings);
  const purpose = purposeOf(prefix, settings);
  return {
    ...workFor(model, prefix, purpose, newFrames),
    newFrames,
    megapixels: megapixels(prefix.size),
    runs: settings.variations,
    readings: purpose === 'extend' ? 1 : settings.variations,
  };
}

/** What has to be known of a prefix to tell the work on it. */
type PrefixFacts = Pick<PrefixSource, 'rate' | 'range'> & {
  gap?: { after: { range: { frameCount: number } } };
};

/**
 * What the model does to make frames, and how many frames of the clip are read for it.
 * @param frameCount new frames
 */
export function workFor(
  model: ModelJson,
  prefix: PrefixFacts,
  purpose: ClipPurpose,
  frameCount: number,
): { work: RolloutWork; readFrames: number } {
  const { rate, range, gap } = prefix;
  const prefixFrames = range.frameCount;
  switch (purpose) {
    case 'gap':
    case 'loop': {
      const afterFrames = gap ? gap.after.range.frameCount : prefixFrames;
      const work = workOfGap(model, { rate, beforeFrames: prefixFrames, frameCount, afterFrames });
      return { work, readFrames: prefixFrames + (gap ? work.afterFrames : 0) };
    }
    case 'region':
      return {
        work: workOfRegion(model, { rate, prefixFrames, frameCount }),
        readFrames: prefixFrames + frameCount,
      };
    case 'extend':
      return { work: workOf(model, { rate, prefixFrames, frameCount }), readFrames: prefixFrames };
  }
}

const megapixels = ({ width, height }: { width: number; height: number }) => (width * height) / 1e6;
