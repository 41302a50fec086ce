import type { FeedItem, SentError } from './protocol.ts';
import { packError } from './sent-error.ts';

/** The next item, null after the last one, or why there is none. */
export type FeedAnswer = { item: FeedItem | null } | { error: SentError };

/** Reads frames on the page, one at a time, as the worker asks for them. */
export class Feed {
  readonly #items: AsyncIterator<FeedItem> | Iterator<FeedItem>;
  #last: Promise<FeedAnswer> = Promise.resolve({ item: null });
  #ended = false;
  /** What reading threw. */
  failure: { error: unknown } | null = null;

  constructor(items: AsyncIterable<FeedItem> | Iterable<FeedItem>) {
    this.#items = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  }

  /** The next item; null again and again after the last one. */
  next(): Promise<FeedAnswer> {
    this.#last = this.#last.then(() => this.#read());
    return this.#last;
  }

  /** Lets go of the decoder when the task ended before the frames did. What it does then concerns nobody any more. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    Promise.resolve(this.#items.return?.()).catch(() => undefined);
  }

  async #read(): Promise<FeedAnswer> {
    if (this.#ended) return { item: null };
    try {
      const step = await this.#items.next();
      if (!step.done) return { item: step.value };
      this.#ended = true;
      return { item: null };
    } catch (error) {
      this.#ended = true;
      this.failure = { error };
      return { error: packError(error) };
    }
  }
}
