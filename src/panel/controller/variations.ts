import { FrameReel } from '../clips/frame-reel.ts';
import type { ClipRecord } from '../clips/clip-record.ts';

/** Longest side of the pictures of variations, which stand side by side. */
export const VARIATION_SIDE = 272;

/** The pictures of variations that are made together, each in a reel of its own. */
export class VariationReels {
  #reels = new Map<string, FrameReel>();

  /** Begins with the clips of another set. */
  start(records: readonly ClipRecord[]): void {
    this.clear();
    this.#reels = new Map(records.map(({ id }) => [id, new FrameReel()]));
  }

  /** The reel of a clip of the set. */
  of(id: string): FrameReel | undefined {
    return this.#reels.get(id);
  }

  /** Lets go of all pictures. */
  clear(): void {
    for (const reel of this.#reels.values()) reel.reset('forward');
    this.#reels.clear();
  }
}

/** The first seed after a clip's own that no other kept clip of the same prefix was made with. */
export function freshSeed(record: ClipRecord, clips: readonly ClipRecord[]): number {
  const taken = new Set(clips.filter((clip) => samePrefix(clip, record)).map((clip) => clip.seed));
  let seed = record.seed;
  do seed = (seed + 1) >>> 0;
  while (taken.has(seed));
  return seed;
}

function samePrefix({ prefix: a }: ClipRecord, { prefix: b }: ClipRecord): boolean {
  return (
    a.label === b.label &&
    a.range.startFrame === b.range.startFrame &&
    a.range.frameCount === b.range.frameCount
  );
}
