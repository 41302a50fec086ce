/** Hands items from one side to the other in order; the taker waits for the giver. */
export class Queue<T> {
  readonly #items: T[] = [];
  #failure: { error: unknown } | null = null;
  #wake: (() => void) | null = null;

  put(item: T): void {
    this.#items.push(item);
    this.#wake?.();
  }

  /** Every later take rejects, whatever is still waiting. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake?.();
  }

  /** One taker at a time. */
  async take(): Promise<T> {
    for (;;) {
      if (this.#failure) throw this.#failure.error;
      if (this.#items.length > 0) return this.#items.shift()!;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }
}
