import { framesAt } from '../../batch/clip-range.ts';
import type { OtioTime } from '../../batch/otio-time.ts';
import { rateToNumber } from '../../media/rational.ts';
import { LongtakeError, type Rational } from '../../engine/types.ts';
import { conformedLength } from '../timeline/conform.ts';
import type { Clip, MediaItem, Project, ProjectFormat, Track } from '../timeline/project.ts';
import type { OtioItem, OtioTimeline, OtioTimelineClip } from './otio-timeline.ts';

/**
 * A timeline as a project. The place of a clip whose media is not there stays empty.
 * @param media what there is, by the address that the timeline gives it
 * @param newId gives ids to clips
 * @returns the project, and sentences for the user
 * @throws LongtakeError `input` where no clip can be shown
 */
export function buildProject(
  timeline: OtioTimeline,
  media: ReadonlyMap<string, MediaItem>,
  newId: () => string,
): { project: Project; notices: string[] } {
  const notices = new Set(timeline.notices);
  const format = timeline.format ?? formatOf(timeline, media);
  const used: Record<string, MediaItem> = {};
  const tracks = timeline.tracks.map(({ name, items, fields }, index): Track => {
    const clips = layOut(items, format.rate, media, newId, notices);
    return { id: `v${index + 1}`, name, clips, otio: fields };
  });
  for (const { clip } of timeline.tracks.flatMap(({ items }) => items)) {
    const item = clip ? media.get(clip.url) : undefined;
    if (!clip || !item) continue;
    const provenance = clip.provenance ? { provenance: clip.provenance } : {};
    used[item.id] = { ...item, ...provenance, otio: clip.reference };
  }
  return {
    project: { name: timeline.name, format, media: used, tracks, otio: timeline.fields },
    notices: [...notices],
  };
}

/** As Studio does with clips that are opened: the first one sets rate and size. */
function formatOf(timeline: OtioTimeline, media: ReadonlyMap<string, MediaItem>): ProjectFormat {
  for (const { clip } of timeline.tracks.flatMap(({ items }) => items)) {
    const item = clip ? media.get(clip.url) : undefined;
    if (item) return { rate: item.rate, width: item.width, height: item.height };
  }
  throw new LongtakeError('input', `None of the media files of “${timeline.name}” is there.`);
}

function layOut(
  items: readonly OtioItem[],
  rate: Rational,
  media: ReadonlyMap<string, MediaItem>,
  newId: () => string,
  notices: Set<string>,
): Clip[] {
  const clips: Clip[] = [];
  // In frames, not rounded until a clip is laid down: nothing drifts where rates differ.
  let at = 0;
  for (const { length, clip } of items) {
    const item = clip ? media.get(clip.url) : undefined;
    const whole = item ? conformedLength(item.frameCount, item.rate, rate) : 0;
    const end = at + (length === null ? whole : inFrames(length, rate));
    const start = Math.round(at);
    if (clip && item) {
      const laid = cut(clip, Math.round(end) - start, whole, rate);
      if (laid.short)
        notices.add('The timeline uses frames that a media file does not have; the rest was taken.');
      if (laid.out > laid.in) {
        const { in: first, out } = laid;
        clips.push({
          id: newId(),
          mediaId: item.id,
          label: clip.label,
          start,
          in: first,
          out,
          otio: clip.fields,
        });
      }
    }
    at = end;
  }
  return clips;
}

/** The frames of the media that a clip shows, as far as the file has them. */
function cut(
  { range, available }: OtioTimelineClip,
  length: number,
  whole: number,
  rate: Rational,
): { in: number; out: number; short: boolean } {
  const origin = available === null ? 0 : inFrames(available.start, rate);
  const wanted = range === null ? 0 : Math.round(inFrames(range.start, rate) - origin);
  const first = Math.max(0, wanted);
  const out = Math.min(whole, wanted + length);
  return { in: first, out, short: first !== wanted || out !== wanted + length };
}

/** A time in frames of the project; exact where it is written at the project's own rate. */
export function inFrames(time: OtioTime, rate: Rational): number {
  return time.rate === rateToNumber(rate) ? time.value : framesAt(time, rate);
}
