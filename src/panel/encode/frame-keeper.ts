import { LongtakeError, type RgbaFrame } from '../../engine/types.ts';
import { onWorkerEnd } from '../../engine/worker/worker-life.ts';
import type { FromKeeper, ToKeeper } from './protocol.ts';

/** A promise's two ends. */
interface Settle<T> {
  resolve(value: T): void;
  reject(error: LongtakeError): void;
}

interface Waiting {
  picture: Settle<ImageBitmap>;
  file: Settle<Blob>;
}

/** Turns frames into pictures and files in a worker: on the page clicks would wait for every large one. */
export class FrameKeeper {
  #worker: Worker | null = null;
  #lastId = 0;
  readonly #waiting = new Map<number, Waiting>();

  /** As `PanelMedia.keepFrame`. */
  keep(frame: RgbaFrame, side?: number): { picture: Promise<ImageBitmap>; file: Promise<Blob> } {
    const worker = (this.#worker ??= this.#start());
    const id = ++this.#lastId;
    const waiting = {} as Waiting;
    const picture = new Promise<ImageBitmap>((resolve, reject) => (waiting.picture = { resolve, reject }));
    const file = new Promise<Blob>((resolve, reject) => (waiting.file = { resolve, reject }));
    // Whoever waits for the picture hears of the failure; nobody may come to wait for the file then.
    file.catch(() => undefined);
    this.#waiting.set(id, waiting);
    const message: ToKeeper = { id, frame, ...(side === undefined ? {} : { side }) };
    worker.postMessage(message, [frame.data.buffer]);
    return { picture, file };
  }

  #start(): Worker {
    const worker = new Worker(new URL('./keeper.ts', import.meta.url), { type: 'module', name: 'keeper' });
    onWorkerEnd(worker, () => this.#fail(worker));
    worker.addEventListener('message', ({ data }: MessageEvent<FromKeeper>) => {
      const waiting = this.#waiting.get(data.id);
      if ('picture' in data) return waiting?.picture.resolve(data.picture);
      this.#waiting.delete(data.id);
      if ('blob' in data) waiting?.file.resolve(data.blob);
      else if (waiting) refuse(waiting, new Error(data.message));
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
    for (const waiting of this.#waiting.values()) refuse(waiting, cause);
    this.#waiting.clear();
  }
}

function refuse({ picture, file }: Waiting, cause?: Error): void {
  const words = 'A new frame could not be kept: the frames so far are there, go on from them.';
  const error = new LongtakeError('output', words, { cause });
  picture.reject(error);
  file.reject(error);
}
