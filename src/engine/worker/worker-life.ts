/**
 * How a page notices that a worker is gone. A worker that closes itself, or that the browser ends, tells nobody. But it loses
 * its locks: each worker holds one for as long as it lives, and the page waits for it. Unlike with questions and answers,
 * nothing is measured in time, so that neither a hidden tab nor a pass of a minute looks like a dead worker. Where a browser
 * allows a frame no locks (one without rights to its storage), only errors that the worker reports are noticed.
 */
interface LifeSign {
  lifeLock: string;
}

/** For a worker's entry, first of all: lets the page know for as long as the worker lives. */
export function showLife(): void {
  const lifeLock = `longtake-worker-${crypto.randomUUID()}`;
  navigator.locks
    ?.request(lifeLock, () => {
      globalThis.postMessage({ lifeLock } satisfies LifeSign);
      return new Promise<never>(() => undefined);
    })
    .catch(() => undefined);
}

/**
 * Tells when a worker has ended, however that came; also after `terminate`. For the page, before other listeners: messages of
 * `showLife` reach no other.
 */
export function onWorkerEnd(worker: Worker, ended: () => void): void {
  worker.addEventListener('message', (event: MessageEvent<unknown>) => {
    if (!isLifeSign(event.data)) return;
    event.stopImmediatePropagation();
    navigator.locks.request(event.data.lifeLock, () => ended()).catch(() => undefined);
  });
}

function isLifeSign(message: unknown): message is LifeSign {
  return typeof message === 'object' && message !== null && 'lifeLock' in message;
}
