import { SECONDS_RANGE } from '../../panel/state/panel-state.ts';
import type { Stretch } from '../store/state.ts';
import type { StudioStore } from '../store/store.ts';
import { projectOf, shownProject } from '../store/state.ts';
import { mediaLength } from '../timeline/edit.ts';
import type { Clip } from '../timeline/project.ts';
import { clipEnd, clipLength, cutPoints, findClip } from '../timeline/project.ts';
import { snapRange } from '../timeline/snap.ts';

/** Pixels the pointer must travel before a press becomes a drag. */
const SLOP = 4;
/** Pixels within which a drag snaps. */
const REACH = 9;
/** Pixels that an edge must be dragged past the media's end to ask for an extension. */
const PAST_END = 14;

type Gesture =
  | { kind: 'scrub' }
  | { kind: 'move'; clipId: string; grab: number; start: number; live: boolean; toggled: boolean }
  | { kind: 'trim'; clipId: string; edge: 'in' | 'out'; grab: number; live: boolean };

/**
 * Turns pointer presses on the timeline into edits: a drag shows what would be, its end makes one undo step, Escape
 * takes it back.
 */
export class TimelineGestures {
  private gesture: Gesture | null = null;
  private from = 0;

  /**
   * @param toFrame timeline frame, not rounded, at a client x coordinate
   */
  constructor(
    private readonly store: StudioStore,
    private readonly toFrame: (clientX: number) => number,
  ) {}

  get dragging(): boolean {
    return this.gesture !== null;
  }

  /** A press on the ruler or on an empty track. */
  pressTime(event: PointerEvent): void {
    this.gesture = { kind: 'scrub' };
    this.capture(event);
    this.scrub(event.clientX);
  }

  /** A press on a clip, or on one of its trim handles. */
  pressClip(event: PointerEvent, clipId: string, edge: 'in' | 'out' | null): void {
    const place = findClip(projectOf(this.store.state), clipId);
    if (!place) return;
    const many = event.shiftKey || event.ctrlKey || event.metaKey;
    if (many && !edge) this.store.dispatch({ type: 'toggle-select', clipId });
    else if (!this.store.state.selection.has(clipId) || edge)
      this.store.dispatch({ type: 'select', clipIds: [clipId] });
    const grab = this.toFrame(event.clientX);
    this.gesture = edge
      ? { kind: 'trim', clipId, edge, grab, live: false }
      : { kind: 'move', clipId, grab, start: place.clip.start, live: false, toggled: many };
    this.capture(event);
  }

  move(event: PointerEvent): void {
    const { gesture } = this;
    if (!gesture) return;
    if (gesture.kind === 'scrub') {
      this.scrub(event.clientX);
      return;
    }
    if (!gesture.live && Math.abs(event.clientX - this.from) < SLOP) return;
    gesture.live = true;
    this.apply(gesture, event, false);
  }

  release(event: PointerEvent): void {
    const { gesture } = this;
    this.gesture = null;
    if (!gesture || gesture.kind === 'scrub') return;
    if (gesture.live) this.apply(gesture, event, true);
    // A click inside a selection of several means this one clip, as in every editor.
    else if (gesture.kind === 'move' && !gesture.toggled) {
      this.store.dispatch({ type: 'select', clipIds: [gesture.clipId] });
    }
  }

  /** Takes the drag back. @returns whether there was one */
  cancel(): boolean {
    const live = this.gesture !== null && this.gesture.kind !== 'scrub' && this.gesture.live;
    this.gesture = null;
    if (live) this.store.dispatch({ type: 'drag-cancel' });
    return live;
  }

  private capture(event: PointerEvent): void {
    this.from = event.clientX;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
  }

  private scrub(clientX: number): void {
    const { state } = this.store;
    const frame = Math.floor(this.toFrame(clientX));
    const snapped = state.snapping ? snapRange(frame, 0, cutPoints(shownProject(state)), this.reach()) : null;
    this.store.dispatch({ type: 'seek', frame: snapped?.frame ?? frame });
  }

  private apply(gesture: Exclude<Gesture, { kind: 'scrub' }>, event: PointerEvent, final: boolean): void {
    const { state } = this.store;
    const project = projectOf(state);
    const place = findClip(project, gesture.clipId);
    if (!place) return;
    const { clip } = place;
    const delta = Math.round(this.toFrame(event.clientX) - gesture.grab);
    const points = [...cutPoints(project, new Set([clip.id])), state.playhead];
    const reach = state.snapping ? this.reach() : -1;
    if (gesture.kind === 'move') {
      const snapped = snapRange(clip.start + delta, clipLength(clip), points, reach);
      const { frame: start, point: guide } = snapped;
      this.store.dispatch({ type: 'move', clipId: clip.id, start, final, guide });
      return;
    }
    const stretch = this.stretch(gesture, clip, delta);
    if (stretch || state.stretch) this.store.dispatch({ type: 'stretch', stretch: final ? null : stretch });
    const edge = gesture.edge === 'in' ? clip.start : clipEnd(clip);
    const snapped = snapRange(edge + delta, 0, points, reach);
    const by = snapped.frame - edge;
    this.store.dispatch({
      type: 'trim',
      clipId: clip.id,
      edge: gesture.edge,
      delta: by,
      final,
      guide: snapped.point,
      ripple: event.ctrlKey || event.metaKey,
    });
    if (final && stretch) this.extend(stretch);
  }

  /** How far an edge is dragged past the media's own end, or null while it is not, or hardly. */
  private stretch(gesture: { edge: 'in' | 'out' }, clip: Clip, delta: number): Stretch | null {
    const { state } = this.store;
    const room = gesture.edge === 'in' ? clip.in : mediaLength(projectOf(state), clip) - clip.out;
    const frames = (gesture.edge === 'in' ? -delta : delta) - room;
    if (frames * state.pixelsPerFrame < PAST_END) return null;
    return { clipId: clip.id, edge: gesture.edge, frames };
  }

  private extend({ clipId, edge, frames }: Stretch): void {
    const { format } = projectOf(this.store.state);
    if (!format) return;
    const seconds = (frames * format.rate.den) / format.rate.num;
    const { min, max } = SECONDS_RANGE;
    this.store.dispatch({
      type: 'panel-open',
      clipId,
      direction: edge === 'out' ? 'forward' : 'backward',
      seconds: Math.min(max, Math.max(min, Math.round(seconds * 10) / 10)),
    });
  }

  private reach(): number {
    return REACH / this.store.state.pixelsPerFrame;
  }
}
