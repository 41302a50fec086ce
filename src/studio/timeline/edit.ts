import { conformedLength } from './conform.ts';
import type { Clip, MediaItem, Project, ProjectFormat } from './project.ts';
import { clipEnd, clipLength, findClip, withClips } from './project.ts';

/** Adds a media item. The first one sets the project's format. */
export function addMedia(project: Project, item: MediaItem): Project {
  const format: ProjectFormat = project.format ?? { rate: item.rate, width: item.width, height: item.height };
  return { ...project, format, media: { ...project.media, [item.id]: item } };
}

/** A clip that shows the whole of a media item, starting at 0. */
export function wholeClip(project: Project, item: MediaItem, clipId: string, label = item.name): Clip {
  const rate = project.format?.rate ?? item.rate;
  const out = conformedLength(item.frameCount, item.rate, rate);
  return { id: clipId, mediaId: item.id, label, start: 0, in: 0, out };
}

/** Puts a clip after the last one of a track. */
export function appendClip(project: Project, trackIndex: number, clip: Clip): Project {
  const clips = project.tracks[trackIndex]!.clips;
  const last = clips[clips.length - 1];
  return withClips(project, trackIndex, [...clips, { ...clip, start: last ? clipEnd(last) : 0 }]);
}

/**
 * Puts a clip at a frame and makes room for it: a gap there is used first, and only what is missing moves the later
 * clips. A clip that covers the frame is not cut: the new one goes to its nearer end.
 */
export function insertClip(project: Project, trackIndex: number, clip: Clip, frame: number): Project {
  const clips = project.tracks[trackIndex]!.clips;
  const at = nearestOpening(clips, frame);
  const next = clips.find((other) => other.start >= at);
  const missing = next ? Math.max(0, clipLength(clip) - (next.start - at)) : 0;
  const moved = clips.map((other) =>
    other.start >= at ? { ...other, start: other.start + missing } : other,
  );
  return withClips(project, trackIndex, [...moved, { ...clip, start: at }]);
}

/** Puts a clip directly after another on its track, making room as `insertClip` does. */
export function insertAfter(project: Project, anchorId: string, clip: Clip): Project {
  const place = findClip(project, anchorId);
  if (!place) return project;
  return insertClip(project, place.trackIndex, clip, clipEnd(place.clip));
}

/**
 * Puts a clip directly before another on its track. A gap before the anchor is used first; what is missing moves the
 * anchor and everything after it.
 */
export function insertBefore(project: Project, anchorId: string, clip: Clip): Project {
  const place = findClip(project, anchorId);
  if (!place) return project;
  const { track, trackIndex, clip: anchor, index } = place;
  const before = track.clips[index - 1];
  const room = anchor.start - (before ? clipEnd(before) : 0);
  const missing = Math.max(0, clipLength(clip) - room);
  const moved = track.clips.map((other) =>
    other.start >= anchor.start ? { ...other, start: other.start + missing } : other,
  );
  const start = anchor.start + missing - clipLength(clip);
  return withClips(project, trackIndex, [...moved, { ...clip, start }]);
}

/** Puts a clip in the place of another: same start, later clips of the track make room where it is longer. */
export function replaceClip(project: Project, anchorId: string, clip: Clip): Project {
  const place = findClip(project, anchorId);
  if (!place) return project;
  const without = removeClips(project, new Set([anchorId]), false);
  return insertClip(without, place.trackIndex, clip, place.clip.start);
}

/** Removes clips. With `ripple`, later clips of the same track close the holes. */
export function removeClips(project: Project, ids: ReadonlySet<string>, ripple: boolean): Project {
  return project.tracks.reduce((result, track, trackIndex) => {
    let closed = 0;
    const kept: Clip[] = [];
    for (const clip of track.clips) {
      if (ids.has(clip.id)) closed += ripple ? clipLength(clip) : 0;
      else kept.push({ ...clip, start: clip.start - closed });
    }
    return kept.length === track.clips.length ? result : withClips(result, trackIndex, kept);
  }, project);
}

/**
 * Moves a clip along its track to a wanted start. Where the place is free the clip moves and leaves a gap; where
 * another clip is in the way the two are rearranged: the clip leaves its place, the hole closes, and it goes in before
 * or after the clip that it was dropped on.
 */
export function moveClip(project: Project, clipId: string, wanted: number): Project {
  const place = findClip(project, clipId);
  if (!place) return project;
  const { track, trackIndex, clip } = place;
  const start = Math.max(0, Math.round(wanted));
  if (start === clip.start) return project;
  const others = track.clips.filter((other) => other.id !== clipId);
  const end = start + clipLength(clip);
  const inTheWay = others.filter((other) => other.start < end && clipEnd(other) > start);
  if (inTheWay.length === 0) return withClips(project, trackIndex, [...others, { ...clip, start }]);

  // Moving right, the leading edge is the end; moving left, the start. Past the middle of a clip means past the clip.
  const right = start > clip.start;
  const target = right ? inTheWay[inTheWay.length - 1]! : inTheWay[0]!;
  const middle = target.start + clipLength(target) / 2;
  const after = right ? end > middle : start > middle;
  const before = others.filter((other) => (after ? other.start <= target.start : other.start < target.start));
  const previous = before[before.length - 1];
  if ((previous ?? null) === (track.clips[place.index - 1] ?? null)) return slide(project, clipId, start);

  const closed = removeClips(project, new Set([clipId]), true);
  const anchor = findClip(closed, target.id)!.clip;
  return insertAtCut(closed, trackIndex, clip, after ? clipEnd(anchor) : anchor.start);
}

/** Moves a clip as far towards a wanted start as its neighbours leave room. */
export function slide(project: Project, clipId: string, wanted: number): Project {
  const place = findClip(project, clipId);
  if (!place) return project;
  const { track, trackIndex, clip, index } = place;
  const previous = track.clips[index - 1];
  const next = track.clips[index + 1];
  const low = previous ? clipEnd(previous) : 0;
  const high = next ? next.start - clipLength(clip) : Infinity;
  const start = Math.min(high, Math.max(low, Math.round(wanted)));
  if (start === clip.start) return project;
  const clips = track.clips.map((other) => (other.id === clipId ? { ...clip, start } : other));
  return withClips(project, trackIndex, clips);
}

/**
 * Moves one edge of a clip by whole frames, as far as the media and the neighbours allow; at least one frame stays.
 * @param edge `in` moves the clip's start with its in point, `out` its end
 * @param delta frames, positive = later
 * @param ripple later clips follow, so that no gap opens; the clip's start stays where it is
 */
export function trimClip(
  project: Project,
  clipId: string,
  edge: 'in' | 'out',
  delta: number,
  ripple = false,
): Project {
  const place = findClip(project, clipId);
  if (!place) return project;
  const { track, trackIndex, clip, index } = place;
  const available = mediaLength(project, clip);
  const previous = track.clips[index - 1];
  const next = track.clips[index + 1];
  const whole = Math.round(delta);
  let trimmed: Clip;
  if (edge === 'in') {
    const room = ripple ? Infinity : clip.start - (previous ? clipEnd(previous) : 0);
    const by = Math.min(clipLength(clip) - 1, Math.max(whole, -clip.in, -room));
    trimmed = { ...clip, in: clip.in + by, start: ripple ? clip.start : clip.start + by };
  } else {
    const room = ripple || !next ? Infinity : next.start - clipEnd(clip);
    const by = Math.max(1 - clipLength(clip), Math.min(whole, available - clip.out, room));
    trimmed = { ...clip, out: clip.out + by };
  }
  if (trimmed.in === clip.in && trimmed.out === clip.out) return project;
  const shift = ripple ? clipLength(trimmed) - clipLength(clip) : 0;
  const clips = track.clips.map((other, i) => {
    if (i === index) return trimmed;
    return i > index ? { ...other, start: other.start + shift } : other;
  });
  return withClips(project, trackIndex, clips);
}

/** Cuts a clip in two before a timeline frame, which must lie inside it; otherwise the project comes back as it was. */
export function splitClip(project: Project, clipId: string, frame: number, newId: string): Project {
  const place = findClip(project, clipId);
  if (!place) return project;
  const { track, trackIndex, clip } = place;
  if (frame <= clip.start || frame >= clipEnd(clip)) return project;
  const cut = clip.in + frame - clip.start;
  const left: Clip = { ...clip, out: cut };
  const right: Clip = { ...clip, id: newId, start: frame, in: cut };
  return withClips(project, trackIndex, [...track.clips.filter((other) => other.id !== clipId), left, right]);
}

/** Length of a clip's media in project frames. */
export function mediaLength(project: Project, clip: Clip): number {
  const item = project.media[clip.mediaId];
  if (!item || !project.format) return clip.out;
  return conformedLength(item.frameCount, item.rate, project.format.rate);
}

/** `frame` itself where no clip covers it, otherwise the nearer end of the covering clip. */
function nearestOpening(clips: readonly Clip[], frame: number): number {
  const covering = clips.find((clip) => frame > clip.start && frame < clipEnd(clip));
  if (!covering) return Math.max(0, frame);
  return frame - covering.start < clipEnd(covering) - frame ? covering.start : clipEnd(covering);
}

/** Puts a clip at a cut and moves everything from there on by its whole length. */
function insertAtCut(project: Project, trackIndex: number, clip: Clip, at: number): Project {
  const clips = project.tracks[trackIndex]!.clips;
  const length = clipLength(clip);
  const moved = clips.map((other) => (other.start >= at ? { ...other, start: other.start + length } : other));
  return withClips(project, trackIndex, [...moved, { ...clip, start: at }]);
}
