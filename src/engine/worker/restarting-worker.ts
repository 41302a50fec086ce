import { onWorkerEnd } from './worker-life.ts';

/** A worker that is started when it is first needed, and anew after it has ended, however that came. */
export class RestartingWorker<To, From> {
  #worker: Worker | null = null;

  /**
   * @param start starts one; webpack wants `new Worker(new URL(…))` written out where its file is named
   * @param received takes its messages
   * @param ended what it was asked will not be answered any more; not told after `end`
   */
  constructor(
    private readonly start: () => Worker,
    private readonly received: (message: From) => void,
    private readonly ended: (cause?: Error) => void,
  ) {}

  post(message: To, transfer: Transferable[] = []): void {
    this.#worker ??= this.#started();
    this.#worker.postMessage(message, transfer);
  }

  /** Ends it; the next message starts another one. */
  end(): void {
    this.#worker?.terminate();
    this.#worker = null;
  }

  #started(): Worker {
    const worker = this.start();
    const over = (cause?: Error): void => {
      worker.terminate();
      if (this.#worker !== worker) return;
      this.#worker = null;
      this.ended(cause);
    };
    onWorkerEnd(worker, () => over());
    worker.addEventListener('message', ({ data }: MessageEvent<From>) => this.received(data));
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      over(new Error(event.message));
    });
    return worker;
  }
}
