import type { Action } from './actions.ts';
import { FIT_RANGE, MOST_VARIATIONS, SECONDS_RANGE, type PanelState, type Settings } from './panel-state.ts';

/** The state after an action. Pure: same state and action, same answer; returns the same object where nothing changes. */
export function reduce(state: PanelState, action: Action): PanelState {
  switch (action.type) {
    case 'abilities':
      return { ...state, abilities: action.abilities };
    case 'model':
      return { ...state, model: action.model };
    case 'engine':
      return { ...state, engine: action.engine, model: action.engine.model };
    case 'theme':
      return state.theme === action.theme ? state : { ...state, theme: action.theme };
    case 'locale':
      return state.locale === action.locale ? state : { ...state, locale: action.locale };
    case 'selection':
      return { ...state, selection: action.label };
    case 'placed':
      return { ...state, placed: action.ids };
    case 'acquire':
      return { ...state, notice: null, source: { status: 'acquiring', what: action.what, fraction: 0 } };
    case 'acquireProgress':
      return state.source.status === 'acquiring'
        ? { ...state, source: { ...state.source, fraction: clamp(action.fraction, 0, 1) } }
        : state;
    case 'source':
      return {
        ...state,
        settings: withoutPath(state.settings),
        variations: null,
        source: action.prefix
          ? { status: 'ready', prefix: action.prefix, picture: null }
          : { status: 'none' },
      };
    case 'sourcePicture':
      return state.source.status === 'ready' && state.source.prefix === action.prefix
        ? { ...state, source: { ...state.source, picture: action.picture } }
        : state;
    case 'settings':
      return { ...state, settings: validSettings({ ...state.settings, ...action.change }) };
    case 'variations':
      return { ...state, openClipId: null, variations: action.ids?.length ? action.ids : null };
    case 'rolloutStart':
      return {
        ...state,
        notice: null,
        openClipId: null,
        variations: among(state.variations, action.record.id),
        clips: upsert(state.clips, action.record),
        rollouts: [
          ...state.rollouts.filter(({ clipId }) => isRunning(state, clipId)),
          {
            clipId: action.record.id,
            phase: 'loading',
            fraction: null,
            framesRead: 0,
            framesMade: action.record.framesMade,
            frameCount: action.record.frameCount,
            secondsLeft: action.seconds ?? null,
          },
        ],
      };
    case 'rollout':
      return state.rollouts.some(({ clipId }) => clipId === action.clipId)
        ? {
            ...state,
            rollouts: state.rollouts.map((rollout) =>
              rollout.clipId === action.clipId ? { ...rollout, ...action.change } : rollout,
            ),
          }
        : state;
    case 'rolloutEnd':
      return { ...state, rollouts: [] };
    case 'clips':
      return { ...state, clips: [...action.clips].sort(newestFirst) };
    case 'clip':
      return { ...state, clips: upsert(state.clips, action.record) };
    case 'clipGone':
      return {
        ...state,
        clips: state.clips.filter((clip) => clip.id !== action.id),
        openClipId: state.openClipId === action.id ? null : state.openClipId,
        variations: without(state.variations, action.id),
      };
    case 'open':
      return {
        ...state,
        openClipId: action.id,
        variations: action.id === null ? state.variations : among(state.variations, action.id),
        notice: null,
      };
    case 'clipTask':
      return { ...state, clipTask: action.task };
    case 'reel':
      return { ...state, reelRevision: state.reelRevision + 1 };
    case 'notice':
      return { ...state, notice: action.notice };
    case 'speeds':
      return { ...state, speeds: action.speeds };
    case 'measuring':
      return state.measuring === action.measuring ? state : { ...state, measuring: action.measuring };
  }
}

const isRunning = ({ clips }: PanelState, id: string) =>
  clips.some((clip) => clip.id === id && clip.state === 'running');

const clamp = (value: number, min: number, max: number) => Math.min(max, Math.max(min, value));

const newestFirst = (a: { created: number }, b: { created: number }) => b.created - a.created;

function upsert<T extends { id: string; created: number }>(list: readonly T[], item: T): T[] {
  return [item, ...list.filter((other) => other.id !== item.id)].sort(newestFirst);
}

/** The variations on show, where a clip is one of them. */
const among = (ids: readonly string[] | null, id: string) => (ids?.includes(id) ? ids : null);

function without(ids: readonly string[] | null, id: string): readonly string[] | null {
  const rest = ids?.filter((other) => other !== id) ?? [];
  return rest.length > 0 ? rest : null;
}

/** A path belongs to the picture that it was drawn on. */
function withoutPath(settings: Settings): Settings {
  return settings.move?.kind === 'path' ? { ...settings, move: null } : settings;
}

function validSettings(settings: Settings): Settings {
  const seconds = Number.isFinite(settings.seconds)
    ? clamp(Math.round(settings.seconds * 10) / 10, SECONDS_RANGE.min, SECONDS_RANGE.max)
    : SECONDS_RANGE.min;
  const seed = Number.isFinite(settings.seed) ? Math.trunc(settings.seed) >>> 0 : 0;
  const variations = Number.isFinite(settings.variations)
    ? clamp(Math.round(settings.variations), 1, MOST_VARIATIONS)
    : 1;
  const fit = settings.fitSeconds;
  const fitSeconds =
    fit === null || !Number.isFinite(fit) ? null : clamp(Math.round(fit), FIT_RANGE.min, FIT_RANGE.max);
  return { ...settings, seconds, seed, variations, fitSeconds };
}
