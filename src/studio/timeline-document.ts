import { distinctUntilChanged, map, type Observable } from 'rxjs';
import { LongtakeError } from '../engine/types.ts';
import type { HostTheme } from '../panel/hosts/host-adapter.ts';
import type {
  PlaceCut,
  PlaceSide,
  TimelineDocument,
  TimelineGap,
  TimelineRegion,
  TimelineSelection,
} from '../panel/hosts/studio.ts';
import { projectOf, type StudioState } from './store/state.ts';
import type { Studio } from './studio.ts';
import { framesToFill, sourceRange } from './timeline/conform.ts';
import { differenceAcross } from './timeline/gap-material.ts';
import type { Clip, Project, Provenance } from './timeline/project.ts';
import { regionWithin } from './timeline/region.ts';
import { findClip, gapAfter } from './timeline/project.ts';

/** Studio's timeline as the panel's host sees it. */
export class StudioTimeline implements TimelineDocument {
  readonly theme$: Observable<HostTheme>;
  readonly selection$: Observable<{ label: string } | null>;
  readonly placed$: Observable<ReadonlySet<string>>;

  constructor(private readonly studio: Studio) {
    this.theme$ = studio.store.select((state) => state.theme);
    this.selection$ = studio.store.state$.pipe(
      map(selectedClip),
      map((clip) => clip?.label ?? null),
      distinctUntilChanged(),
      map((label) => (label === null ? null : { label })),
    );
    this.placed$ = studio.store.state$.pipe(map(projectOf), distinctUntilChanged(), map(placedClips));
  }

  selection(): TimelineSelection {
    const { state } = this.studio.store;
    const clip = selectedClip(state);
    const material = clip && this.material(clip, projectOf(state));
    if (!material) throw new LongtakeError('input', 'Select one clip on the timeline first.');
    return material;
  }

  gap(): TimelineGap {
    const { state } = this.studio.store;
    const project = projectOf(state);
    const gap = state.panel ? gapAfter(project, state.panel.clipId) : null;
    const before = gap && this.material(gap.before, project);
    const after = gap && this.material(gap.after, project);
    if (!before || !after || !project.format) {
      throw new LongtakeError('input', 'There is no gap between two clips here any more.');
    }
    const words = differenceAcross(project.media[gap.before.mediaId]!, project.media[gap.after.mediaId]!);
    if (words) throw new LongtakeError('input', words);
    const { blob, label, range } = after;
    const frameCount = framesToFill(gap.length, before.rate, project.format.rate);
    return {
      ...before,
      gap: { frameCount, after: { blob, label, range } },
      timelineFrames: gap.length,
    };
  }

  region(): TimelineRegion {
    const { state } = this.studio.store;
    const project = projectOf(state);
    const { mask } = this.studio;
    const clip = state.panel && findClip(project, state.panel.clipId)?.clip;
    const region = clip && state.panel?.region && regionWithin(clip, state.panel.region);
    const material = region && this.material(clip, project);
    if (!material || !mask || mask.clipId !== clip.id) {
      throw new LongtakeError(
        'input',
        'There is nothing to repaint here any more: choose “Repaint region…” again.',
      );
    }
    const { from, length } = region;
    const part = this.material({ ...clip, in: from, out: from + length }, project)!.range;
    const { startFrame, frameCount } = material.range;
    const before = part.startFrame - startFrame;
    return {
      ...material,
      range: { startFrame, frameCount: before },
      region: {
        range: part,
        framesAfter: frameCount - before - part.frameCount,
        mask: mask.picture(),
        share: mask.share,
      },
      from,
      timelineFrames: length,
    };
  }

  /** A clip as material for the panel; null where its media is gone. */
  private material(clip: Clip, project: Project): TimelineSelection | null {
    const media = project.media[clip.mediaId];
    if (!media || !project.format) return null;
    return {
      clipId: clip.id,
      label: clip.label,
      blob: this.studio.library.blob(media.id),
      rate: media.rate,
      size: { width: media.width, height: media.height },
      range: sourceRange(clip, media, project.format.rate),
    };
  }

  place(
    file: { blob: Blob; title: string; data: Provenance },
    anchorId: string | null,
    side: PlaceSide,
    signal: AbortSignal,
    cut?: PlaceCut,
  ): Promise<string> {
    return this.studio.place(file, anchorId, side, signal, cut);
  }
}

/** What the panel calls the clips that it made and that are on the timeline. */
function placedClips({ tracks, media }: Project): ReadonlySet<string> {
  const ids = tracks.flatMap(({ clips }) =>
    clips.map(({ mediaId }) => media[mediaId]?.provenance?.['longtake.clip'] ?? ''),
  );
  return new Set(ids.filter((id) => id !== ''));
}

/** The selected clip where exactly one is selected, otherwise null. */
function selectedClip(state: StudioState): Clip | null {
  if (state.selection.size !== 1) return null;
  const [id] = state.selection;
  return findClip(projectOf(state), id!)?.clip ?? null;
}
