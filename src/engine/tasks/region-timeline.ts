import { clipToModel, modelFramesFor, modelToClip } from '../detail/rate.ts';
import type { Place, RateMap } from '../detail/rate.ts';

/** Frames are left out to make chunks come out even only where this many chunks are left. */
const CHUNKS_TO_KEEP = 4;

/**
 * Where the frames of a repainting stand. Clip frames and model frames are counted from the first frame to repaint, which is
 * 0 for both; the prefix has negative numbers.
 */
export class RegionTimeline {
  /** First model frame of the sequence; has time index 0. */
  readonly first: number;
  /**
   * First model frame in which anything may be open: 0, or where the model is the faster the first one that is mixed of the
   * prefix's last frame and the first frame to repaint.
   */
  readonly firstOpen: number;
  /** Model frames over the frames to repaint: 0 … modelFrames − 1. */
  readonly modelFrames: number;
  /** Model frames of the sequence; those behind `modelFrames` are seen by nobody. */
  readonly length: number;

  /**
   * The sequence's end is also a chunk's end, as in training: the oldest frames of the prefix are left out for it; where it
   * is short, frames that nobody sees follow.
   * @param prefix clip frames before those to repaint
   * @param frameCount clip frames to repaint
   */
  constructor(
    prefix: number,
    readonly frameCount: number,
    readonly map: RateMap,
    perChunk: number,
  ) {
    let before = clipToModel(prefix, map).low;
    this.modelFrames = modelFramesFor(frameCount - 1, map) + 1;
    const over = (before + this.modelFrames) % perChunk;
    if (before - over >= CHUNKS_TO_KEEP * perChunk) before -= over;
    this.first = -before;
    this.firstOpen = Math.max(this.first, Math.floor(-this.#reach / map.clipFrames) + 1);
    this.length = Math.ceil((before + this.modelFrames) / perChunk) * perChunk;
  }

  /**
   * The clip frames that make up a model frame: one where the clip is the faster, a mix of two neighbours where the model is.
   * A model frame behind the last clip frame takes that one.
   */
  sourceOf(modelFrame: number): Place & { high: number } {
    const last = this.frameCount - 1;
    const { low, part, whole } = modelToClip(modelFrame, this.map);
    if (this.map.clipFrames >= this.map.modelFrames || part === 0 || low >= last) {
      const nearest = Math.min(last, low + (2 * part >= whole ? 1 : 0));
      return { low: nearest, high: nearest, part: 0, whole };
    }
    return { low, high: low + 1, part, whole };
  }

  /** How far a clip frame and a model frame may lie apart to have a part in one another, in units of 1 / modelFrames clip frames. */
  get #reach(): number {
    return Math.max(this.map.modelFrames, this.map.clipFrames);
  }

  /** First and last clip frame to repaint that a model frame from `firstOpen` on has a part in, or that have a part in it. */
  touchedBy(modelFrame: number): [number, number] {
    const { modelFrames, clipFrames } = this.map;
    const place = modelFrame * clipFrames;
    const first = Math.floor((place - this.#reach) / modelFrames) + 1;
    const last = Math.ceil((place + this.#reach) / modelFrames) - 1;
    return [Math.max(0, first), Math.min(this.frameCount - 1, last)];
  }

  /** The model frames that a clip frame is mixed of: `low` and, where `part` is above 0, `low + 1`. */
  neighboursOf(frame: number): Place {
    return clipToModel(frame, this.map);
  }
}
