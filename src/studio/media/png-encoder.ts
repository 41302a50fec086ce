import { LongtakeError, type RgbaFrame } from '../../engine/types.ts';
import { onWorkerEnd } from '../../engine/worker/worker-life.ts';
import type { ColourTags } from '../../media/colour.ts';
import type { SheetStrip } from '../../media/contact-sheet.ts';
import type { YuvPicture } from '../../media/picture.ts';
import type { FromPng, ToPng } from './png-protocol.ts';

interface Waiting {
  resolve(file: Blob): void;
  reject(error: LongtakeError): void;
}

/** Writes pictures as PNG files in a worker. `dispose` must be called when it is done with. */
export class PngEncoder {
  #worker: Worker | null = null;
  #lastId = 0;
  readonly #waiting = new Map<number, Waiting>();

  /** A frame as a file; its memory is given away. @throws LongtakeError `output` */
  frame(frame: RgbaFrame): Promise<Blob> {
    return this.#ask((id) => [{ id, frame }, [frame.data.buffer]]);
  }

  /** A picture as a file, in RGB by its own colours. @throws LongtakeError `output` */
  picture(picture: YuvPicture, colour: ColourTags): Promise<Blob> {
    return this.#ask((id) => [{ id, picture, colour }, []]);
  }

  /** A contact sheet as a file. @throws LongtakeError `output` */
  sheet(strips: readonly SheetStrip[]): Promise<Blob> {
    return this.#ask((id) => [{ id, strips }, []]);
  }

  /** Ends the worker; what is under way fails. */
  dispose(): void {
    if (this.#worker) this.#end(this.#worker);
  }

  #ask(message: (id: number) => [ToPng, Transferable[]]): Promise<Blob> {
    const worker = (this.#worker ??= this.#start());
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage(...message(id));
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL('./png-worker.ts', import.meta.url), { type: 'module', name: 'png' });
    onWorkerEnd(worker, () => this.#end(worker));
    worker.addEventListener('message', ({ data }: MessageEvent<FromPng>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ('blob' in data) waiting?.resolve(data.blob);
      else waiting?.reject(notWritten(new Error(data.message)));
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      this.#end(worker, new Error(event.message));
    });
    return worker;
  }

  /** The next picture starts a fresh worker. */
  #end(worker: Worker, cause?: Error): void {
    worker.terminate();
    if (this.#worker !== worker) return;
    this.#worker = null;
    for (const { reject } of this.#waiting.values()) reject(notWritten(cause));
    this.#waiting.clear();
  }
}

function notWritten(cause?: Error): LongtakeError {
  return new LongtakeError('output', 'A picture could not be written; try again.', { cause });
}
