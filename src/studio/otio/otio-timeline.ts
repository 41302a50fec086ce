import { parseOtio } from '../../batch/otio-text.ts';
import {
  activeReference,
  isObject,
  lengthOf,
  readRange,
  schemaOf,
  type OtioRange,
  type OtioTime,
} from '../../batch/otio-time.ts';
import { LongtakeError } from '../../engine/types.ts';
import type { OtioFields, ProjectFormat, Provenance } from '../timeline/project.ts';

/** An OpenTimelineIO timeline as Studio needs it: video tracks of clips and empty stretches, and what else is to be kept. */
export interface OtioTimeline {
  name: string;
  /** What Studio wrote itself; null in files of other programs. */
  format: ProjectFormat | null;
  tracks: OtioTrack[];
  fields: OtioFields;
  /** Things in the file that Studio does not show, one sentence each. */
  notices: string[];
}

export interface OtioTrack {
  name: string;
  items: OtioItem[];
  fields: OtioFields;
}

/** Something that takes time on a track: a clip, or an empty stretch (also for what Studio can not show). */
export interface OtioItem {
  /** Null where the file does not say: then as long as the media. */
  length: OtioTime | null;
  clip: OtioTimelineClip | null;
}

export interface OtioTimelineClip {
  label: string;
  /** Address of the media file as it is written. */
  url: string;
  /** The part of the media, in the media's own time; null = all of it. */
  range: OtioRange | null;
  available: OtioRange | null;
  provenance: Provenance | null;
  fields: OtioFields;
  /** The media reference as it stands. */
  reference: OtioFields;
}

/**
 * Reads a timeline from an OpenTimelineIO file.
 * @param name the file's name; used in messages
 * @throws LongtakeError `input` where it is none, or holds no clip
 */
export function readTimeline(text: string, name: string): OtioTimeline {
  const root = timelineOf(parseOtio(text, name));
  const stack = isObject(root['tracks']) ? root['tracks'] : root;
  const notices = new Set<string>();
  const tracks: OtioTrack[] = [];
  const sound: unknown[] = [];
  for (const child of schemaOf(stack) === 'Stack' ? childrenOf(stack) : [stack]) {
    if (!isObject(child)) continue;
    if (schemaOf(child) === 'Track' && child['kind'] === 'Audio') sound.push(child);
    else tracks.push(readTrack(child, tracks.length, notices));
  }
  if (sound.length > 0) notices.add('Sound tracks are kept in the file but not shown.');
  if (!tracks.some(({ items }) => items.some(({ clip }) => clip))) {
    throw new LongtakeError('input', `“${name}” holds no video clip that Studio can show.`);
  }
  const own = longtakeOf(root);
  return {
    name: typeof root['name'] === 'string' && root['name'] !== '' ? root['name'] : nameOf(name),
    format: readFormat(own['format']),
    tracks,
    fields: {
      timeline: omit(root, ['tracks', 'children']),
      stack: omit(stack, ['children', 'tracks']),
      sound,
    },
    notices: [...notices],
  };
}

/** The timeline in a file that holds one, or whatever else it holds as one. */
function timelineOf(root: OtioFields): OtioFields {
  if (schemaOf(root) !== 'SerializableCollection') return root;
  const timelines = childrenOf(root).filter(isObject);
  return timelines.find((child) => schemaOf(child) === 'Timeline') ?? { ...root, OTIO_SCHEMA: 'Stack.1' };
}

function readTrack(track: OtioFields, index: number, notices: Set<string>): OtioTrack {
  const isTrack = schemaOf(track) === 'Track';
  const named = isTrack && typeof track['name'] === 'string' && track['name'] !== '';
  if (isTrack && isObject(track['source_range']))
    notices.add('The trim of a whole track is not taken into account.');
  const items = (isTrack ? childrenOf(track) : [track]).flatMap((child) => readItem(child, notices));
  return {
    name: named ? (track['name'] as string) : `V${index + 1}`,
    items,
    fields: isTrack ? omit(track, ['children', 'source_range']) : {},
  };
}

function readItem(item: unknown, notices: Set<string>): OtioItem[] {
  if (!isObject(item)) return [];
  const schema = schemaOf(item);
  const range = readRange(item['source_range']);
  const empty = (notice?: string): OtioItem[] => {
    if (notice !== undefined) notices.add(notice);
    const seconds = lengthOf(item);
    return [
      { length: range?.duration ?? (seconds === null ? null : { value: seconds, rate: 1 }), clip: null },
    ];
  };
  if (schema === 'Transition') {
    notices.add('Transitions are not shown; the clips beside them are cut hard.');
    return [];
  }
  if (schema === 'Gap') return empty();
  if (schema !== 'Clip') return empty('Nested tracks are not shown; their place stays empty.');
  if (item['enabled'] === false) return empty('Clips that are switched off are left out.');
  const reference = activeReference(item);
  const url =
    isObject(reference) && schemaOf(reference) === 'ExternalReference' ? reference['target_url'] : null;
  if (!isObject(reference) || typeof url !== 'string' || url === '')
    return empty('Clips without a media file are left out.');
  if (Array.isArray(item['effects']) && item['effects'].length > 0)
    notices.add('Effects and changes of speed are kept in the file but not shown.');
  const available = readRange(reference['available_range']);
  const made = longtakeOf(item)['provenance'];
  const clip: OtioTimelineClip = {
    label: typeof item['name'] === 'string' && item['name'] !== '' ? item['name'] : fileNameOf(url),
    url,
    range,
    available,
    provenance: isObject(made) ? provenanceOf(made) : null,
    fields: omit(item, ['source_range', 'name', 'media_reference']),
    reference,
  };
  return [{ length: (range ?? available)?.duration ?? null, clip }];
}

/** The last part of an address, readable: `a clip.mp4` of `file:///media/a%20clip.mp4`. */
export function fileNameOf(url: string): string {
  const last = url.split(/[\\/]/).at(-1) ?? url;
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** What Longtake wrote into an object's metadata. */
export function longtakeOf(item: OtioFields): OtioFields {
  const { metadata } = item;
  return isObject(metadata) && isObject(metadata['longtake']) ? metadata['longtake'] : {};
}

function provenanceOf(made: OtioFields): Provenance {
  const pairs = Object.entries(made).flatMap(([key, value]) =>
    typeof value === 'string' ? [[`longtake.${key}`, value] as const] : [],
  );
  return Object.fromEntries(pairs);
}

function readFormat(value: unknown): ProjectFormat | null {
  if (!isObject(value) || !isObject(value['rate'])) return null;
  const { width, height, rate } = value;
  const { num, den } = rate as OtioFields;
  return isCount(num) && isCount(den) && isCount(width) && isCount(height)
    ? { rate: { num, den }, width, height }
    : null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function childrenOf(item: OtioFields): unknown[] {
  return Array.isArray(item['children']) ? item['children'] : [];
}

function omit(object: OtioFields, keys: readonly string[]): OtioFields {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

function nameOf(file: string): string {
  return file.replace(/\.otio$/i, '');
}
