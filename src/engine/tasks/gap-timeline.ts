import type { RateMap } from '../detail/rate.ts';

/** Frames of the clip that make up a model frame or stand beside a place: a mix of two neighbours. */
export interface Mix {
  low: number;
  high: number;
  part: number;
  whole: number;
}

/** Which model frames enter the sequence, counted as in GapTimeline. */
export interface GapLayout {
  /** Model frames in sequence order: anchors, frames before the gap, the gap, frames after it that fill the last chunk. */
  order: number[];
  /** How many of the sequence's first frames are given: anchors and frames before the gap. */
  given: number;
  /** Last model frame of the last chunk that is given; those behind it are made and seen by nobody. */
  lastGiven: number;
  /** Model frame of time index 0: the first one before the gap. */
  zero: number;
}

/**
 * Where the frames of a gap stand. Clip frames are counted from the last one before the gap, which is 0: the gap is
 * 1 … frameCount. Model frames are counted from the last one at or before that frame, which is 0: those to be made are
 * 1 … `gapFrames`. Everything is in whole numbers.
 */
export class GapTimeline {
  /** Model frames to be made, at least 1. */
  readonly gapFrames: number;
  /** Model frames before the gap. */
  readonly #beforeFrames: number;
  /** Clip frames that model frame 0 lies before clip frame 0. */
  readonly #shift: number;

  /**
   * @param before clip frames before the gap, at least 1
   * @param frameCount clip frames in the gap, at least 1
   */
  constructor(
    readonly before: number,
    readonly frameCount: number,
    readonly map: RateMap,
    readonly perChunk: number,
  ) {
    const { modelFrames, clipFrames } = map;
    const width = (frameCount + 1) * modelFrames;
    // A gap shorter than a model frame would hold none: the model's clock is moved so that one lies in its middle.
    this.#shift = width > clipFrames ? 0 : Math.round(clipFrames / modelFrames - (frameCount + 1) / 2);
    const moved = this.#shift * modelFrames;
    this.gapFrames = Math.ceil((width + moved) / clipFrames) - 1;
    this.#beforeFrames = Math.max(1, Math.floor(((before - 1) * modelFrames - moved) / clipFrames) + 1);
  }

  /** Place of a model frame, in units of 1 / modelFrames clip frames. */
  placeOf(modelFrame: number): number {
    return modelFrame * this.map.clipFrames - this.#shift * this.map.modelFrames;
  }

  /** Clip frames after the gap that are worth reading. */
  get framesForAnchors(): number {
    const last = this.placeOf(this.gapFrames + this.#mostAnchors) / this.map.modelFrames;
    return Math.ceil(last) - this.frameCount;
  }

  /** As many anchors as in training: fewer than frames before the gap, but a chunk at least. */
  get #mostAnchors(): number {
    return Math.max(this.perChunk, this.#beforeFrames - 2);
  }

  /**
   * The sequence: anchors (the frames after the gap), frames before it, the gap, and once more the first frames after it,
   * which fill the gap's last chunk: attention then sees both sides of the far cut. On an example clip that raised the gap
   * of 10 frames from 26.4 to 30.3 dB. Where there are too few, frames that nobody sees follow; where there is one alone and
   * the gap ends with its chunk, none.
   * @param after clip frames after the gap that were read, at least 1
   */
  layout(after: number): GapLayout {
    const { perChunk, gapFrames } = this;
    const { modelFrames, clipFrames } = this.map;
    const end = (this.frameCount + after) * modelFrames + this.#shift * modelFrames;
    const there = Math.max(1, Math.floor(end / clipFrames) - gapFrames);
    const before = this.#beforeFrames;
    let anchors = Math.min(this.#mostAnchors, there);
    let last = (perChunk - ((anchors + before + gapFrames) % perChunk)) % perChunk;
    // Two frames of the far side: one is little to go by. Each costs an anchor.
    for (; last < 2 && anchors > 1; last++) anchors--;
    return {
      order: [...range(gapFrames + 1, anchors), ...range(1 - before, before), ...range(1, gapFrames + last)],
      given: anchors + before,
      lastGiven: gapFrames + Math.min(there, last),
      zero: 1 - before,
    };
  }

  /**
   * The clip frames that make up a given model frame: one frame where the clip is the faster, a mix of two neighbours where
   * the model is.
   * @param after clip frames after the gap that were read
   */
  sourceOf(modelFrame: number, after: number): Mix {
    const { modelFrames, clipFrames } = this.map;
    const place = this.placeOf(modelFrame);
    const within = (frame: number): number =>
      modelFrame <= 0
        ? Math.max(1 - this.before, Math.min(0, frame))
        : Math.max(this.frameCount + 1, Math.min(this.frameCount + after, frame));
    if (clipFrames >= modelFrames) {
      const frame = within(Math.round(place / modelFrames));
      return { low: frame, high: frame, part: 0, whole: 1 };
    }
    const low = Math.floor(place / modelFrames);
    return {
      low: within(low),
      high: within(low + 1),
      part: place - low * modelFrames,
      whole: modelFrames,
    };
  }

  /**
   * What a missing clip frame is mixed of.
   * @param frame 1 … frameCount
   * @returns model frames; `low` 0 stands for clip frame 0, `high` gapFrames + 1 for the first clip frame after the gap
   */
  neighboursOf(frame: number): Mix {
    const { modelFrames, clipFrames } = this.map;
    const place = frame * modelFrames;
    const low = Math.max(0, Math.floor((place + this.#shift * modelFrames) / clipFrames));
    const from = low === 0 ? 0 : this.placeOf(low);
    const to = low === this.gapFrames ? (this.frameCount + 1) * modelFrames : this.placeOf(low + 1);
    return { low, high: low + 1, part: place - from, whole: to - from };
  }
}

function range(start: number, length: number): number[] {
  return Array.from({ length }, (_, index) => start + index);
}
