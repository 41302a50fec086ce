import { clipEnd, clipLength, findClip, withClips, type Clip, type Project } from './project.ts';

/** Frames of a clip to repaint, counted in its conformed media as the clip's `in` and `out` are: moves do not touch them. */
export interface RegionRange {
  from: number;
  /** At least 1. */
  length: number;
}

/**
 * The frames that are proposed: the whole clip, or where that is too long what begins at the playhead.
 * @param limit most frames that can be made at once
 */
export function defaultRegion(clip: Clip, playhead: number, limit: number): RegionRange {
  if (clipLength(clip) <= limit) return { from: clip.in, length: clipLength(clip) };
  const inside = playhead >= clip.start && playhead < clipEnd(clip);
  const from = inside ? clip.in + playhead - clip.start : clip.in;
  return { from, length: Math.min(limit, clip.out - from) };
}

/** The part of a range that the clip still shows; null where it shows nothing of it. */
export function regionWithin(clip: Clip, { from, length }: RegionRange): RegionRange | null {
  const first = Math.max(clip.in, from);
  const end = Math.min(clip.out, from + length);
  return end > first ? { from: first, length: end - first } : null;
}

/**
 * Moves one end of a range to a frame of the timeline. The other end stays as far as limit and clip allow.
 * @param edge `first` or `last` frame of the range
 */
export function moveRegionEdge(
  clip: Clip,
  region: RegionRange,
  edge: 'first' | 'last',
  frame: number,
  limit: number,
): RegionRange {
  const at = Math.min(clip.out - 1, Math.max(clip.in, clip.in + Math.round(frame) - clip.start));
  const last = region.from + region.length - 1;
  if (edge === 'first') {
    const end = Math.min(Math.max(at, last), at + limit - 1);
    return { from: at, length: end - at + 1 };
  }
  const first = Math.max(Math.min(at, region.from), at - limit + 1);
  return { from: first, length: at - first + 1 };
}

/**
 * Puts a clip in the place of frames of another, which it must be as long as; what is left of that on both sides stays.
 * @param restId id of what is left after the new clip
 */
export function replaceRange(
  project: Project,
  clipId: string,
  { from, length }: RegionRange,
  clip: Clip,
  restId: string,
): Project {
  const place = findClip(project, clipId);
  if (!place) return project;
  const { track, trackIndex, clip: old } = place;
  const start = old.start + from - old.in;
  const parts: Clip[] = [{ ...clip, start }];
  if (from > old.in) parts.push({ ...old, out: from });
  const end = from + length;
  if (end < old.out) {
    // Where nothing is left before, the rest is the clip itself.
    parts.push({ ...old, id: from > old.in ? restId : old.id, start: start + length, in: end });
  }
  return withClips(project, trackIndex, [...track.clips.filter(({ id }) => id !== clipId), ...parts]);
}
