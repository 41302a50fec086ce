import type { CameraMove } from '../../engine/camera/moves.ts';
import type { CameraTrack, Rational } from '../../engine/types.ts';
import type { Direction, ExtendReport, Profile, SeamFigures } from '../../engine/tasks/extend-request.ts';
import type { GapToFill, HostAnchor, PrefixSource, RegionToRepaint } from '../hosts/host-adapter.ts';

/**
 * What the new frames are: they continue a clip, fill the gap between two, lead from a clip's end back to its
 * beginning, or take the place of frames of which a part was repainted.
 */
export type ClipPurpose = 'extend' | 'gap' | 'loop' | 'region';

/**
 * A generated clip as it is kept between openings of the panel. `running`: frames are still coming; a record that says
 * so although nobody works on it was cut short and shows as `interrupted`.
 */
export interface ClipRecord {
  id: string;
  /** Milliseconds since 1970. */
  created: number;
  state: 'running' | 'interrupted' | 'finished';
  /** Size and rate of the new frames; those of the prefix. */
  size: { width: number; height: number };
  rate: Rational;
  seconds: number;
  frameCount: number;
  framesMade: number;
  direction: Direction;
  /** Absent in records from before there was a choice: `extend`. */
  purpose?: ClipPurpose;
  profile: Profile;
  /**
   * Where it is made to be done in a given time: that time, and the passes that were chosen for it; null where nothing was
   * measured yet. `profile` is then the best one with no more passes.
   */
  fit?: { seconds: number; steps: number | null };
  seed: number;
  camera: { name: string; track: CameraTrack } | null;
  /** Absent in records from before there were moves: none. */
  move?: CameraMove | null;
  prefix: StoredPrefix;
  report: ExtendReport | null;
  /** While it is one of several that are made together: ids of all, and those that are begun after it. */
  set?: {
    ids: readonly string[];
    waiting: readonly Pick<ClipRecord, 'id' | 'seed' | 'created'>[];
  };
  /** Figures of the cut where its frames were taken over from another clip; the rollout itself begins behind it. */
  keptSeam?: SeamFigures | null;
  /** Put into the document once; see `isInserted`. */
  inserted: boolean;
  /** Thrown away, as long as that can be undone. */
  discarded?: true;
}

/** Where the clip continues from. The file itself is kept beside the record. */
export interface StoredPrefix {
  kind: PrefixSource['kind'];
  label: string;
  rate: Rational;
  range: { startFrame: number; frameCount: number };
  size: { width: number; height: number };
  flattened: boolean;
  anchor: HostAnchor | null;
  /** The gap, without the file of the clip after it, which is kept beside the record. */
  gap?: { frameCount: number; after: Omit<GapToFill['after'], 'blob'> };
  /** The region, without its mask, which is kept beside the record. */
  region?: Omit<RegionToRepaint, 'mask'>;
}

/** The part of a prefix that goes into the record. */
export function storedPrefix(prefix: PrefixSource): StoredPrefix {
  const { kind, label, rate, range, size, flattened, anchor, gap, region } = prefix;
  const stored = { kind, label, rate, range, size, flattened, anchor: anchor ?? null };
  if (region) {
    const { range: frames, framesAfter, share } = region;
    return { ...stored, region: { range: frames, framesAfter, share } };
  }
  if (!gap) return stored;
  const { frameCount, after } = gap;
  return { ...stored, gap: { frameCount, after: { label: after.label, range: after.range } } };
}

/**
 * The prefix as a host understands it, from the record and the kept files.
 * @param blob the clip itself; `undefined` for a cold start
 * @param after the clip after a gap
 * @param mask the painted mask of a region
 */
export function restoredPrefix(
  record: ClipRecord,
  blob: Blob | undefined,
  after: Blob | undefined,
  mask?: Uint8Array,
): PrefixSource {
  const { anchor, gap, region, ...rest } = record.prefix;
  return {
    ...rest,
    ...(blob ? { blob } : {}),
    ...(anchor ? { anchor } : {}),
    ...(region && mask ? { region: { ...region, mask: { ...rest.size, data: mask } } } : {}),
    ...(gap && after ? { gap: { frameCount: gap.frameCount, after: { ...gap.after, blob: after } } } : {}),
  };
}
