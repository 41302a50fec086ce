import { projectOf, type StudioState } from '../store/state.ts';
import { allClips, clipEnd, clipLength, findClip, type Clip } from './project.ts';

/** An edge of a clip that is being dragged. */
export interface TrimDrag {
  /** As it would be if the drag ended now. */
  clip: Clip;
  edge: 'in' | 'out';
  /** Frames that it has become longer by. */
  longer: number;
  /** The clip's frame at the edge, on the timeline. */
  frame: number;
}

/** The trim under way; null while there is none, or it has changed nothing yet. */
export function trimDrag(state: StudioState): TrimDrag | null {
  if (!state.preview) return null;
  for (const clip of allClips(state.preview)) {
    const before = findClip(projectOf(state), clip.id)?.clip;
    if (!before || (before.in === clip.in && before.out === clip.out)) continue;
    const edge = before.in === clip.in ? 'out' : 'in';
    const frame = edge === 'in' ? clip.start : clipEnd(clip) - 1;
    return { clip, edge, longer: clipLength(clip) - clipLength(before), frame };
  }
  return null;
}

/** The frame that the viewer shows: that at the edge while one is dragged, otherwise the one under the playhead. */
export function frameInView(state: StudioState): number {
  return trimDrag(state)?.frame ?? state.playhead;
}
