import { LongtakeError, type RgbaFrame } from '../../engine/types.ts';
import { RestartingWorker } from '../../engine/worker/restarting-worker.ts';
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
  readonly #worker = new RestartingWorker<ToPng, FromPng>(
    () => new Worker(new URL('./png-worker.ts', import.meta.url), { type: 'module', name: 'png' }),
    (message) => this.#received(message),
    (cause) => this.#fail(cause),
  );
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
    this.#worker.end();
    this.#fail();
  }

  #ask(message: (id: number) => [ToPng, Transferable[]]): Promise<Blob> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.post(...message(id));
    });
  }

  #received(message: FromPng): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('blob' in message) waiting?.resolve(message.blob);
    else waiting?.reject(notWritten(new Error(message.message)));
  }

  #fail(cause?: Error): void {
    for (const { reject } of this.#waiting.values()) reject(notWritten(cause));
    this.#waiting.clear();
  }
}

function notWritten(cause?: Error): LongtakeError {
  return new LongtakeError('output', 'A picture could not be written; try again.', { cause });
}
