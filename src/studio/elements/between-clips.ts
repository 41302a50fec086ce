import { html, nothing, type TemplateResult } from 'lit';
import { shownProject, type StudioState } from '../store/state.ts';
import type { Gap, Track } from '../timeline/project.ts';
import { clipEnd } from '../timeline/project.ts';
import { timecode } from '../timeline/timecode.ts';
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

/** A gap can be reached by Tab and by the mouse like a clip; its menu fills it. */
export function gapBox({ start, length }: Gap, state: StudioState): TemplateResult | typeof nothing {
  const { format } = shownProject(state);
  if (!format) return nothing;
  const { pixelsPerFrame } = state;
  const x = frameToPixel(start, pixelsPerFrame);
  const name = `Gap of ${length} frames, from ${timecode(start, format.rate)}`;
  return html`<div
    class="empty"
    role="option"
    tabindex="0"
    aria-selected="false"
    aria-label=${name}
    aria-haspopup="menu"
    title="Right-click to fill the gap"
    data-gap=${start}
    style="inset-inline-start: ${x}px; inline-size: ${Math.max(1, length * pixelsPerFrame - 1)}px"
  ></div>`;
}
