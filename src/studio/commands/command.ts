import type { StudioState } from '../store/state.ts';
import { projectOf } from '../store/state.ts';
import type { Studio } from '../studio.ts';
import type { Clip, Gap } from '../timeline/project.ts';
import { clipAt, findClip, gapAfter, gapAt } from '../timeline/project.ts';

/** Something the editor can do; menus, buttons and keys all go through it, so they agree on when it is possible. */
export interface Command {
  id: string;
  label: string;
  /** Keys, as `matchesKeys` reads them; the first is the one shown in menus. */
  keys: readonly string[];
  enabled(state: StudioState): boolean;
  /** Why it is not possible, where that is not plain to see; null where it is possible or plain. */
  reason?(state: StudioState): string | null;
  run(studio: Studio): void;
}

/** The gap that commands apply to: the one after the only selected clip, otherwise the one under the playhead. */
export function activeGap(state: StudioState): Gap | null {
  const project = projectOf(state);
  const [id] = state.selection;
  if (state.selection.size === 1) return gapAfter(project, id!);
  return state.selection.size === 0 ? gapAt(project, state.playhead) : null;
}

/** What the panel makes beside extensions, as a sentence says it, and the task that the model has to be trained for. */
const TASKS = {
  'fill gaps': 'gap',
  // A loop is closed as a gap between the clip's end and its own beginning.
  'close loops': 'gap',
  'repaint parts of the picture': 'region',
} as const;

/** Why something cannot be made with this model; null where it can, or nobody knows yet. */
export function untrained(state: StudioState, what: keyof typeof TASKS): string | null {
  if (state.trainedFor === null || state.trainedFor.includes(TASKS[what])) return null;
  return `The world model was not trained to ${what}.`;
}

/** The clip that edits apply to: the only selected one, otherwise the one under the playhead. */
export function activeClip(state: StudioState): Clip | null {
  const project = projectOf(state);
  if (state.selection.size === 1) {
    const [id] = state.selection;
    return findClip(project, id!)?.clip ?? null;
  }
  return state.selection.size === 0 ? clipAt(project, state.playhead) : null;
}
