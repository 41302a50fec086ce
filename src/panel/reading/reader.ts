/** Entry of the worker that reads clips: decoding and colours of large frames would keep an editor's clicks waiting. */
import { BlobSource } from 'mediabunny';
import { LongtakeError } from '../../engine/types.ts';
import { Queue } from '../../engine/worker/queue.ts';
import { packError } from '../../engine/worker/sent-error.ts';
import { showLife } from '../../engine/worker/worker-life.ts';
import { openClip } from '../../media/open-clip.ts';
import { FRAMES_AHEAD, type FromReader, type Stretch, type ToReader } from './protocol.ts';

interface Reading {
  abort: AbortController;
  /** One for each frame that may still be sent. */
  credit: Queue<true>;
}

showLife();
const readings = new Map<number, Reading>();
const post = (message: FromReader, transfer: Transferable[] = []) =>
  globalThis.postMessage(message, { transfer });

globalThis.addEventListener('message', ({ data }: MessageEvent<ToReader>) => {
  if (data.kind === 'read') void read(data.id, data.stretch);
  else if (data.kind === 'taken') readings.get(data.id)?.credit.put(true);
  else close(data.id);
});

function close(id: number): void {
  const reading = readings.get(id);
  readings.delete(id);
  reading?.abort.abort();
  reading?.credit.fail(new LongtakeError('cancelled', 'Cancelled.'));
}

async function read(id: number, { blob, label, range }: Stretch): Promise<void> {
  const reading: Reading = { abort: new AbortController(), credit: new Queue() };
  readings.set(id, reading);
  for (let ahead = 0; ahead < FRAMES_AHEAD; ahead++) reading.credit.put(true);
  const { signal } = reading.abort;
  try {
    const clip = await openClip(new BlobSource(blob), label, signal);
    try {
      for await (const frame of clip.frames(range.startFrame, range.frameCount, signal)) {
        await reading.credit.take();
        post({ id, kind: 'frame', frame }, [frame.data.buffer]);
      }
    } finally {
      clip.dispose();
    }
    if (readings.delete(id)) post({ id, kind: 'end' });
  } catch (error) {
    const ours = error instanceof LongtakeError;
    const told = ours ? error : new LongtakeError('input', `“${label}” could not be read.`, { cause: error });
    if (readings.delete(id)) post({ id, kind: 'failed', error: packError(told) });
  }
}
