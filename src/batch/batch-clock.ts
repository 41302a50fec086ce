import type { BatchItem } from './preview.ts';

/** Passes of a profile against a preview's; what a preview costs goes with it. */
const PROFILE_COST = { draft: 0.5, preview: 1, final: 2 } as const;

/** What one preview of a clip costs, in seconds of continuation at the usual profile. A guess: clips are not open yet. */
export function costOf({ settings }: Pick<BatchItem, 'settings'>): number {
  return settings.seconds * PROFILE_COST[settings.profile];
}

/** A preview that is being made, as the clock sees it. */
export interface ClockedPreview {
  /**
   * @param share of it that is done; it never falls
   * @param left seconds until its last frame; null where they are not known
   */
  advance(share: number, left: number | null): void;
  /** It is out of the way. @param made whether it was made; what failed says nothing of the pace */
  end(made: boolean): void;
}

interface UnderWay {
  cost: number;
  share: number;
  /** When its last frame is expected; null while that is not known. */
  due: number | null;
}

/**
 * How far a whole batch is and how long it will take, from what its previews cost and how long those made took. Previews
 * that are under way at the same time take turns with each other: their pace is what all of them get done in a time, from
 * when the first of them began until the last one has ended (a stretch). One that is made alone is a stretch of its own.
 */
export class BatchClock {
  readonly #now: () => number;
  readonly #total: number;
  #settled = 0;
  readonly #underWay = new Set<UnderWay>();
  /** Cost and seconds of the stretches that are over. */
  #made = { cost: 0, seconds: 0 };
  /** The stretch that is not over: when it began, and the cost of what was made in it so far. */
  #stretch = { began: 0, cost: 0 };

  /**
   * @param costs of all previews
   * @param now the time in seconds
   */
  constructor(costs: readonly number[], now = () => performance.now() / 1000) {
    this.#now = now;
    this.#total = sum(costs);
  }

  /** A preview is out of the way that was not begun: kept from an earlier run, or given up. */
  skip(cost: number): void {
    this.#settled += cost;
  }

  /** A preview is begun. */
  begin(cost: number): ClockedPreview {
    if (this.#underWay.size === 0) this.#stretch = { began: this.#now(), cost: 0 };
    const preview: UnderWay = { cost, share: 0, due: null };
    this.#underWay.add(preview);
    return {
      advance: (share, left) => {
        preview.share = Math.max(preview.share, share);
        preview.due = left === null ? null : this.#now() + left;
      },
      end: (made) => {
        if (this.#underWay.delete(preview)) this.#ended(cost, made);
      },
    };
  }

  /** The machine has become another one: its pace so far says nothing of what follows. */
  forgetPace(): void {
    this.#made = { cost: 0, seconds: 0 };
  }

  /** @returns share of the batch that is done, 0…1, and the seconds left; null before anything can be said */
  reading(): { fraction: number; secondsLeft: number | null } {
    const present = [...this.#underWay];
    const done = this.#settled + sum(present.map(({ cost, share }) => cost * share));
    const fraction = this.#total > 0 ? Math.min(1, done / this.#total) : 1;
    const lefts = present.map((preview) => this.#leftOf(preview));
    const pace = this.#pace(lefts);
    if (pace === null) return { fraction, secondsLeft: null };
    const begun = sum(present.map(({ cost }) => cost));
    const known = lefts.filter((left) => left !== null);
    // Who has not made a frame yet slows the others down, and will go on when they have ended.
    const atPace = known.length < lefts.length ? pace * (begun - (done - this.#settled)) : 0;
    const rest = Math.max(0, this.#total - this.#settled - begun);
    return { fraction, secondsLeft: Math.max(0, atPace, ...known) + pace * rest };
  }

  #ended(cost: number, made: boolean): void {
    this.#settled += cost;
    if (made) this.#stretch.cost += cost;
    if (this.#underWay.size > 0 || this.#stretch.cost === 0) return;
    this.#made.cost += this.#stretch.cost;
    this.#made.seconds += this.#now() - this.#stretch.began;
  }

  #leftOf({ share, due }: UnderWay): number | null {
    if (share >= 1) return 0;
    return due === null ? null : Math.max(0, due - this.#now());
  }

  /** Seconds for a unit of cost, as measured in this batch: over the stretches that are over, and the present one where it tells. */
  #pace(lefts: readonly (number | null)[]): number | null {
    const present = this.#presentStretch(lefts);
    const cost = this.#made.cost + present.cost;
    return cost > 0 ? (this.#made.seconds + present.seconds) / cost : null;
  }

  #presentStretch(lefts: readonly (number | null)[]): { cost: number; seconds: number } {
    const none = { cost: 0, seconds: 0 };
    if (this.#underWay.size === 0) return none;
    const elapsed = this.#now() - this.#stretch.began;
    const known = lefts.filter((left) => left !== null);
    const present = [...this.#underWay];
    // Where the end is in sight, the whole stretch; else what was done in it, once that is more than a beginning.
    if (known.length === lefts.length) {
      const cost = this.#stretch.cost + sum(present.map((preview) => preview.cost));
      return { cost, seconds: elapsed + Math.max(...known) };
    }
    if (this.#stretch.cost === 0) return none;
    const done = sum(present.map((preview) => preview.cost * preview.share));
    return { cost: this.#stretch.cost + done, seconds: elapsed };
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
