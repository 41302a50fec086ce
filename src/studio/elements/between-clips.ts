import { html, nothing, type TemplateResult } from 'lit';
import { shownProject, type StudioState } from '../store/state.ts';
import type { Gap, Track } from '../timeline/project.ts';
import { clipEnd, clipLength } from '../timeline/project.ts';
import { timecode } from '../timeline/timecode.ts';
import { trimDrag } from '../timeline/trim-drag.ts';
import { frameToPixel } from './geometry.ts';

/** What an extension would add, while an edge is dragged past its media. */
export function stretchBox(track: Track, state: StudioState): TemplateResult | typeof nothing {
  const { stretch, pixelsPerFrame } = state;
  const clip = track.clips.find(({ id }) => id === stretch?.clipId);
  const { format } = shownProject(state);
  if (!stretch || !clip || !format) return nothing;
  const start = stretch.edge === 'out' ? clipEnd(clip) : clip.start - stretch.frames;
  const seconds = (stretch.frames * format.rate.den) / format.rate.num;
  const x = frameToPixel(start, pixelsPerFrame);
  return html`<div
    class="stretch"
    aria-hidden="true"
    style="inset-inline-start: ${x}px; inline-size: ${stretch.frames * pixelsPerFrame}px"
  >
    <span>+${seconds.toFixed(1)} s</span>
  </div>`;
}

/**
 * What a trim does, at the side of the dragged edge that has more room.
 * @param view pixels of the timeline that are in sight
 */
export function trimNote(
  track: Track,
  state: StudioState,
  view: { from: number; to: number },
): TemplateResult | typeof nothing {
  const { format } = shownProject(state);
  const trim = trimDrag(state);
  if (!trim || !format || !track.clips.includes(trim.clip)) return nothing;
  const { clip, edge, longer } = trim;
  const x = frameToPixel(edge === 'in' ? clip.start : clipEnd(clip), state.pixelsPerFrame);
  const before = x - view.from > view.to - x;
  const by = `${longer < 0 ? '−' : '+'}${Math.abs(longer)} ${Math.abs(longer) === 1 ? 'frame' : 'frames'}`;
  return html`<div
    class="note ${before ? 'before' : ''}"
    aria-hidden="true"
    style="inset-inline-start: ${x}px"
  >
    ${by} · ${timecode(clipLength(clip), format.rate)}
  </div>`;
}

/** A gap can be reached by Tab and by the mouse like a clip; its menu fills it. */
export function gapBox({ start, length, before }: Gap, state: StudioState): TemplateResult | typeof nothing {
  const { format } = shownProject(state);
  if (!format) return nothing;
  const { pixelsPerFrame, panel } = state;
  const chosen = panel?.purpose === 'gap' && panel.clipId === before.id;
  const x = frameToPixel(start, pixelsPerFrame);
  const name = `Gap of ${length} frames, from ${timecode(start, format.rate)}`;
  return html`<div
    class="empty ${chosen ? 'chosen' : ''}"
    role="option"
    tabindex="0"
    aria-selected=${chosen}
    aria-label=${name}
    aria-haspopup="menu"
    title="Right-click to fill the gap"
    data-gap=${start}
    style="inset-inline-start: ${x}px; inline-size: ${Math.max(1, length * pixelsPerFrame - 1)}px"
  ></div>`;
}
