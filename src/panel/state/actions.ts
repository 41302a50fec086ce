import type { ModelJson } from '../../engine/package/model-json.ts';
import type { ClipRecord } from '../clips/clip-record.ts';
import type { PrefixSource } from '../hosts/host-adapter.ts';
import type {
  Abilities,
  ClipTask,
  EngineInfo,
  Notice,
  RolloutState,
  Settings,
  SourceState,
} from './panel-state.ts';
import type { Speeds } from './speeds.ts';

/** All that can happen to the panel's state. */
export type Action =
  | { type: 'abilities'; abilities: Abilities }
  | { type: 'model'; model: ModelJson }
  | { type: 'engine'; engine: EngineInfo }
  | { type: 'theme'; theme: 'light' | 'dark' }
  | { type: 'locale'; locale: string }
  | { type: 'selection'; label: string | null }
  | { type: 'placed'; ids: ReadonlySet<string> }
  | { type: 'acquire'; what: Extract<SourceState, { status: 'acquiring' }>['what'] }
  | { type: 'acquireProgress'; fraction: number }
  | { type: 'source'; prefix: PrefixSource | null }
  | { type: 'sourcePicture'; prefix: PrefixSource; picture: ImageBitmap }
  | { type: 'settings'; change: Partial<Settings> }
  | { type: 'variations'; ids: readonly string[] | null }
  /** `seconds`: what it is expected to take, where that is known. */
  | { type: 'rolloutStart'; record: ClipRecord; seconds?: number | null }
  | { type: 'rollout'; clipId: string; change: Partial<Omit<RolloutState, 'clipId'>> }
  | { type: 'rolloutEnd' }
  | { type: 'clips'; clips: readonly ClipRecord[] }
  | { type: 'clip'; record: ClipRecord }
  | { type: 'clipGone'; id: string }
  | { type: 'open'; id: string | null }
  | { type: 'clipTask'; task: ClipTask | null }
  | { type: 'reel' }
  | { type: 'notice'; notice: Notice | null }
  | { type: 'speeds'; speeds: Speeds }
  | { type: 'measuring'; measuring: boolean };
