import { stepsWithin, type Speed } from './speed.ts';

/** Share of the time left that is planned with: what nobody foresaw takes the rest. */
export const PLANNED = 0.95;

/** Chooses the passes of each chunk so that a rollout is done in time. Never more than before: quality does not waver. */
export class StepBudget {
  #steps: number;

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
   * @param slowness how much slower than measured the machine is now
   */
  next(elapsedMs: number, chunks: number, otherMs: number, slowness: number): number {
    const left = PLANNED * (this.budgetMs - elapsedMs) - otherMs;
    this.#steps = stepsWithin(this.speed, left / chunks / slowness, this.#steps);
    return this.#steps;
  }
}
