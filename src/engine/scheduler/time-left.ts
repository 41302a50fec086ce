/** Predicts the rest of a rollout from the chunks it has made: a running mean that leans on the latest ones. */
export class ChunkClock {
  #msPerChunk: number | null = null;

  /** Reports one chunk, commit included. The first one of a session also pays for warming up, so it counts least. */
  add(milliseconds: number): void {
    this.#msPerChunk = this.#msPerChunk === null ? milliseconds : 0.4 * this.#msPerChunk + 0.6 * milliseconds;
  }

  /** Seconds that `chunks` more chunks will take; 0 before the first one is known. */
  secondsFor(chunks: number): number {
    return ((this.#msPerChunk ?? 0) * chunks) / 1000;
  }
}
