/** Entry of the worker that turns new frames into files, one after the other. */
import { showLife } from '../../engine/worker/worker-life.ts';
import { encodeFrame } from '../clips/frame-images.ts';
import type { FromKeeper, ToKeeper } from './protocol.ts';

showLife();
const post = (message: FromKeeper) => globalThis.postMessage(message);

globalThis.addEventListener('message', ({ data: { id, frame } }: MessageEvent<ToKeeper>) => {
  encodeFrame(frame).then(
    (blob) => post({ id, blob }),
    (error: unknown) => post({ id, message: error instanceof Error ? error.message : String(error) }),
  );
});
