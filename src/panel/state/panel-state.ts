import type { CameraMove } from '../../engine/camera/moves.ts';
import type { CameraTrack, LongtakeErrorCode, Rational } from '../../engine/types.ts';
import type { Direction, Profile } from '../../engine/tasks/extend-request.ts';
import type { ModelJson } from '../../engine/package/model-json.ts';
import type { PrefixSource } from '../hosts/host-adapter.ts';
import type { ClipPurpose, ClipRecord } from '../clips/clip-record.ts';
import type { Speeds } from './speeds.ts';

export const PROFILES: readonly Profile[] = ['draft', 'preview', 'final'];

/** Shortest and longest continuation the panel offers, in seconds. */
export const SECONDS_RANGE = { min: 1, max: 10 } as const;

/** Most variations that Generate makes in one go. */
export const MOST_VARIATIONS = 4;

/** Times to be done in that the panel offers, in seconds. */
export const FIT_RANGE = { min: 5, max: 600 } as const;

/** What this browser can do; found out once, when the panel opens. */
export interface Abilities {
  webgpu: boolean;
  /** The graphics device in a few words, to tell one machine's speed from another's; empty without one. */
  adapter: string;
  /** The backend that the page was built for; null where the machine decides. */
  backend: string | null;
  /** Whether finished clips can be written as H.264. */
  h264: boolean;
}

/** The loaded world model. */
export interface EngineInfo {
  model: ModelJson;
  backend: string;
}

export type SourceState =
  | { status: 'none' }
  | { status: 'acquiring'; what: 'file' | 'page' | 'selection' | 'gap' | 'region'; fraction: number }
  | { status: 'ready'; prefix: PrefixSource; picture: ImageBitmap | null };

export interface Settings {
  seconds: number;
  profile: Profile;
  /** In place of the profile: as many passes as leave everything done in this many seconds; null = the profile. */
  fitSeconds: number | null;
  direction: Direction;
  /** What is made of a clip alone; a gap or a region says for itself that it is one. */
  purpose: Exclude<ClipPurpose, 'gap' | 'region'>;
  /** 32-bit seed. */
  seed: number;
  /** Clips that Generate makes, with seeds from `seed` on. */
  variations: number;
  camera: { name: string; track: CameraTrack } | null;
  /** What the camera does in the new frames; null = as the track says, or as the model likes. */
  move: CameraMove | null;
  content: 'continuation' | 'extended';
}

export type RolloutPhase = 'loading' | 'reading' | 'priming' | 'making' | 'saving';

/** A rollout that is running. */
export interface RolloutState {
  clipId: string;
  phase: RolloutPhase;
  /** Progress inside `loading` and `priming`, 0…1; null where it is not known. */
  fraction: number | null;
  framesRead: number;
  framesMade: number;
  frameCount: number;
  secondsLeft: number | null;
}

/** Something the editor has to read; shown inline until dismissed or replaced. */
export interface Notice {
  kind: 'error' | 'done' | 'info';
  /** Code of the error; decides the translated heading. */
  code?: LongtakeErrorCode;
  /** An error's own sentence, or a key of the catalogue. */
  text: { sentence: string } | { key: NoticeKey };
  /** What it tells can be undone. */
  undo?: true;
}

export type NoticeKey = 'inserted' | 'cancelled' | 'cancelledEmpty' | 'cleared' | 'discarded';

export type ClipTask = { clipId: string; kind: 'encoding' | 'inserting'; fraction: number };

/** Everything the panel shows, apart from pixels (those are in the reel). */
export interface PanelState {
  abilities: Abilities | null;
  /** The page's world model; null until its description has come. */
  model: ModelJson | null;
  /** Null while the model is not loaded. */
  engine: EngineInfo | null;
  source: SourceState;
  /** Label of the host's selected clip. */
  selection: string | null;
  /** Generated clips that are in the document now; null where the host does not know. */
  placed: ReadonlySet<string> | null;
  settings: Settings;
  /** What is running: none, one, or variations; those made at the same time are all here, also when one is done before. */
  rollouts: readonly RolloutState[];
  clips: readonly ClipRecord[];
  /** Clip whose result is open. */
  openClipId: string | null;
  /** Clips made together that are on show side by side; null where there are none. */
  variations: readonly string[] | null;
  clipTask: ClipTask | null;
  /** Counts changes of the reel, so that viewers know when to repaint. */
  reelRevision: number;
  notice: Notice | null;
  /** What was measured of this machine, now or on an earlier visit. */
  speeds: Speeds;
  /** Whether the machine is being measured. */
  measuring: boolean;
  theme: 'light' | 'dark';
  locale: string;
}

/** Settings as the panel opens with them. */
export const initialSettings: Settings = {
  seconds: 2,
  profile: 'preview',
  fitSeconds: null,
  direction: 'forward',
  purpose: 'extend',
  seed: 1,
  variations: 1,
  camera: null,
  move: null,
  content: 'continuation',
};

/** State as the panel opens with it. */
export const initialState: PanelState = {
  abilities: null,
  model: null,
  engine: null,
  source: { status: 'none' },
  selection: null,
  placed: null,
  settings: initialSettings,
  rollouts: [],
  clips: [],
  openClipId: null,
  variations: null,
  clipTask: null,
  reelRevision: 0,
  notice: null,
  speeds: {},
  measuring: false,
  theme: 'light',
  locale: 'en-US',
};

/** Number of frames that `seconds` are at a rate: at least 1. */
export function framesFor(seconds: number, rate: Rational): number {
  return Math.max(1, Math.round((seconds * rate.num) / rate.den));
}

/** What Generate would make of a source with the present settings. */
export function purposeOf(prefix: PrefixSource, settings: Settings): ClipPurpose {
  if (prefix.gap) return 'gap';
  if (prefix.region) return 'region';
  return prefix.kind === 'none' ? 'extend' : settings.purpose;
}

/** Number of frames that Generate would make: the whole gap or region, or the chosen length. */
export function framesToMake(prefix: PrefixSource, settings: Settings): number {
  return (
    prefix.gap?.frameCount ?? prefix.region?.range.frameCount ?? framesFor(settings.seconds, prefix.rate)
  );
}

/** Whether the model was not trained for something; false while nothing is known of it. */
export function isUntrained(model: Pick<ModelJson, 'tasks'> | null, purpose: ClipPurpose): boolean {
  // A loop is closed as a gap.
  const task = purpose === 'loop' ? 'gap' : purpose;
  return model !== null && purpose !== 'extend' && !model.tasks.includes(task);
}

/** Whether a clip is in the document; where the host does not know: whether it was inserted once. */
export function isInserted({ placed }: Pick<PanelState, 'placed'>, { id, inserted }: ClipRecord): boolean {
  return placed ? placed.has(id) : inserted;
}

/** Whether nothing but the new frames can be inserted: they have a place of their own on the timeline. */
export function isNewPartOnly({ prefix, purpose }: ClipRecord): boolean {
  return prefix.kind === 'none' || purpose === 'gap' || purpose === 'region';
}

/** How far the rollouts that are running are, as one: of several at the same time the sums. */
export function progressOf(rollouts: readonly RolloutState[]): Omit<RolloutState, 'clipId'> | null {
  const [first] = rollouts;
  if (!first) return null;
  const left = rollouts.map(({ secondsLeft }) => secondsLeft).filter((seconds) => seconds !== null);
  const sum = (of: (rollout: RolloutState) => number): number =>
    rollouts.reduce((total, rollout) => total + of(rollout), 0);
  return {
    ...first,
    phase: rollouts.some(({ phase }) => phase === 'making') ? 'making' : first.phase,
    framesMade: sum(({ framesMade }) => framesMade),
    frameCount: sum(({ frameCount }) => frameCount),
    secondsLeft: left.length > 0 ? Math.max(...left) : null,
  };
}

/** The clip that is open as a result, if any. */
export function openClip(state: PanelState): ClipRecord | null {
  return state.clips.find((clip) => clip.id === state.openClipId) ?? null;
}
