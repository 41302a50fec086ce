import { nextTask } from '../../next-task.ts';

/** A call that waits for its turn; it is over once it was resolved or rejected. */
export interface Waiting<Job, Result> {
  readonly job: Job;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** A kind of call, of which several that wait may be carried out as one. */
export interface CallKind<Job, Result> {
  /** Takes long: calls of other kinds that wait go before it, so that more of its kind can gather. */
  readonly long: boolean;
  /** Whether a call can be carried out together with another; asked for every two. */
  fits(job: Job, other: Job): boolean;
  /** Most calls that can be carried out with one. */
  most(job: Job): number;
  /** Carries calls out. What it rejects with goes to all that are not over. */
  run(calls: readonly Waiting<Job, Result>[]): Promise<void>;
}

/** A call whose kind knows what it is. */
interface Queued {
  kind: CallKind<never, never>;
  call: Waiting<never, never>;
}

/** Calls that take turns because they use the same memory. Those that can be carried out together are. */
export class Turns {
  readonly #several: () => boolean;
  #waiting: Queued[] = [];
  #running = false;
  #between: (() => void)[] = [];

  /** @param several whether more than one caller may be about to call */
  constructor(several: () => boolean) {
    this.#several = several;
  }

  /** Queues a call that may be carried out together with others of its kind. */
  add<Job, Result>(kind: CallKind<Job, Result>, job: Job): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const call: Waiting<Job, Result> = { job, resolve, reject };
      this.#waiting.push({ kind, call } as unknown as Queued);
      if (!this.#running) void this.#work();
    });
  }

  /** Queues a call that is carried out by itself. @param options.long see CallKind */
  alone<T>(call: () => Promise<T>, options: { long: boolean } = { long: false }): Promise<T> {
    return this.add(options.long ? LONG : SHORT, call) as Promise<T>;
  }

  /** Does something at once, or after the call that is being carried out. */
  between(action: () => void): void {
    if (this.#running) this.#between.push(action);
    else action();
  }

  async #work(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      // Who was answered last turn, or calls at the same moment, joins in.
      await (this.#several() ? nextTask() : null);
      const { kind, calls } = this.#next();
      try {
        await kind.run(calls);
      } catch (error) {
        for (const call of calls) call.reject(error);
      }
      for (const action of this.#between.splice(0)) action();
    }
    this.#running = false;
  }

  #next(): { kind: CallKind<never, never>; calls: Waiting<never, never>[] } {
    const { kind, call } = this.#waiting.find((waiting) => !waiting.kind.long) ?? this.#waiting[0]!;
    const calls = [call];
    for (const other of this.#waiting) {
      const joins = other.call !== call && other.kind === kind && calls.length < kind.most(call.job);
      if (joins && calls.every(({ job }) => kind.fits(job, other.call.job))) calls.push(other.call);
    }
    this.#waiting = this.#waiting.filter((waiting) => !calls.includes(waiting.call));
    return { kind, calls };
  }
}

type Alone = CallKind<() => Promise<unknown>, unknown>;

const SHORT: Alone = {
  long: false,
  fits: () => false,
  most: () => 1,
  run: async ([call]) => call!.resolve(await call!.job()),
};

const LONG: Alone = { ...SHORT, long: true };
