/** Entry of the worker that turns new frames into pictures and files, one after the other. */
import { showLife } from '../../engine/worker/worker-life.ts';
import { encodeFrame, preview } from '../clips/frame-images.ts';
import type { FromKeeper, ToKeeper } from './protocol.ts';

showLife();
const post = (message: FromKeeper, transfer: Transferable[] = []) =>
  globalThis.postMessage(message, { transfer });

globalThis.addEventListener('message', ({ data }: MessageEvent<ToKeeper>) => {
  keep(data).catch((error: unknown) =>
    post({ id: data.id, message: error instanceof Error ? error.message : String(error) }),
  );
});

async function keep({ id, frame, side }: ToKeeper): Promise<void> {
  const picture = await preview(frame, side);
  post({ id, picture }, [picture]);
  post({ id, blob: await encodeFrame(frame) });
}
