import { chunkMs, stepsWithin, type Speed } from './speed.ts';

/** Share of the time left that is planned with: what nobody foresaw takes the rest. */
const PLANNED = 0.95;

/** Chooses the passes of each chunk so that a rollout is done in time. Never more than before: quality does not waver. */
export class StepBudget {
  #steps: number;
  /** How much slower than measured the chunks so far were. */
  #slower = 1;

  /**
   * @param speed as measured before the rollout
   * @param budgetMs time for the whole rollout
   * @param most passes that are of use
   */
  constructor(
    private readonly speed: Speed,
    readonly budgetMs: number,
    most: number,
  ) {
    this.#steps = most;
  }

  /**
   * Passes for the next chunk.
   * @param elapsedMs of the budget
   * @param chunks that are to be made, at least 1
   * @param otherMs what else will take time until the end
   */
  next(elapsedMs: number, chunks: number, otherMs: number): number {
    const left = PLANNED * (this.budgetMs - elapsedMs) - otherMs;
    this.#steps = stepsWithin(this.speed, left / chunks / this.#slower, this.#steps);
    return this.#steps;
  }

  /** Reports a chunk of `steps` passes, commit included. */
  learn(steps: number, ms: number): void {
    const expected = chunkMs(this.speed, steps);
    if (expected > 0) this.#slower = 0.4 * this.#slower + (0.6 * ms) / expected;
  }
}
