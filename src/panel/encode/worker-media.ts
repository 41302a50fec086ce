import { canEncodeVideo } from 'mediabunny';
import { LongtakeError, type RgbaFrame } from '../../engine/types.ts';
import { onWorkerEnd } from '../../engine/worker/worker-life.ts';
import type { EncodeJob, PanelMedia } from '../services.ts';
import { FrameKeeper } from './frame-keeper.ts';
import type { FromEncoder, ToEncoder } from './protocol.ts';

/** Writes clips with the browser's own encoder, in a worker of its own, so that the page stays quick. */
export class WorkerMedia implements PanelMedia {
  readonly #keeper = new FrameKeeper();

  async canEncode(): Promise<boolean> {
    if (typeof VideoEncoder === 'undefined') return false;
    return canEncodeVideo('avc', { width: 1280, height: 720, bitrate: 4e6 });
  }

  keepFrame(frame: RgbaFrame, side?: number): { picture: Promise<ImageBitmap>; file: Promise<Blob> } {
    return this.#keeper.keep(frame, side);
  }

  encode(job: EncodeJob, signal: AbortSignal, onProgress: (fraction: number) => void): Promise<Blob> {
    signal.throwIfAborted();
    const worker = new Worker(new URL('./main.ts', import.meta.url), { type: 'module', name: 'encoder' });
    return new Promise<Blob>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as DOMException), { once: true });
      const fail = (cause?: Error): void =>
        reject(new LongtakeError('output', 'The video encoder stopped unexpectedly; try again.', { cause }));
      onWorkerEnd(worker, fail);
      worker.addEventListener('error', (event) => {
        event.preventDefault();
        fail(new Error(event.message));
      });
      worker.addEventListener('message', ({ data }: MessageEvent<FromEncoder>) => {
        if (data.kind === 'progress') onProgress(data.fraction);
        else if (data.kind === 'done') resolve(data.blob);
        else reject(new LongtakeError(data.code, data.message));
      });
      worker.postMessage({ job } satisfies ToEncoder);
    }).finally(() => worker.terminate());
  }
}
