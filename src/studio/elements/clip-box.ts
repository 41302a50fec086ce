import { html, nothing } from 'lit';
import { shownProject } from '../store/state.ts';
import type { Studio } from '../studio.ts';
import type { Clip } from '../timeline/project.ts';
import { clipLength } from '../timeline/project.ts';
import { rateLabel, timecode } from '../timeline/timecode.ts';
import { frameToPixel } from './geometry.ts';
import { provenanceBadge } from './provenance.ts';
import './studio-clip.ts';

/** What a track knows of the place where a clip is drawn. */
export interface ClipView {
  /** Pixels of the track that are in sight. */
  from: number;
  to: number;
  /** The clip that Tab reaches. */
  tabStop: string | undefined;
  /** Counts arrivals of the thumbnails of the clip's media. */
  pictures: number;
}

/** A clip on its track, placed and named. */
export function clipBox(clip: Clip, { store: { state }, thumbnails }: Studio, view: ClipView) {
  const project = shownProject(state);
  const media = project.media[clip.mediaId];
  if (!media || !project.format) return nothing;
  const { pixelsPerFrame, selection } = state;
  const { rate } = project.format;
  const x = frameToPixel(clip.start, pixelsPerFrame);
  const width = Math.max(2, clipLength(clip) * pixelsPerFrame - 1);
  const selected = selection.has(clip.id);
  const badge = media.provenance ? provenanceBadge(media.provenance) : '';
  const description = [
    // What can be read on the clip comes first, word for word: people who speak to their computer say that.
    `${clip.label} ${badge}`.trim(),
    `from ${timecode(clip.start, rate)}`,
    `${clipLength(clip)} frames at ${rateLabel(rate)} fps`,
    badge ? 'made by Longtake' : '',
  ];
  return html`<studio-clip
    role="option"
    tabindex=${clip.id === view.tabStop ? 0 : -1}
    aria-selected=${selected ? 'true' : 'false'}
    aria-label=${description.filter(Boolean).join(', ')}
    aria-haspopup="menu"
    data-clip=${clip.id}
    style="inset-inline-start: ${x}px; inline-size: ${width}px"
    .clip=${clip}
    .media=${media}
    .projectRate=${rate}
    .thumbnails=${thumbnails}
    .pixelsPerFrame=${pixelsPerFrame}
    .from=${Math.max(0, view.from - x)}
    .to=${Math.max(0, view.to - x)}
    .pictures=${view.pictures}
    .selected=${selected}
  ></studio-clip>`;
}
