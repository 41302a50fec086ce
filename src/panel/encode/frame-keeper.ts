import { LongtakeError, type RgbaFrame } from '../../engine/types.ts';
import { RestartingWorker } from '../../engine/worker/restarting-worker.ts';
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
  readonly #worker = new RestartingWorker<ToKeeper, FromKeeper>(
    () => new Worker(new URL('./keeper.ts', import.meta.url), { type: 'module', name: 'keeper' }),
    (message) => this.#received(message),
    (cause) => {
      for (const waiting of this.#waiting.values()) refuse(waiting, cause);
      this.#waiting.clear();
    },
  );
  #lastId = 0;
  readonly #waiting = new Map<number, Waiting>();

  /** As `PanelMedia.keepFrame`. */
  keep(frame: RgbaFrame, side?: number): { picture: Promise<ImageBitmap>; file: Promise<Blob> } {
    const id = ++this.#lastId;
    const waiting = {} as Waiting;
    const picture = new Promise<ImageBitmap>((resolve, reject) => (waiting.picture = { resolve, reject }));
    const file = new Promise<Blob>((resolve, reject) => (waiting.file = { resolve, reject }));
    // Whoever waits for the picture hears of the failure; nobody may come to wait for the file then.
    file.catch(() => undefined);
    this.#waiting.set(id, waiting);
    const message: ToKeeper = { id, frame, ...(side === undefined ? {} : { side }) };
    this.#worker.post(message, [frame.data.buffer]);
    return { picture, file };
  }

  #received(message: FromKeeper): void {
    const waiting = this.#waiting.get(message.id);
    if ('picture' in message) return waiting?.picture.resolve(message.picture);
    this.#waiting.delete(message.id);
    if ('blob' in message) waiting?.file.resolve(message.blob);
    else if (waiting) refuse(waiting, new Error(message.message));
  }
}

function refuse({ picture, file }: Waiting, cause?: Error): void {
  const words = 'A new frame could not be kept: the frames so far are there, go on from them.';
  const error = new LongtakeError('output', words, { cause });
  picture.reject(error);
  file.reject(error);
}
