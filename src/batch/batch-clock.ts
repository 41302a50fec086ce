import type { BatchItem } from './preview.ts';

/** Passes of a profile against a preview's; what a preview costs goes with it. */
const PROFILE_COST = { draft: 0.5, preview: 1, final: 2 } as const;

/** What one preview of a clip costs, in seconds of continuation at the usual profile. A guess: clips are not open yet. */
export function costOf({ settings }: Pick<BatchItem, 'settings'>): number {
  return settings.seconds * PROFILE_COST[settings.profile];
}

/** How far a whole batch is and how long it will take, from what its previews cost and how long those made took. */
export class BatchClock {
  #total: number;
  #settled = 0;
  /** Cost and seconds of the previews that this run has made. */
  #made = { cost: 0, seconds: 0 };

  /** @param costs of all previews */
  constructor(costs: readonly number[]) {
    this.#total = costs.reduce((sum, cost) => sum + cost, 0);
  }

  /**
   * A preview is out of the way.
   * @param seconds that it took; null where it was not made (kept, failed)
   */
  settle(cost: number, seconds: number | null): void {
    this.#settled += cost;
    if (seconds === null) return;
    this.#made.cost += cost;
    this.#made.seconds += seconds;
  }

  /**
   * @param current the preview that is being made: its cost, the share of it that is done, seconds since it began and,
   *   where they are known, seconds until its last frame
   * @returns share of the batch that is done, 0…1, and the seconds left; null before anything can be said
   */
  reading(current: { cost: number; share: number; elapsed: number; left: number | null } | null): {
    fraction: number;
    secondsLeft: number | null;
  } {
    const { cost = 0, share = 0, elapsed = 0, left = null } = current ?? {};
    const fraction = this.#total > 0 ? Math.min(1, (this.#settled + cost * share) / this.#total) : 1;
    const pace =
      this.#made.cost > 0
        ? this.#made.seconds / this.#made.cost
        : left !== null && cost > 0
          ? (elapsed + left) / cost
          : null;
    if (pace === null) return { fraction, secondsLeft: null };
    const rest = Math.max(0, this.#total - this.#settled - cost);
    return { fraction, secondsLeft: (left ?? pace * cost * (1 - share)) + pace * rest };
  }
}
