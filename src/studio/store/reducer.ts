import {
  addMedia,
  appendClip,
  insertAfter,
  insertBefore,
  insertClip,
  moveClip,
  removeClips,
  replaceClip,
  splitClip,
  trimClip,
  wholeClip,
} from '../timeline/edit.ts';
import type { History } from '../timeline/history.ts';
import { record, redo, startHistory, undo } from '../timeline/history.ts';
import type { Clip, Project } from '../timeline/project.ts';
import { regionWithin, replaceRange } from '../timeline/region.ts';
import { clipEnd, findClip, projectLength } from '../timeline/project.ts';
import type { Action } from './actions.ts';
import type { PanelRequest, StudioState } from './state.ts';
import { ZOOM, projectOf } from './state.ts';

/** The next state. Pure: the same state and action always give the same answer. */
export function reduce(state: StudioState, action: Action): StudioState {
  switch (action.type) {
    case 'restore':
      return settle({
        ...state,
        restored: true,
        history: action.project ? startHistory(action.project) : state.history,
      });
    case 'open-project':
      return settle({ ...edit(state, action.project, action.label), playhead: 0, selection: new Set() });
    case 'import':
      return importMedia(state, action);
    case 'place':
      return place(state, action);
    case 'move': {
      const next = moveClip(projectOf(state), action.clipId, action.start);
      return action.final ? edit(state, next, 'Move clip') : { ...state, preview: next, guide: action.guide };
    }
    case 'trim': {
      const next = trimClip(projectOf(state), action.clipId, action.edge, action.delta, action.ripple);
      return action.final ? edit(state, next, 'Trim clip') : { ...state, preview: next, guide: action.guide };
    }
    case 'stretch':
      return { ...state, stretch: action.stretch };
    case 'drag-cancel':
      return { ...state, preview: null, stretch: null, guide: null };
    case 'split': {
      const next = splitClip(projectOf(state), action.clipId, action.frame, action.newId);
      if (next === projectOf(state)) return state;
      return { ...edit(state, next, 'Split clip'), selection: new Set([action.newId]) };
    }
    case 'remove': {
      const next = removeClips(projectOf(state), new Set(action.clipIds), action.ripple);
      const label = action.clipIds.length > 1 ? 'Delete clips' : 'Delete clip';
      return edit(state, next, label);
    }
    case 'undo':
      return settle({ ...state, history: undo(state.history), preview: null, guide: null });
    case 'redo':
      return settle({ ...state, history: redo(state.history), preview: null, guide: null });
    case 'select':
      return { ...state, selection: new Set(action.clipIds.filter((id) => findClip(projectOf(state), id))) };
    case 'toggle-select': {
      const selection = new Set(state.selection);
      if (!selection.delete(action.clipId)) selection.add(action.clipId);
      return { ...state, selection };
    }
    case 'seek': {
      const playhead = clampFrame(state, action.frame);
      const shuttle = action.keepPlaying ? state.shuttle : 0;
      return playhead === state.playhead && shuttle === state.shuttle
        ? state
        : { ...state, playhead, shuttle };
    }
    case 'shuttle':
      return action.speed === state.shuttle ? state : { ...state, shuttle: action.speed };
    case 'zoom':
      return { ...state, pixelsPerFrame: Math.min(ZOOM.max, Math.max(ZOOM.min, action.pixelsPerFrame)) };
    case 'snapping':
      return { ...state, snapping: action.on };
    case 'theme':
      return { ...state, theme: action.theme };
    case 'panel-open': {
      if (!findClip(projectOf(state), action.clipId)) return state;
      const panel = {
        purpose: action.purpose ?? 'extend',
        clipId: action.clipId,
        direction: action.direction,
        seconds: action.seconds ?? null,
        region: action.region ?? null,
        recall: action.recall ?? null,
      };
      return { ...state, panel, selection: new Set([action.clipId]), shuttle: 0 };
    }
    case 'region':
      return state.panel?.region ? { ...state, panel: { ...state.panel, region: action.region } } : state;
    case 'panel-close':
      return { ...state, panel: null };
    case 'task':
      return { ...state, task: action.task };
    case 'notice': {
      const serial = (state.notice?.serial ?? 0) + 1;
      return { ...state, notice: { tone: action.tone, text: action.text, serial } };
    }
    case 'notice-close':
      return { ...state, notice: null };
    case 'missing':
      return { ...state, missing: action.missing };
    case 'trained-for':
      return { ...state, trainedFor: action.tasks };
  }
}

function importMedia(state: StudioState, action: Extract<Action, { type: 'import' }>): StudioState {
  let project = projectOf(state);
  for (const { media, clipId } of action.items) {
    project = addMedia(project, media);
    project = appendClip(project, 0, wholeClip(project, media, clipId));
  }
  const first = action.items[0];
  if (!first) return state;
  const label = action.items.length > 1 ? 'Add clips' : 'Add clip';
  const next = edit(state, project, label);
  const start = findClip(project, first.clipId)?.clip.start ?? 0;
  return { ...next, selection: new Set([first.clipId]), playhead: start, shuttle: 0 };
}

function place(state: StudioState, action: Extract<Action, { type: 'place' }>): StudioState {
  let project = addMedia(projectOf(state), action.media);
  const whole = wholeClip(project, action.media, action.clip.id, action.clip.label);
  const clip = { ...whole, out: Math.min(whole.out, action.cut?.frames ?? Infinity) };
  const anchor = action.anchorId ? findClip(project, action.anchorId) : null;
  if (!anchor) project = insertClip(project, 0, clip, state.playhead);
  else if (action.side === 'over') project = placeOver(project, anchor.clip, clip, action);
  else if (action.side === 'replace') project = replaceClip(project, anchor.clip.id, clip);
  else if (action.side === 'after') project = insertAfter(project, anchor.clip.id, clip);
  else project = insertBefore(project, anchor.clip.id, clip);
  const next = edit(
    state,
    project,
    INSERT_LABELS[action.media.provenance?.['longtake.task'] ?? ''] ?? 'Insert continuation',
  );
  const placed = findClip(project, clip.id)!.clip;
  // The playhead goes to the cut: that is the place the editor wants to judge.
  const cut = action.side === 'before' && anchor ? clipEnd(placed) : placed.start;
  // What was painted is done with; the panel goes on showing the result.
  const panel = action.side === 'over' && state.panel ? { ...state.panel, region: null } : next.panel;
  return { ...next, panel, selection: new Set([clip.id]), playhead: cut, shuttle: 0 };
}

/** Puts repainted frames in the place of the old ones; where those are no longer there, after the clip. */
function placeOver(
  project: Project,
  anchor: Clip,
  clip: Clip,
  { cut, restId }: Extract<Action, { type: 'place' }>,
): Project {
  const range = { from: cut?.from ?? anchor.in, length: cut?.frames ?? 0 };
  const whole = regionWithin(anchor, range);
  if (whole?.length !== range.length || whole.from !== range.from || restId === undefined)
    return insertAfter(project, anchor.id, clip);
  return replaceRange(project, anchor.id, range, clip, restId);
}

/** Undo labels by what was made. */
const INSERT_LABELS: Readonly<Record<string, string>> = {
  gap: 'Fill gap',
  loop: 'Insert loop',
  region: 'Repaint region',
};

/** Records an edit as one undo step. */
function edit(state: StudioState, project: Project, label: string): StudioState {
  const history: History<Project> = record(state.history, project, label);
  return settle({ ...state, history, preview: null, stretch: null, guide: null });
}

/** Takes back what points at things that are no longer there. */
function settle(state: StudioState): StudioState {
  const project = projectOf(state);
  const selection = new Set([...state.selection].filter((id) => findClip(project, id)));
  const playhead = Math.min(state.playhead, lastFrame(project));
  return { ...state, selection, playhead, panel: panelStillOf(state.panel, project) };
}

/** The panel closes with its clip, unless it only shows what has taken that clip's place. */
function panelStillOf(panel: PanelRequest | null, project: Project): PanelRequest | null {
  const delivered = panel?.purpose === 'region' && !panel.region;
  return panel && (delivered || findClip(project, panel.clipId)) ? panel : null;
}

function clampFrame(state: StudioState, frame: number): number {
  return Math.min(lastFrame(projectOf(state)), Math.max(0, Math.round(frame)));
}

/** The playhead always stands on a frame that exists; 0 in an empty project. */
function lastFrame(project: Project): number {
  return Math.max(0, projectLength(project) - 1);
}
