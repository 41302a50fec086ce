import type { Target } from 'mediabunny';
import { LongtakeError } from '../../engine/types.ts';
import type { ColourTags } from '../../media/colour.ts';
import { REC709 } from '../../media/colour.ts';
import type { ClipFormat } from '../../media/clip-writer.ts';
import { ClipWriter } from '../../media/clip-writer.ts';
import type { YuvPicture } from '../../media/picture.ts';
import { frameOfClip } from '../timeline/conform.ts';
import type { Clip, Project, ProjectFormat } from '../timeline/project.ts';
import { clipAt, clipEnd, projectLength } from '../timeline/project.ts';
import { blackPicture, fitPicture } from './fit-picture.ts';
import type { MediaLibrary } from './library.ts';

export interface ExportProgress {
  signal: AbortSignal;
  /** What is written so far, of how much. */
  onProgress(done: number, total: number): void;
}

export interface ExportOptions extends ExportProgress {
  format: ClipFormat;
  target: Target;
}

/** A stretch of the timeline with one source: a clip (the topmost) or nothing. */
interface Stretch {
  start: number;
  end: number;
  clip: Clip | null;
}

/**
 * Writes the whole timeline as one video, frame by frame: the topmost clip at each frame, black in gaps. Sizes other
 * than the project's are fitted inside it.
 * @returns number of frames written
 * @throws LongtakeError `input` (empty project, damaged media), `output`, `cancelled`; the target is then worthless
 */
export async function exportTimeline(
  project: Project,
  library: MediaLibrary,
  options: ExportOptions,
): Promise<number> {
  const { format } = project;
  const total = projectLength(project);
  if (!format || total === 0) throw new LongtakeError('input', 'There is nothing on the timeline to export.');
  const colour = await exportColour(project, library);
  const writer = new ClipWriter({
    format: options.format,
    size: { width: format.width, height: format.height },
    rate: format.rate,
    colour,
    target: options.target,
  });
  try {
    for await (const picture of timelinePictures(project, format, library, colour, options.signal)) {
      await writer.addPicture(picture);
      options.onProgress(writer.frameCount, total);
    }
    await writer.finish();
  } catch (error) {
    await writer.cancel();
    throw error;
  }
  return writer.frameCount;
}

/**
 * Every frame of the timeline, in order: the topmost clip, black in gaps, all of one size and colour.
 * @throws LongtakeError `input` (damaged media), `cancelled`
 */
export async function* timelinePictures(
  project: Project,
  format: ProjectFormat,
  library: MediaLibrary,
  colour: ColourTags,
  signal: AbortSignal,
): AsyncGenerator<YuvPicture> {
  for (const stretch of stretches(project))
    yield* stretchPictures(stretch, project, format, library, colour, signal);
}

/** The timeline cut wherever its topmost clip changes, without holes. */
export function stretches(project: Project): Stretch[] {
  const total = projectLength(project);
  const cuts = new Set([0, total]);
  for (const clip of project.tracks.flatMap((track) => track.clips)) cuts.add(clip.start).add(clipEnd(clip));
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted
    .slice(0, -1)
    .map((start, i) => ({ start, end: sorted[i + 1]!, clip: clipAt(project, start) }));
}

/** The export carries the colour tags of the first clip, so that its pictures pass through unchanged. */
export async function exportColour(project: Project, library: MediaLibrary): Promise<ColourTags> {
  const first = stretches(project).find((stretch) => stretch.clip)?.clip;
  return first ? (await library.open(first.mediaId)).facts.colour : REC709;
}

async function* stretchPictures(
  stretch: Stretch,
  project: Project,
  format: ProjectFormat,
  library: MediaLibrary,
  colour: ColourTags,
  signal: AbortSignal,
): AsyncGenerator<YuvPicture> {
  const { clip, start, end } = stretch;
  if (!clip) {
    const black = blackPicture(format, colour);
    for (let frame = start; frame < end; frame += 1) {
      if (signal.aborted) throw new LongtakeError('cancelled', 'The export was cancelled.');
      yield black;
    }
    return;
  }
  const item = project.media[clip.mediaId]!;
  const opened = await library.open(clip.mediaId);
  const first = frameOfClip(clip, item, format.rate, start);
  const count = frameOfClip(clip, item, format.rate, end - 1) - first + 1;
  const source = opened.pictures(first, count, signal);
  try {
    let at = first - 1;
    let picture: YuvPicture | null = null;
    for (let frame = start; frame < end; frame += 1) {
      const wanted = frameOfClip(clip, item, format.rate, frame);
      let fresh: YuvPicture | null = null;
      for (; at < wanted; at += 1) {
        const next = await source.next();
        if (next.done) break;
        fresh = next.value;
      }
      if (fresh) picture = await fitPicture(fresh, opened.facts.colour, format, colour);
      yield picture!;
    }
  } finally {
    await source.return(undefined);
  }
}
