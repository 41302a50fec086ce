/** A time as OpenTimelineIO writes it: `value` units of 1/`rate` seconds. */
export interface OtioTime {
  value: number;
  rate: number;
}

export interface OtioRange {
  start: OtioTime;
  duration: OtioTime;
}

/** Part of an item's own time that can be seen, in seconds. */
export interface Window {
  from: number;
  until: number;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Name of an item's schema without its version: `Clip`. */
export function schemaOf(item: Record<string, unknown>): string {
  return String(item['OTIO_SCHEMA'] ?? '').split('.')[0]!;
}

/** A TimeRange, or null where it is missing or holds numbers that are none. */
export function readRange(value: unknown): OtioRange | null {
  if (!isObject(value)) return null;
  const start = readTime(value['start_time']);
  const duration = readTime(value['duration']);
  return start === null || duration === null ? null : { start, duration };
}

function readTime(value: unknown): OtioTime | null {
  if (!isObject(value)) return null;
  const { value: units, rate } = value;
  if (typeof units !== 'number' || typeof rate !== 'number') return null;
  return Number.isFinite(units) && Number.isFinite(rate) && rate > 0 ? { value: units, rate } : null;
}

export function seconds({ value, rate }: OtioTime): number {
  return value / rate;
}

/** The media reference a clip uses: Clip.2 has several and names the active one, Clip.1 has one. */
export function activeReference(clip: Record<string, unknown>): unknown {
  const references = clip['media_references'];
  if (isObject(references)) {
    const key = clip['active_media_reference_key'];
    return references[typeof key === 'string' ? key : 'DEFAULT_MEDIA'];
  }
  return clip['media_reference'];
}

/** How long an item lasts on its track, in seconds; null where the project does not say. */
export function lengthOf(item: unknown): number | null {
  if (!isObject(item)) return 0;
  const range = readRange(item['source_range']);
  if (range !== null) return seconds(range.duration);
  const children = Array.isArray(item['children']) ? item['children'] : [];
  switch (schemaOf(item)) {
    case 'Clip': {
      const reference = activeReference(item);
      const available = isObject(reference) ? readRange(reference['available_range']) : null;
      return available === null ? null : seconds(available.duration);
    }
    case 'Gap':
      return null;
    case 'Track':
      return children
        .map(lengthOf)
        .reduce((sum, length) => (sum === null || length === null ? null : sum + length), 0);
    case 'Stack':
      return children
        .map(lengthOf)
        .reduce((most, length) => (most === null || length === null ? null : Math.max(most, length)), 0);
    default:
      // Transitions lie over their neighbours and take no time of their own.
      return 0;
  }
}

/** The part of a group's own time that can be seen, given what its parent shows of it. */
export function innerWindow(group: Record<string, unknown>, window: Window | null): Window | null {
  const range = readRange(group['source_range']);
  if (range === null) return window;
  const from = seconds(range.start);
  const until = from + seconds(range.duration);
  if (window === null) return { from, until };
  return { from: from + window.from, until: Math.min(until, from + window.until) };
}

/** Cuts a clip's range to the seconds that can be seen of it, counted from the range's start. */
export function cutRange(range: OtioRange, { from, until }: Window): OtioRange {
  const { start, duration } = range;
  const left = Math.max(0, from);
  const right = Math.min(seconds(duration), until);
  return {
    start: { value: start.value + left * start.rate, rate: start.rate },
    duration: { value: (right - left) * duration.rate, rate: duration.rate },
  };
}
