import type { Observable } from 'rxjs';
import { of } from 'rxjs';
import { LongtakeError, type Rational, type RgbaFrame } from '../../engine/types.ts';
import { FrameReader } from '../reading/frame-reader.ts';
import { clipPrefix, emptyPrefix, prefixFrames } from './clip-prefix.ts';
import type {
  GapToFill,
  GeneratedClip,
  HostAdapter,
  HostAnchor,
  HostCapabilities,
  HostTheme,
  InsertReceipt,
  PrefixRequest,
  PrefixSource,
  RegionToRepaint,
} from './host-adapter.ts';

/** The selected clip of Studio's timeline as material for a prefix: its trimmed range, at the media's own rate. */
export interface TimelineSelection {
  clipId: string;
  label: string;
  blob: Blob;
  rate: Rational;
  size: { width: number; height: number };
  range: { startFrame: number; frameCount: number };
}

export type PlaceSide = 'before' | 'after' | 'replace' | 'over';

/** How much of a new clip goes on the timeline, in frames of the project. */
export interface PlaceCut {
  frames: number;
  /** Side `over`: first frame, in the anchor's conformed media. */
  from?: number;
}

/** A gap of Studio's timeline: the clip before it, and what it is filled towards. */
export interface TimelineGap extends TimelineSelection {
  gap: GapToFill;
  /** Length of the gap on the timeline, in frames of the project. */
  timelineFrames: number;
}

/** A part of the picture in some frames of a clip. The range is that of the frames before them in the clip. */
export interface TimelineRegion extends TimelineSelection {
  region: RegionToRepaint;
  /** The frames as Studio counts them: the first, in the clip's conformed media, and how many. */
  from: number;
  timelineFrames: number;
}

/** What the panel's host needs of Studio; Studio implements it, so that the panel knows nothing of Studio's insides. */
export interface TimelineDocument {
  readonly theme$: Observable<HostTheme>;
  readonly selection$: Observable<{ label: string } | null>;
  /** As the host's. */
  readonly placed$: Observable<ReadonlySet<string>>;
  /** @throws LongtakeError `input` where no single clip is selected */
  selection(): TimelineSelection;
  /** @throws LongtakeError `input` where no gap is chosen, or one that can not be filled */
  gap(): TimelineGap;
  /** @throws LongtakeError `input` where no region is chosen, or its clip has changed */
  region(): TimelineRegion;
  /**
   * One undo step.
   * @param side where it goes, seen from the anchor clip; `over` = in place of frames of it, from `cut.from` on
   * @param cut cuts the clip to `frames` on the timeline
   * @returns id of the new clip
   */
  place(
    file: { blob: Blob; title: string; data: Readonly<Record<string, string>> },
    anchorId: string | null,
    side: PlaceSide,
    signal: AbortSignal,
    cut?: PlaceCut,
  ): Promise<string>;
}

/** The panel inside Studio: prefixes come from the timeline, continuations go back beside the clip they came from. */
export class StudioHost implements HostAdapter {
  readonly capabilities: HostCapabilities = {
    host: 'studio',
    readSelection: 'timeline-clip',
    placement: 'timeline',
    dragOut: false,
  };
  readonly theme$: Observable<HostTheme>;
  readonly locale$: Observable<string>;
  readonly selection$: Observable<{ label: string } | null>;
  readonly placed$: Observable<ReadonlySet<string>>;
  private readonly reader = new FrameReader();

  constructor(private readonly timeline: TimelineDocument) {
    this.theme$ = timeline.theme$;
    this.selection$ = timeline.selection$;
    this.placed$ = timeline.placed$;
    this.locale$ = of(navigator.language);
  }

  async ready(): Promise<void> {
    // Studio is there before its panel.
  }

  async acquirePrefix(
    request: PrefixRequest,
    signal: AbortSignal,
    onProgress: (fraction: number) => void,
  ): Promise<PrefixSource> {
    switch (request.kind) {
      case 'selection': {
        const { clipId, ...clip } = this.timeline.selection();
        onProgress(1);
        return { kind: 'blob', ...clip, flattened: false, anchor: { clipId } };
      }
      case 'gap': {
        const { clipId, timelineFrames, ...clip } = this.timeline.gap();
        onProgress(1);
        return { kind: 'blob', ...clip, flattened: false, anchor: { clipId, frames: timelineFrames } };
      }
      case 'region': {
        const { clipId, from, timelineFrames, ...clip } = this.timeline.region();
        onProgress(1);
        return { kind: 'blob', ...clip, flattened: false, anchor: { clipId, from, frames: timelineFrames } };
      }
      case 'file':
        return clipPrefix(request.file, request.file.name, false, signal);
      case 'none':
        return emptyPrefix(request.size, request.rate);
      case 'page':
        throw new LongtakeError('usage', 'Studio has no pages; select a clip on the timeline.');
    }
  }

  openFrames(prefix: PrefixSource, signal: AbortSignal): AsyncIterable<RgbaFrame> {
    return prefixFrames(this.reader, prefix, signal);
  }

  async insert(
    clip: GeneratedClip,
    anchor: HostAnchor | undefined,
    signal: AbortSignal,
  ): Promise<InsertReceipt> {
    const anchorId = typeof anchor?.['clipId'] === 'string' ? anchor['clipId'] : null;
    const backward = clip.data['longtake.direction'] === 'backward';
    const { blob, title, data } = clip;
    const number = (key: string) => (typeof anchor?.[key] === 'number' ? anchor[key] : undefined);
    const [frames, from] = [number('frames'), number('from')];
    const beside = clip.content === 'extended' ? 'replace' : backward ? 'before' : 'after';
    const cut = frames === undefined ? undefined : { frames, ...(from === undefined ? {} : { from }) };
    const side = from === undefined ? beside : 'over';
    return { id: await this.timeline.place({ blob, title, data }, anchorId, side, signal, cut) };
  }

  dispose(): void {
    this.reader.dispose();
  }
}
