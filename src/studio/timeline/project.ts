import type { Rational } from '../../engine/types.ts';

/**
 * The project: an immutable value. Every position and length on the timeline is a whole number of frames at the
 * project's rate. A clip's `in` and `out` count in the same unit (its media *conformed* to the project's rate, see
 * conform.ts), so that split, trim and move never round.
 */
export interface Project {
  name: string;
  /** Null until the first clip arrives, which sets it. */
  format: ProjectFormat | null;
  media: Readonly<Record<string, MediaItem>>;
  /** Bottom track first. */
  tracks: readonly Track[];
  /** What the OpenTimelineIO file that the project came from held beside what Studio knows; written back on save. */
  otio?: OtioFields;
}

/** Fields of an OpenTimelineIO object that Studio keeps without knowing them. */
export type OtioFields = Readonly<Record<string, unknown>>;

export interface ProjectFormat {
  rate: Rational;
  width: number;
  height: number;
}

/** One file. Its bytes live in the media library under the same id. */
export interface MediaItem {
  id: string;
  name: string;
  rate: Rational;
  /** Frames in the file, at its own rate. */
  frameCount: number;
  /** Upright display size in pixels. */
  width: number;
  height: number;
  /** Set when Longtake made the file. */
  provenance?: Provenance;
  /** The media reference of the file that the project came from. */
  otio?: OtioFields;
}

/** What is known of a generated clip: model, seed, profile and whatever else the panel recorded. */
export type Provenance = Readonly<Record<string, string>>;

export interface Track {
  id: string;
  name: string;
  /** In time order; they never overlap. */
  clips: readonly Clip[];
  otio?: OtioFields;
}

export interface Clip {
  id: string;
  mediaId: string;
  label: string;
  /** First frame on the timeline. */
  start: number;
  /** Range of the conformed media, `out` exclusive. */
  in: number;
  out: number;
  otio?: OtioFields;
}

/** Where a clip sits. */
export interface ClipPlace {
  track: Track;
  trackIndex: number;
  clip: Clip;
  index: number;
}

/** A project with one empty video track. */
export function emptyProject(name = 'Untitled'): Project {
  return { name, format: null, media: {}, tracks: [{ id: 'v1', name: 'V1', clips: [] }] };
}

/** Length of a clip in frames, at least 1. */
export function clipLength(clip: Clip): number {
  return clip.out - clip.in;
}

/** First frame after the clip. */
export function clipEnd(clip: Clip): number {
  return clip.start + clip.out - clip.in;
}

/** First frame after the last clip of any track. */
export function projectLength(project: Project): number {
  return Math.max(0, ...project.tracks.flatMap((track) => track.clips.map(clipEnd)));
}

/** The place of a clip, or null. */
export function findClip(project: Project, clipId: string): ClipPlace | null {
  for (const [trackIndex, track] of project.tracks.entries()) {
    const index = track.clips.findIndex((clip) => clip.id === clipId);
    if (index >= 0) return { track, trackIndex, clip: track.clips[index]!, index };
  }
  return null;
}

/** The topmost clip that covers a frame, or null. */
export function clipAt(project: Project, frame: number): Clip | null {
  for (let t = project.tracks.length - 1; t >= 0; t -= 1) {
    const hit = project.tracks[t]!.clips.find((clip) => frame >= clip.start && frame < clipEnd(clip));
    if (hit) return hit;
  }
  return null;
}

/** An empty stretch between two clips of a track. */
export interface Gap {
  before: Clip;
  after: Clip;
  /** First empty frame of the timeline. */
  start: number;
  /** Frames, at least 1. */
  length: number;
}

/** The gaps between the clips of a track, in time order. What lies before the first clip is none: nothing leads into it. */
export function gapsOf(track: Track): Gap[] {
  return track.clips.slice(1).flatMap((after, i) => {
    const before = track.clips[i]!;
    const start = clipEnd(before);
    return after.start > start ? [{ before, after, start, length: after.start - start }] : [];
  });
}

/** The gap, on the topmost track that has one there, in which a frame lies, or null. */
export function gapAt(project: Project, frame: number): Gap | null {
  const gaps = [...project.tracks].reverse().flatMap(gapsOf);
  return gaps.find(({ start, length }) => frame >= start && frame < start + length) ?? null;
}

/** The gap directly after a clip, or null. */
export function gapAfter(project: Project, clipId: string): Gap | null {
  return project.tracks.flatMap(gapsOf).find(({ before }) => before.id === clipId) ?? null;
}

/** All clips, in time order. */
export function allClips(project: Project): Clip[] {
  return project.tracks.flatMap((track) => track.clips).sort((a, b) => a.start - b.start);
}

/** Every frame where a clip starts or ends, and 0, in order, without repeats. */
export function cutPoints(project: Project, except?: ReadonlySet<string>): number[] {
  const points = new Set([0]);
  for (const clip of allClips(project)) {
    if (except?.has(clip.id)) continue;
    points.add(clip.start);
    points.add(clipEnd(clip));
  }
  return [...points].sort((a, b) => a - b);
}

/** A copy with another list of clips on one track; the list is sorted by start. */
export function withClips(project: Project, trackIndex: number, clips: readonly Clip[]): Project {
  const sorted = [...clips].sort((a, b) => a.start - b.start);
  return {
    ...project,
    tracks: project.tracks.map((track, i) => (i === trackIndex ? { ...track, clips: sorted } : track)),
  };
}
