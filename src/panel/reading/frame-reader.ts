import { throwIfCancelled } from '../../engine/cancel.ts';
import { LongtakeError, type RgbaFrame } from '../../engine/types.ts';
import { Queue } from '../../engine/worker/queue.ts';
import { unpackError } from '../../engine/worker/sent-error.ts';
import { onWorkerEnd } from '../../engine/worker/worker-life.ts';
import type { FromReader, Stretch, ToReader } from './protocol.ts';

/** Reads clips in a worker, so that the page stays quick. */
export class FrameReader {
  #worker: Worker | null = null;
  #lastId = 0;
  readonly #readings = new Map<number, Queue<FromReader>>();

  /**
   * The frames of a stretch in the order of time, upright, in square pixels. Each belongs to the caller.
   * @throws LongtakeError `input` where the file can not be read, `cancelled` as soon as the signal fires
   */
  async *frames({ blob, label, range }: Stretch, signal: AbortSignal): AsyncGenerator<RgbaFrame> {
    throwIfCancelled(signal);
    const worker = (this.#worker ??= this.#start());
    const post = (message: ToReader) => worker.postMessage(message);
    const id = ++this.#lastId;
    const messages = new Queue<FromReader>();
    this.#readings.set(id, messages);
    const cancel = () => messages.fail(new LongtakeError('cancelled', 'Cancelled.'));
    signal.addEventListener('abort', cancel, { once: true });
    try {
      post({ id, kind: 'read', stretch: { blob, label, range } });
      for (;;) {
        const message = await messages.take();
        if (message.kind === 'end') return;
        if (message.kind === 'failed') throw unpackError(message.error);
        post({ id, kind: 'taken' });
        yield message.frame;
      }
    } finally {
      signal.removeEventListener('abort', cancel);
      this.#readings.delete(id);
      post({ id, kind: 'close' });
    }
  }

  /** Ends the worker; readings under way fail with `cancelled`. */
  dispose(): void {
    this.#end(this.#worker, new LongtakeError('cancelled', 'Cancelled.'));
  }

  #start(): Worker {
    const worker = new Worker(new URL('./reader.ts', import.meta.url), { type: 'module', name: 'reader' });
    onWorkerEnd(worker, () => this.#end(worker, stopped()));
    worker.addEventListener('message', ({ data }: MessageEvent<FromReader>) => {
      this.#readings.get(data.id)?.put(data);
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      this.#end(worker, stopped(new Error(event.message)));
    });
    return worker;
  }

  /** The next reading starts a fresh worker. */
  #end(worker: Worker | null, error: LongtakeError): void {
    if (!worker || this.#worker !== worker) return;
    worker.terminate();
    this.#worker = null;
    for (const messages of this.#readings.values()) messages.fail(error);
    this.#readings.clear();
  }
}

function stopped(cause?: Error): LongtakeError {
  return new LongtakeError(
    'input',
    'Reading the clip stopped unexpectedly; what was made is kept, try again.',
    {
      cause,
    },
  );
}
