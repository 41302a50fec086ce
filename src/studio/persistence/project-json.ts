import type {
  Clip,
  MediaItem,
  OtioFields,
  Project,
  ProjectFormat,
  Provenance,
  Track,
} from '../timeline/project.ts';
import { clipEnd } from '../timeline/project.ts';

/** The autosaved form of a project. */
export function projectToJson(project: Project): string {
  return JSON.stringify({ longtakeProject: 1, ...project });
}

/**
 * Reads a saved project back. What does not make sense in it is left out rather than believed: a clip without media,
 * a range outside its file, clips that overlap.
 * @returns null where the text is no project
 */
export function projectFromJson(text: string): Project | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value) || value['longtakeProject'] !== 1) return null;
  const media: Record<string, MediaItem> = {};
  for (const entry of Object.values(isRecord(value['media']) ? value['media'] : {})) {
    const item = mediaItem(entry);
    if (item) media[item.id] = item;
  }
  const tracks = (Array.isArray(value['tracks']) ? value['tracks'] : []).flatMap((entry: unknown) => {
    const track = readTrack(entry, media);
    return track ? [track] : [];
  });
  if (tracks.length === 0) return null;
  const name = typeof value['name'] === 'string' ? value['name'] : 'Untitled';
  return { name, format: readFormat(value['format']), media, tracks, ...kept(value) };
}

function readFormat(value: unknown): ProjectFormat | null {
  if (!isRecord(value)) return null;
  const rate = readRate(value['rate']);
  const { width, height } = value;
  return rate && isCount(width) && isCount(height) ? { rate, width, height } : null;
}

function mediaItem(value: unknown): MediaItem | null {
  if (!isRecord(value)) return null;
  const { id, name, frameCount, width, height, provenance } = value;
  const rate = readRate(value['rate']);
  if (typeof id !== 'string' || typeof name !== 'string' || !rate) return null;
  if (!isCount(frameCount) || !isCount(width) || !isCount(height)) return null;
  const item: MediaItem = { id, name, rate, frameCount, width, height, ...kept(value) };
  const known = readProvenance(provenance);
  return known ? { ...item, provenance: known } : item;
}

function readProvenance(value: unknown): Provenance | null {
  if (!isRecord(value)) return null;
  return Object.fromEntries(
    Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}

function readTrack(value: unknown, media: Record<string, MediaItem>): Track | null {
  if (!isRecord(value) || typeof value['id'] !== 'string') return null;
  const clips: Clip[] = [];
  for (const entry of Array.isArray(value['clips']) ? (value['clips'] as unknown[]) : []) {
    const clip = readClip(entry, media);
    const previous = clips[clips.length - 1];
    if (clip && clip.start >= (previous ? clipEnd(previous) : 0)) clips.push(clip);
  }
  const name = typeof value['name'] === 'string' ? value['name'] : value['id'];
  return { id: value['id'], name, clips, ...kept(value) };
}

function readClip(value: unknown, media: Record<string, MediaItem>): Clip | null {
  if (!isRecord(value)) return null;
  const { id, mediaId, label, start, in: first, out } = value;
  if (typeof id !== 'string' || typeof mediaId !== 'string' || !media[mediaId]) return null;
  if (!isFrame(start) || !isFrame(first) || !isFrame(out) || out <= first) return null;
  return {
    id,
    mediaId,
    label: typeof label === 'string' ? label : '',
    start,
    in: first,
    out,
    ...kept(value),
  };
}

/** What is kept for OpenTimelineIO alone. */
function kept(value: Record<string, unknown>): { otio?: OtioFields } {
  return isRecord(value['otio']) ? { otio: value['otio'] } : {};
}

function readRate(value: unknown): { num: number; den: number } | null {
  if (!isRecord(value)) return null;
  const { num, den } = value;
  return isCount(num) && isCount(den) ? { num, den } : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFrame(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
