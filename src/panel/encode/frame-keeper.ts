import { LongtakeError, type RgbaFrame } from '../../engine/types.ts';
import { onWorkerEnd } from '../../engine/worker/worker-life.ts';
import type { FromKeeper, ToKeeper } from './protocol.ts';

interface Waiting {
  resolve(blob: Blob): void;
  reject(error: LongtakeError): void;
}

/** Turns frames into image files in a worker: on the page a browser writes a large JPEG in one go, and clicks wait for it. */
export class FrameKeeper {
  #worker: Worker | null = null;
  #lastId = 0;
  readonly #waiting = new Map<number, Waiting>();

  /** The frame as a file of the best quality. @throws LongtakeError `output` */
  encode(frame: RgbaFrame): Promise<Blob> {
    const worker = (this.#worker ??= this.#start());
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, frame } satisfies ToKeeper);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL('./keeper.ts', import.meta.url), { type: 'module', name: 'keeper' });
    onWorkerEnd(worker, () => this.#fail(worker));
    worker.addEventListener('message', ({ data }: MessageEvent<FromKeeper>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ('blob' in data) waiting?.resolve(data.blob);
      else waiting?.reject(notWritten(new Error(data.message)));
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      this.#fail(worker, new Error(event.message));
    });
    return worker;
  }

  /** The next frame starts a fresh worker. */
  #fail(worker: Worker, cause?: Error): void {
    worker.terminate();
    if (this.#worker !== worker) return;
    this.#worker = null;
    for (const { reject } of this.#waiting.values()) reject(notWritten(cause));
    this.#waiting.clear();
  }
}

function notWritten(cause?: Error): LongtakeError {
  return new LongtakeError(
    'output',
    'A new frame could not be kept: the frames so far are there, go on from them.',
    {
      cause,
    },
  );
}
