/** Entry of the worker that writes one clip. */
import { LongtakeError } from '../../engine/types.ts';
import { showLife } from '../../engine/worker/worker-life.ts';
import { encodeJob } from './encode-job.ts';
import type { FromEncoder, ToEncoder } from './protocol.ts';

showLife();
const post = (message: FromEncoder) => globalThis.postMessage(message);

globalThis.addEventListener('message', ({ data }: MessageEvent<ToEncoder>) => {
  // A signal that never fires: the page stops a job by ending the worker.
  const { signal } = new AbortController();
  encodeJob(data.job, signal, (fraction) => post({ kind: 'progress', fraction })).then(
    (blob) => post({ kind: 'done', blob }),
    (error: unknown) => {
      const code = error instanceof LongtakeError ? error.code : 'output';
      const message = error instanceof Error ? error.message : String(error);
      post({ kind: 'failed', code, message });
    },
  );
});
