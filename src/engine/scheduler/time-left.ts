import { chunkMs, denoiseMs, type Speed } from './speed.ts';

/** How far a first chunk is leant on that took longer than expected. */
const FIRST_SLOW = 0.3;

/**
 * Tells the rest of a rollout's time from what it has done. A chunk is counted from the end of the denoising before it to
 * the end of its own, so that it holds one commit, whether the device does that at once or behind the caller's back. Where
 * the machine's speed was measured, what is learned is how much slower or faster it is now; that is known before the first
 * chunk is done where a prefix was committed, and holds for any number of passes.
 */
export class RolloutClock {
  /** Time taken over time expected, leaning on the latest. */
  #slowness = 1;
  /** Milliseconds of a chunk, where no speed was measured. */
  #chunkMs: number | null = null;
  #chunks = 0;
  /** What the caller waited for the latest commit. */
  #commitMs = 0;
  #makeMs: number | null = null;
  #takeMs: number | null = null;
  readonly #sum = { spent: 0, expected: 0 };

  /** @param speed as measured before the rollout */
  constructor(private readonly speed: Speed | null) {}

  /** How much slower than measured the machine is now; 1 where nothing was measured. */
  get slowness(): number {
    return this.#slowness;
  }

  /** As `slowness`, over all chunks made; null where nothing can be said. */
  get overall(): number | null {
    const { spent, expected } = this.#sum;
    return expected > 0 ? spent / expected : null;
  }

  /** Reports the chunks of a prefix, done to the last. */
  primed(chunks: number, milliseconds: number): void {
    const expected = chunks * (this.speed?.primeMs ?? 0);
    // A few chunks alone are soon disturbed; what is measured now still says more than what was.
    if (expected > 0) this.#lean(milliseconds / expected, Math.min(0.5, chunks / 10));
  }

  /** Reports that a chunk was made. @param milliseconds its denoising and decoding */
  made(steps: number, milliseconds: number): void {
    const first = this.#chunks++ === 0;
    const spent = this.#commitMs + milliseconds;
    this.#commitMs = 0;
    if (!this.speed) {
      this.#chunkMs = lean(this.#chunkMs, spent, 0.6);
      return;
    }
    const expected = first ? denoiseMs(this.speed, steps) : chunkMs(this.speed, steps);
    if (expected <= 0) return;
    // The first chunk of a rollout also warms up: what is slow then says little of the others, what is fast all.
    const ratio = spent / expected;
    this.#lean(ratio, !first ? 0.6 : ratio > this.#slowness ? FIRST_SLOW : 0.75);
    this.#sum.spent += spent;
    this.#sum.expected += expected;
  }

  /** Reports the commit of the chunk that was made last. */
  committed(milliseconds: number): void {
    this.#commitMs = milliseconds;
    // The first chunk was counted without a commit before it.
    if (this.#chunks === 1 && this.#chunkMs !== null) this.#chunkMs += milliseconds;
  }

  /** Reports what became of one frame beside its chunk: brought to the clip's size. */
  frameMade(milliseconds: number): void {
    // The first one also warms up, and disturbances only lengthen: a shorter time counts at once, a longer one a little.
    const shorter = this.#makeMs === null || milliseconds < this.#makeMs;
    this.#makeMs = shorter ? milliseconds : lean(this.#makeMs, milliseconds, 0.3);
  }

  /** Reports how long the consumer kept a frame. */
  frameTaken(milliseconds: number): void {
    this.#takeMs = lean(this.#takeMs, milliseconds, 0.6);
  }

  /** Milliseconds of `frames` frames beside their chunks; 0 before the first one is known. */
  msForFrames(frames: number): number {
    return ((this.#makeMs ?? 0) + (this.#takeMs ?? 0)) * frames;
  }

  /** Seconds that `chunks` more chunks of `steps` passes and `frames` more frames will take; what is not known counts 0. */
  secondsLeft(steps: number, chunks: number, frames: number): number {
    const each = this.speed ? this.#slowness * chunkMs(this.speed, steps) : (this.#chunkMs ?? 0);
    const model = chunks > 0 ? Math.max(0, chunks * each - this.#commitMs) : 0;
    return (model + this.msForFrames(frames)) / 1000;
  }

  #lean(slowness: number, weight: number): void {
    this.#slowness = lean(this.#slowness, slowness, weight);
  }
}

/** @param weight of the latest */
function lean(mean: number | null, latest: number, weight: number): number {
  return mean === null ? latest : (1 - weight) * mean + weight * latest;
}
