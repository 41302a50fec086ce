/** Entry of the engine's module worker. */
import type { ToWorker } from './protocol.ts';
import { EngineServer } from './server.ts';
import { showLife } from './worker-life.ts';

/** The part of DedicatedWorkerGlobalScope that is needed; the DOM typings describe a window. */
const scope = globalThis as unknown as {
  postMessage(message: unknown, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};

showLife();
const server = new EngineServer((message, transfer = []) => scope.postMessage(message, transfer));
scope.onmessage = (event) => server.receive(event.data);
