import { isObject, readRange, type OtioRange } from '../../batch/otio-time.ts';
import { rateToNumber } from '../../media/rational.ts';
import type { Rational } from '../../engine/types.ts';
import {
  clipEnd,
  clipLength,
  type Clip,
  type MediaItem,
  type OtioFields,
  type Project,
  type Track,
} from '../timeline/project.ts';
import { inFrames } from './build-project.ts';
import { longtakeOf } from './otio-timeline.ts';

/**
 * The project as an OpenTimelineIO file: tracks of clips and gaps, times in whole frames of the project, media by file
 * name. What a file that was opened held beside that is written back.
 * @param names file name of each media item, by id; see `mediaFileNames`
 * @param relink names the media by these names also where the file that was opened gave another address
 */
export function writeTimeline(project: Project, names: ReadonlyMap<string, string>, relink = false): string {
  const { timeline, stack, sound } = project.otio ?? {};
  const rate = project.format?.rate ?? { num: 24, den: 1 };
  const root = isObject(timeline) && String(timeline['OTIO_SCHEMA']).startsWith('Timeline') ? timeline : {};
  const around = isObject(stack) && String(stack['OTIO_SCHEMA']).startsWith('Stack') ? stack : {};
  const tracks = project.tracks.map((track) => writeTrack(track, project, rate, names, relink));
  const file = {
    OTIO_SCHEMA: 'Timeline.1',
    global_start_time: null,
    ...root,
    name: project.name,
    metadata: withLongtake(root, project.format ? { format: project.format } : {}),
    tracks: {
      OTIO_SCHEMA: 'Stack.1',
      name: 'tracks',
      ...item(around),
      source_range: null,
      children: [...tracks, ...(Array.isArray(sound) ? (sound as unknown[]) : [])],
    },
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/**
 * A file name for every media item on the timeline, each only once: two clips of one name must not become one file.
 * A clip that Longtake made has no ending yet and gets one.
 */
export function mediaFileNames(project: Project): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const clip of project.tracks.flatMap(({ clips }) => clips)) {
    const media = project.media[clip.mediaId];
    if (!media || names.has(media.id)) continue;
    const [, stem, ending] = /^(.*?)(\.[a-z0-9]{2,4})?$/i.exec(media.name.replace(/[\\/:*?"<>|]/g, '-'))!;
    const name = (n: number) => `${stem}${n > 1 ? ` (${n})` : ''}${ending ?? '.mp4'}`;
    let n = 1;
    while (taken.has(name(n).toLowerCase())) n += 1;
    taken.add(name(n).toLowerCase());
    names.set(media.id, name(n));
  }
  return names;
}

function writeTrack(
  track: Track,
  project: Project,
  rate: Rational,
  names: ReadonlyMap<string, string>,
  relink: boolean,
): OtioFields {
  const children: OtioFields[] = [];
  let end = 0;
  for (const clip of track.clips) {
    if (clip.start > end) children.push(writeGap(clip.start - end, rate));
    children.push(writeClip(clip, project.media[clip.mediaId]!, rate, names, relink));
    end = clipEnd(clip);
  }
  return {
    OTIO_SCHEMA: 'Track.1',
    kind: 'Video',
    ...item(track.otio),
    name: track.name,
    source_range: null,
    children,
  };
}

function writeGap(length: number, rate: Rational): OtioFields {
  return { OTIO_SCHEMA: 'Gap.1', ...item(), name: '', source_range: range(0, length, rate) };
}

function writeClip(
  clip: Clip,
  media: MediaItem,
  rate: Rational,
  names: ReadonlyMap<string, string>,
  relink: boolean,
): OtioFields {
  const kept = clip.otio ?? {};
  const available = media.otio ? readRange(media.otio['available_range']) : null;
  const origin = available === null ? 0 : inFrames(available.start, rate);
  const key =
    typeof kept['active_media_reference_key'] === 'string'
      ? kept['active_media_reference_key']
      : 'DEFAULT_MEDIA';
  const others = isObject(kept['media_references']) ? kept['media_references'] : {};
  const provenance = media.provenance
    ? Object.fromEntries(
        Object.entries(media.provenance).map(([name, value]) => [name.replace(/^longtake\./, ''), value]),
      )
    : null;
  return {
    ...item(kept),
    OTIO_SCHEMA: 'Clip.2',
    name: clip.label,
    metadata: withLongtake(kept, provenance ? { provenance } : {}),
    source_range: range(origin + clip.in, clipLength(clip), rate),
    media_references: { ...others, [key]: writeReference(media, available, names.get(media.id), relink) },
    active_media_reference_key: key,
  };
}

function writeReference(
  media: MediaItem,
  available: OtioRange | null,
  name: string | undefined,
  relink: boolean,
): OtioFields {
  const own = { name: '', metadata: {}, available_image_bounds: null, ...media.otio };
  const url = media.otio?.['target_url'];
  return {
    OTIO_SCHEMA: 'ExternalReference.1',
    ...own,
    available_range:
      available === null ? range(0, media.frameCount, media.rate) : media.otio!['available_range'],
    target_url: !relink && typeof url === 'string' ? url : encodeURIComponent(name ?? media.name),
  };
}

/** What every item of a timeline has, with what was kept of it on top. */
function item(kept: OtioFields = {}): OtioFields {
  return { metadata: {}, effects: [], markers: [], enabled: true, ...kept };
}

/** An object's metadata with our own values in them. */
function withLongtake(kept: OtioFields, values: OtioFields): OtioFields {
  const metadata = isObject(kept['metadata']) ? kept['metadata'] : {};
  const own = { ...longtakeOf(kept), ...values };
  return Object.keys(own).length === 0 ? metadata : { ...metadata, longtake: own };
}

function range(start: number, length: number, rate: Rational): OtioFields {
  const time = (value: number): OtioFields => ({
    OTIO_SCHEMA: 'RationalTime.1',
    rate: rateToNumber(rate),
    value,
  });
  return { OTIO_SCHEMA: 'TimeRange.1', start_time: time(start), duration: time(length) };
}
