import { throwIfCancelled } from '../../engine/cancel.ts';
import { LongtakeError, type RgbaFrame } from '../../engine/types.ts';
import { Queue } from '../../engine/worker/queue.ts';
import { RestartingWorker } from '../../engine/worker/restarting-worker.ts';
import { unpackError } from '../../engine/worker/sent-error.ts';
import type { FromReader, Stretch, ToReader } from './protocol.ts';

/** Reads clips in a worker, so that the page stays quick. */
export class FrameReader {
  readonly #worker = new RestartingWorker<ToReader, FromReader>(
    () => new Worker(new URL('./reader.ts', import.meta.url), { type: 'module', name: 'reader' }),
    (message) => this.#readings.get(message.id)?.put(message),
    (cause) => this.#fail(stopped(cause)),
  );
  #lastId = 0;
  readonly #readings = new Map<number, Queue<FromReader>>();

  /**
   * The frames of a stretch in the order of time, upright, in square pixels. Each belongs to the caller.
   * @throws LongtakeError `input` where the file can not be read, `cancelled` as soon as the signal fires
   */
  async *frames({ blob, label, range }: Stretch, signal: AbortSignal): AsyncGenerator<RgbaFrame> {
    throwIfCancelled(signal);
    const id = ++this.#lastId;
    const messages = new Queue<FromReader>();
    this.#readings.set(id, messages);
    const cancel = () => messages.fail(new LongtakeError('cancelled', 'Cancelled.'));
    signal.addEventListener('abort', cancel, { once: true });
    try {
      this.#worker.post({ id, kind: 'read', stretch: { blob, label, range } });
      for (;;) {
        const message = await messages.take();
        if (message.kind === 'end') return;
        if (message.kind === 'failed') throw unpackError(message.error);
        this.#worker.post({ id, kind: 'taken' });
        yield message.frame;
      }
    } finally {
      signal.removeEventListener('abort', cancel);
      if (this.#readings.delete(id)) this.#worker.post({ id, kind: 'close' });
    }
  }

  /** Ends the worker; readings under way fail with `cancelled`. */
  dispose(): void {
    this.#worker.end();
    this.#fail(new LongtakeError('cancelled', 'Cancelled.'));
  }

  #fail(error: LongtakeError): void {
    for (const messages of this.#readings.values()) messages.fail(error);
    this.#readings.clear();
  }
}

function stopped(cause?: Error): LongtakeError {
  const words = 'Reading the clip stopped unexpectedly; what was made is kept, try again.';
  return new LongtakeError('input', words, { cause });
}
