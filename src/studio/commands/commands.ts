import { ZOOM, projectOf } from '../store/state.ts';
import type { StudioState } from '../store/state.ts';
import type { ExportFormat } from '../exporter.ts';
import type { Studio } from '../studio.ts';
import { clipEnd, cutPoints, projectLength } from '../timeline/project.ts';
import { differenceAcross } from '../timeline/gap-material.ts';
import type { Command } from './command.ts';
import { activeClip, activeGap, untrained } from './command.ts';

const always = () => true;
const hasClips = (state: StudioState) => projectLength(projectOf(state)) > 0;
const hasActive = (state: StudioState) => activeClip(state) !== null;

function canSplit(state: StudioState): boolean {
  const clip = activeClip(state);
  return clip !== null && state.playhead > clip.start && state.playhead < clipEnd(clip);
}

function targets(state: StudioState): string[] {
  const active = activeClip(state);
  return state.selection.size > 0 ? [...state.selection] : active ? [active.id] : [];
}

function seek(studio: Studio, frame: (state: StudioState) => number): void {
  studio.store.dispatch({ type: 'seek', frame: frame(studio.store.state) });
}

/** Speeds of J and L pressed again and again. */
function faster(speed: number, direction: 1 | -1): number {
  return speed * direction > 0 ? Math.max(-8, Math.min(8, speed * 2)) : direction;
}

function step(id: string, label: string, keys: string[], by: number): Command {
  return { id, label, keys, enabled: hasClips, run: (s) => seek(s, (state) => state.playhead + by) };
}

function extend(id: string, label: string, keys: string[], direction: 'forward' | 'backward'): Command {
  return {
    id,
    label,
    keys,
    enabled: hasActive,
    run: ({ store }) => {
      store.dispatch({ type: 'panel-open', clipId: activeClip(store.state)!.id, direction });
    },
  };
}

/** Why the active gap cannot be filled, in words. */
function whyNotGap(state: StudioState): string | null {
  const gap = activeGap(state);
  if (!gap) return null;
  const { media } = projectOf(state);
  const [before, after] = [media[gap.before.mediaId], media[gap.after.mediaId]];
  return untrained(state, 'fill gaps') ?? (before && after ? differenceAcross(before, after) : null);
}

const whyNoRepaint = (state: StudioState) => untrained(state, 'repaint parts of the picture');

const whyNoLoop = (state: StudioState) => untrained(state, 'close loops');

const canExport = (state: StudioState) => hasClips(state) && state.task === null;

function exporting(id: string, label: string, format: ExportFormat): Command {
  return { id, label, keys: [], enabled: canExport, run: ({ exporter }) => void exporter.export(format) };
}

function trimTo(id: string, label: string, key: string, edge: 'in' | 'out'): Command {
  return {
    id,
    label,
    keys: [key],
    enabled: canSplit,
    run: ({ store }) => {
      const { state } = store;
      const clip = activeClip(state)!;
      const delta = edge === 'in' ? state.playhead - clip.start : state.playhead + 1 - clipEnd(clip);
      store.dispatch({ type: 'trim', clipId: clip.id, edge, delta, final: true, guide: null, ripple: true });
      // What follows moved up to the clip's start, so the frame under the eye stays the same.
      if (edge === 'in') store.dispatch({ type: 'seek', frame: clip.start });
    },
  };
}

function nudge(id: string, label: string, keys: string[], by: number): Command {
  return {
    id,
    label,
    keys,
    enabled: hasActive,
    run: ({ store }) => {
      const clip = activeClip(store.state)!;
      store.dispatch({ type: 'move', clipId: clip.id, start: clip.start + by, final: true, guide: null });
    },
  };
}

function remove(id: string, label: string, keys: string[], ripple: boolean): Command {
  return {
    id,
    label,
    keys,
    enabled: (state) => targets(state).length > 0,
    run: ({ store }) => store.dispatch({ type: 'remove', clipIds: targets(store.state), ripple }),
  };
}

function zoomBy(id: string, label: string, keys: string[], factor: number): Command {
  return {
    id,
    label,
    keys,
    enabled: ({ pixelsPerFrame }) => (factor > 1 ? pixelsPerFrame < ZOOM.max : pixelsPerFrame > ZOOM.min),
    run: ({ store }) => store.dispatch({ type: 'zoom', pixelsPerFrame: store.state.pixelsPerFrame * factor }),
  };
}

/** Every command of Studio but opening files and menus, which need an element to start from. */
export const commands = {
  undo: {
    id: 'undo',
    label: 'Undo',
    keys: ['Mod+z'],
    enabled: (state) => state.history.past.length > 0,
    run: ({ store }) => store.dispatch({ type: 'undo' }),
  },
  redo: {
    id: 'redo',
    label: 'Redo',
    keys: ['Mod+Shift+z', 'Mod+y'],
    enabled: (state) => state.history.future.length > 0,
    run: ({ store }) => store.dispatch({ type: 'redo' }),
  },
  exportMp4: exporting('export-mp4', 'MP4 video (H.264)', 'mp4'),
  exportWebm: exporting('export-webm', 'WebM video (VP9)', 'webm'),
  exportPng: exporting('export-png', 'PNG pictures (zip)', 'png'),
  saveTimeline: {
    id: 'save-timeline',
    label: 'Save timeline (OpenTimelineIO)',
    keys: ['Mod+s'],
    enabled: hasClips,
    run: ({ exporter }) => exporter.saveTimeline(),
  },
  saveWithClips: {
    id: 'save-with-clips',
    label: 'Save timeline with its clips (zip)',
    keys: ['Mod+Shift+s'],
    enabled: canExport,
    run: ({ exporter }) => void exporter.saveWithClips(),
  },
  extend: extend('extend', 'Extend clip…', ['e'], 'forward'),
  extendBackwards: extend('extend-backwards', 'Extend backwards…', ['Shift+e'], 'backward'),
  fillGap: {
    id: 'fill-gap',
    label: 'Fill gap…',
    keys: ['g'],
    enabled: (state) => activeGap(state) !== null && whyNotGap(state) === null,
    reason: whyNotGap,
    run: ({ store }) => {
      const clipId = activeGap(store.state)!.before.id;
      store.dispatch({ type: 'panel-open', clipId, direction: 'forward', purpose: 'gap' });
    },
  },
  makeLoop: {
    id: 'make-loop',
    label: 'Make loop…',
    keys: ['Shift+l'],
    enabled: (state) => hasActive(state) && whyNoLoop(state) === null,
    reason: whyNoLoop,
    run: ({ store }) => {
      const clipId = activeClip(store.state)!.id;
      store.dispatch({ type: 'panel-open', clipId, direction: 'forward', purpose: 'loop' });
    },
  },
  repaint: {
    id: 'repaint',
    label: 'Repaint region…',
    keys: ['r'],
    enabled: (state) => hasActive(state) && whyNoRepaint(state) === null,
    reason: whyNoRepaint,
    run: (studio) => studio.repaint(activeClip(studio.store.state)!),
  },
  batchPreview: {
    id: 'batch-preview',
    label: 'Batch preview…',
    keys: ['b'],
    enabled: hasClips,
    run: ({ batch }) => batch.open(),
  },
  split: {
    id: 'split',
    label: 'Split at playhead',
    keys: ['s', 'Mod+k'],
    enabled: canSplit,
    run: ({ store }) => {
      const { state } = store;
      const clipId = activeClip(state)!.id;
      store.dispatch({ type: 'split', clipId, frame: state.playhead, newId: crypto.randomUUID() });
    },
  },
  trimStart: trimTo('trim-start', 'Trim start to playhead', 'q', 'in'),
  trimEnd: trimTo('trim-end', 'Trim end to playhead', 'w', 'out'),
  nudgeLeft: nudge('nudge-left', 'Move one frame left', ['Alt+ArrowLeft'], -1),
  nudgeRight: nudge('nudge-right', 'Move one frame right', ['Alt+ArrowRight'], 1),
  rippleDelete: remove('ripple-delete', 'Delete', ['Delete', 'Backspace'], true),
  lift: remove('lift', 'Delete and leave gap', ['Shift+Delete', 'Shift+Backspace'], false),
  selectAll: {
    id: 'select-all',
    label: 'Select all',
    keys: ['Mod+a'],
    enabled: hasClips,
    run: ({ store }) => {
      const clipIds = projectOf(store.state).tracks.flatMap((track) => track.clips.map((clip) => clip.id));
      store.dispatch({ type: 'select', clipIds });
    },
  },
  deselect: {
    id: 'deselect',
    label: 'Deselect',
    keys: ['Escape'],
    enabled: (state) => state.selection.size > 0,
    run: ({ store }) => store.dispatch({ type: 'select', clipIds: [] }),
  },
  playPause: {
    id: 'play-pause',
    label: 'Play or pause',
    keys: [' ', 'k'],
    enabled: hasClips,
    run: ({ store }) => store.dispatch({ type: 'shuttle', speed: store.state.shuttle === 0 ? 1 : 0 }),
  },
  forward: {
    id: 'forward',
    label: 'Play forwards, again for faster',
    keys: ['l'],
    enabled: hasClips,
    run: ({ store }) => store.dispatch({ type: 'shuttle', speed: faster(store.state.shuttle, 1) }),
  },
  backward: {
    id: 'backward',
    label: 'Play backwards, again for faster',
    keys: ['j'],
    enabled: hasClips,
    run: ({ store }) => store.dispatch({ type: 'shuttle', speed: faster(store.state.shuttle, -1) }),
  },
  stepBack: step('step-back', 'One frame back', ['ArrowLeft'], -1),
  stepForward: step('step-forward', 'One frame forward', ['ArrowRight'], 1),
  leapBack: step('leap-back', 'Ten frames back', ['Shift+ArrowLeft'], -10),
  leapForward: step('leap-forward', 'Ten frames forward', ['Shift+ArrowRight'], 10),
  toStart: {
    id: 'to-start',
    label: 'To the start',
    keys: ['Home'],
    enabled: hasClips,
    run: (studio) => seek(studio, () => 0),
  },
  toEnd: {
    id: 'to-end',
    label: 'To the last frame',
    keys: ['End'],
    enabled: hasClips,
    run: (studio) => seek(studio, (state) => projectLength(projectOf(state)) - 1),
  },
  previousCut: {
    id: 'previous-cut',
    label: 'To the previous cut',
    keys: ['ArrowUp'],
    enabled: hasClips,
    run: (studio) =>
      seek(studio, (state) => cutPoints(projectOf(state)).findLast((cut) => cut < state.playhead) ?? 0),
  },
  nextCut: {
    id: 'next-cut',
    label: 'To the next cut',
    keys: ['ArrowDown'],
    enabled: hasClips,
    run: (studio) =>
      seek(studio, (state) => {
        const cut = cutPoints(projectOf(state)).find((point) => point > state.playhead);
        return cut ?? state.playhead;
      }),
  },
  zoomIn: zoomBy('zoom-in', 'Zoom in', ['+', '='], 1.5),
  zoomOut: zoomBy('zoom-out', 'Zoom out', ['-'], 1 / 1.5),
  snapping: {
    id: 'snapping',
    label: 'Snapping on or off',
    keys: ['n'],
    enabled: always,
    run: ({ store }) => store.dispatch({ type: 'snapping', on: !store.state.snapping }),
  },
} as const satisfies Record<string, Command>;

/** What the Export button offers. */
export const exportMenu: readonly Command[] = [commands.exportMp4, commands.exportWebm, commands.exportPng];

/** The commands of a clip's context menu, in groups. */
export const clipMenu: readonly (readonly Command[])[] = [
  [commands.extend, commands.extendBackwards, commands.makeLoop, commands.repaint, commands.batchPreview],
  [commands.split, commands.trimStart, commands.trimEnd],
  [commands.rippleDelete, commands.lift],
];

/** The commands of a gap's context menu. */
export const gapMenu: readonly (readonly Command[])[] = [[commands.fillGap]];
