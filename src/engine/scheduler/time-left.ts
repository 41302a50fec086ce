/** Predicts the rest of a rollout from what it has done: running means that lean on the latest chunks and frames. */
export class ChunkClock {
  #msPerChunk: number | null;
  #msPerFrame: number | null = null;
  #chunks = 0;

  /** @param expectedMs of a chunk, where the machine's speed was measured */
  constructor(expectedMs: number | null = null) {
    this.#msPerChunk = expectedMs;
  }

  /** Reports one chunk, commit included. What is measured now says more than what was expected. */
  add(milliseconds: number): void {
    this.#msPerChunk = lean(this.#msPerChunk, milliseconds, this.#chunks === 0 ? 0.75 : 0.6);
    this.#chunks++;
  }

  /** Reports what became of one frame beside its chunk: brought to the clip's size, taken by the consumer. */
  addFrame(milliseconds: number): void {
    this.#msPerFrame = lean(this.#msPerFrame, milliseconds, 0.6);
  }

  /** Milliseconds of `frames` frames beside their chunks; 0 before the first one is known. */
  msForFrames(frames: number): number {
    return (this.#msPerFrame ?? 0) * frames;
  }

  /** Seconds that `chunks` more chunks and `frames` more frames will take; what is not known yet counts 0. */
  secondsFor(chunks: number, frames = 0): number {
    return ((this.#msPerChunk ?? 0) * chunks + this.msForFrames(frames)) / 1000;
  }
}

/** @param weight of the latest */
function lean(mean: number | null, latest: number, weight: number): number {
  return mean === null ? latest : (1 - weight) * mean + weight * latest;
}
