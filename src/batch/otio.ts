import { LongtakeError } from '../engine/types.ts';
import { parseOtio } from './otio-text.ts';
import {
  activeReference,
  cutRange,
  innerWindow,
  isObject,
  lengthOf,
  readRange,
  schemaOf,
  type OtioRange,
  type Window,
} from './otio-time.ts';

/** A clip on a video track of a project, in the order of the project. */
export interface OtioClip {
  name: string;
  /** Names of the tracks and stacks around it, outermost first. */
  place: string[];
  media: OtioMedia;
  /** The part of the media that the edit uses, in the media's own time. Null = all of it. */
  range: OtioRange | null;
  /** What the clip's metadata say under `longtake.batch`: see `readClipSettings`. Undefined where they say nothing. */
  settings: unknown;
  /** Things in the project that are not taken into account, one sentence each. */
  notices: string[];
}

export type OtioMedia =
  | { kind: 'file'; url: string; available: OtioRange | null }
  /** Nothing that can be opened; `fault` says why. */
  | { kind: 'none'; fault: string };

type Json = Record<string, unknown>;

/** Guards against files that nest without end. */
const MAX_DEPTH = 64;

/**
 * Reads an OpenTimelineIO file. Bare `NaN` and `Infinity`, which OTIO writes and JSON does not know, count as unknown.
 * Gaps, transitions, audio tracks and disabled items are passed over.
 * @throws LongtakeError 'input'
 */
export function readOtio(text: string, name: string): OtioClip[] {
  const root = parseOtio(text, name);
  const clips: OtioClip[] = [];
  walk(root, [], null, clips, name);
  return clips;
}

/** @param window what can be seen of the item, in its own time; null = all */
function walk(item: unknown, place: string[], window: Window | null, clips: OtioClip[], name: string): void {
  if (place.length > MAX_DEPTH) throw new LongtakeError('input', `“${name}” nests its tracks too deeply.`);
  if (!isObject(item) || item['enabled'] === false) return;
  const title = typeof item['name'] === 'string' ? item['name'] : '';
  switch (schemaOf(item)) {
    case 'Timeline':
      walk(item['tracks'], title === '' ? place : [...place, title], window, clips, name);
      return;
    case 'Track':
      if (item['kind'] === 'Audio') return;
      walkTrack(item, [...place, title], innerWindow(item, window), clips, name);
      return;
    case 'Stack':
    case 'SerializableCollection':
      for (const child of childrenOf(item))
        walk(child, [...place, title], innerWindow(item, window), clips, name);
      return;
    case 'Clip':
      // A stack may be trimmed to where this one has ended already.
      if (window !== null && window.from >= (lengthOf(item) ?? Infinity)) return;
      clips.push(readClip(item, title, place, window, clips.length + 1));
      return;
    default:
      // Gap, Transition and whatever else holds no picture of its own.
      return;
  }
}

/** Items of a track follow each other; those that its trim hides are left out. */
function walkTrack(
  track: Json,
  place: string[],
  window: Window | null,
  clips: OtioClip[],
  name: string,
): void {
  let offset: number | null = 0;
  for (const child of childrenOf(track)) {
    const length = lengthOf(child);
    // Behind an item of unknown length nothing can be placed; what follows is taken whole.
    const placed = window !== null && offset !== null && length !== null;
    const seen = placed ? { from: window.from - offset!, until: window.until - offset! } : null;
    if (seen === null || (seen.from < length! - 1e-9 && seen.until > 1e-9))
      walk(child, place, seen, clips, name);
    offset = offset === null || length === null ? null : offset + length;
  }
}

function childrenOf(item: Json): unknown[] {
  return Array.isArray(item['children']) ? item['children'] : [];
}

function readClip(
  item: Json,
  title: string,
  place: string[],
  window: Window | null,
  index: number,
): OtioClip {
  const notices: string[] = [];
  const range = readRange(item['source_range']);
  if (range === null && isObject(item['source_range'])) {
    notices.push('The project gives no usable range for this clip; all of it was taken.');
  }
  if (Array.isArray(item['effects']) && item['effects'].some(isRetime)) {
    notices.push('The clip’s speed change was not taken into account.');
  }
  const media = readMedia(activeReference(item));
  const used = range ?? (media.kind === 'file' ? media.available : null);
  const seen = window !== null && used !== null ? cutRange(used, window) : range;
  return {
    name: title === '' ? nameOf(media, index) : title,
    place: place.filter((part) => part !== ''),
    media,
    range: seen,
    settings: batchSettings(item['metadata']),
    notices,
  };
}

function batchSettings(metadata: unknown): unknown {
  const longtake = isObject(metadata) ? metadata['longtake'] : undefined;
  return isObject(longtake) ? longtake['batch'] : undefined;
}

function isRetime(effect: unknown): boolean {
  return isObject(effect) && /^(LinearTimeWarp|FreezeFrame|TimeEffect)\b/.test(String(effect['OTIO_SCHEMA']));
}

function readMedia(reference: unknown): OtioMedia {
  const none = (fault: string): OtioMedia => ({ kind: 'none', fault });
  if (!isObject(reference)) return none('The project names no media for this clip.');
  const schema = schemaOf(reference);
  if (schema === 'ExternalReference') {
    const url = reference['target_url'];
    if (typeof url !== 'string' || url === '') return none('The project names no media file for this clip.');
    return { kind: 'file', url, available: readRange(reference['available_range']) };
  }
  if (schema === 'MissingReference') return none('The media of this clip is missing in the project.');
  if (schema === 'GeneratorReference')
    return none('This clip is generated by the editor (bars, titles) and has no file.');
  if (schema === 'ImageSequenceReference')
    return none('This clip is an image sequence; only video files are taken.');
  return none('The project refers to this clip’s media in a way that Longtake does not know.');
}

function nameOf(media: OtioMedia, index: number): string {
  if (media.kind === 'none') return `clip ${index}`;
  const last = media.url.split(/[\\/]/).at(-1) ?? '';
  return last.replace(/\.[^.]+$/, '') || `clip ${index}`;
}
