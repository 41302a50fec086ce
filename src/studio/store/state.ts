import type { TaskName } from '../../engine/package/model-json.ts';
import type { History } from '../timeline/history.ts';
import { startHistory } from '../timeline/history.ts';
import type { MediaItem, Project } from '../timeline/project.ts';
import type { RegionRange } from '../timeline/region.ts';
import { emptyProject } from '../timeline/project.ts';

/** Everything Studio's screen is a picture of. Media bytes live elsewhere (media/library.ts). */
export interface StudioState {
  history: History<Project>;
  /** What the project would be if the drag under way ended now; shown in place of the project. */
  preview: Project | null;
  /** The edge of a clip is being dragged past the end of its media: how far. Let go, the panel makes what is missing. */
  stretch: Stretch | null;
  /** Point the drag under way snapped to, in timeline frames. */
  guide: number | null;
  selection: ReadonlySet<string>;
  /** Frame shown in the viewer: 0 … last frame of the project. */
  playhead: number;
  /** Frames of the project per frame of time: 0 stands still, negative runs backwards, 2 is double speed. */
  shuttle: number;
  pixelsPerFrame: number;
  snapping: boolean;
  theme: 'dark' | 'light';
  panel: PanelRequest | null;
  task: Task | null;
  notice: Notice | null;
  /** Media that a timeline names and nobody chose; it opens when the editor has decided. */
  missing: MissingMedia | null;
  /** What the world model was trained for; null while that is not known. */
  trainedFor: readonly TaskName[] | null;
  /** Whether the autosaved project has been looked for; nothing is saved before that. */
  restored: boolean;
}

/**
 * What the panel is asked to make: more of a clip, what fills the gap after it, the way back to its beginning, or a part of
 * its picture.
 */
export type PanelPurpose = 'extend' | 'gap' | 'loop' | 'region';

/** The panel is open for a clip. Every request is an object of its own, so that asking twice counts twice. */
export interface PanelRequest {
  purpose: PanelPurpose;
  /** For a gap: the clip before it. */
  clipId: string;
  direction: 'forward' | 'backward';
  /** Wanted length of the continuation, where the editor has shown it with the mouse. */
  seconds: number | null;
  /** The frames to repaint while a mask is painted; null for other purposes, and when the new frames are inserted. */
  region: RegionRange | null;
  /** Set where nothing new is made: the panel goes back to a rollout that was cut short. */
  recall: Recall | null;
}

/** A rollout that was under way when the page went away. */
export interface Recall {
  /** Id of the clip among those that the panel keeps. */
  recordId: string;
  /** Whether it goes on at once; otherwise the panel offers that. */
  go: boolean;
}

/** Frames past the end (edge `out`) or the start (edge `in`) of a clip's media. */
export interface Stretch {
  clipId: string;
  edge: 'in' | 'out';
  frames: number;
}

/** A long operation of Studio itself with a progress bar; generation shows its own in the panel. */
export interface Task {
  kind: 'import' | 'export';
  label: string;
  /** 0 … 1. */
  progress: number;
}

export interface MissingMedia {
  /** Name of the timeline. */
  name: string;
  /** Names of the files. */
  files: readonly string[];
}

export interface Notice {
  tone: 'info' | 'positive' | 'negative';
  text: string;
  serial: number;
}

/** Limits of the zoom, in pixels per frame. */
export const ZOOM = { min: 0.02, max: 48, start: 6 } as const;

/** State of a Studio that has just been opened. */
export function initialState(theme: 'dark' | 'light' = 'dark'): StudioState {
  return {
    history: startHistory(emptyProject()),
    preview: null,
    stretch: null,
    guide: null,
    selection: new Set(),
    playhead: 0,
    shuttle: 0,
    pixelsPerFrame: ZOOM.start,
    snapping: true,
    theme,
    panel: null,
    task: null,
    notice: null,
    missing: null,
    trainedFor: null,
    restored: false,
  };
}

/** The project as edited so far, without the drag under way. */
export function projectOf(state: StudioState): Project {
  return state.history.present;
}

/** The project as the screen shows it. */
export function shownProject(state: StudioState): Project {
  return state.preview ?? state.history.present;
}

/** Every media item that the project had at some time of this visit. */
export function knownMedia({ history }: StudioState): MediaItem[] {
  const { past, present, future } = history;
  const projects = [present, ...past.map(({ value }) => value), ...future.map(({ value }) => value)];
  return projects.flatMap(({ media }) => Object.values(media));
}
