import type { ModelJson } from '../package/model-json.ts';
import type { OpenPackageOptions } from '../package/world-package.ts';
import type { FrameCost } from '../scheduler/frame-cost.ts';
import type { Speed } from '../scheduler/speed.ts';
import type { ExtendEvent, ExtendRequest, PrimedPrefix } from '../tasks/extend-request.ts';
import type { GapEvent, GapRequest, LoopRequest } from '../tasks/gap-request.ts';
import type { RepaintEvent, RepaintRequest } from '../tasks/region-request.ts';
import { LongtakeError } from '../types.ts';
import type { BackendChoice } from '../world/backend.ts';
import type { BackendName } from '../world/world-model.ts';
import { Feed } from './feed.ts';
import type {
  CallResult,
  FeedItem,
  FeedName,
  FromWorker,
  RemotePrimed,
  SentJob,
  ToWorker,
} from './protocol.ts';
import { Queue } from './queue.ts';
import { unpackError } from './sent-error.ts';
import { onWorkerEnd } from './worker-life.ts';

export interface RemotePackage {
  readonly packageId: number;
  readonly model: ModelJson;
}

export interface RemoteModel {
  readonly modelId: number;
  readonly model: ModelJson;
  readonly backend: BackendName;
}

export interface EngineClientOptions {
  /** Left out: false. */
  moveFrames?: boolean;
}

/** One call that waits for the worker. */
interface Call {
  receive(message: FromWorker): void;
  fail(error: LongtakeError): void;
  /** Stops listening to the caller's signal. */
  unlisten?: () => void;
}

/** The call-by-call message, without the id that the client gives it. */
type Request = ToWorker extends infer M ? (M extends { id: number } ? Omit<M, 'id'> : never) : never;

/** The engine in a worker, for pages: same functions, same events, same errors. */
export class EngineClient {
  readonly #worker: Worker;
  readonly #moveFrames: boolean;
  readonly #calls = new Map<number, Call>();
  #lastId = 0;
  #ended: LongtakeError | null = null;

  /**
   * @param worker runs ./main.ts; from now on it belongs to the client
   * @param options.moveFrames the memory of frames that tasks read is moved to the worker, not copied: for callers that
   *   use none of them afterwards
   */
  constructor(worker: Worker, { moveFrames = false }: EngineClientOptions = {}) {
    this.#worker = worker;
    this.#moveFrames = moveFrames;
    onWorkerEnd(worker, () => this.#end(stopped()));
    worker.addEventListener('message', (event: MessageEvent<FromWorker>) => {
      this.#calls.get(event.data.id)?.receive(event.data);
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      this.#end(stopped(new Error(event.message)));
    });
  }

  /** Whether the worker is gone: every call fails from now on. */
  get ended(): boolean {
    return this.#ended !== null;
  }

  /** Starts the engine's worker. */
  static start(options: EngineClientOptions = {}): EngineClient {
    const worker = new Worker(new URL('./main.ts', import.meta.url), { type: 'module', name: 'engine' });
    return new EngineClient(worker, options);
  }

  /**
   * Loads and verifies a package; files are kept for the next time.
   * @param baseUrl the package's folder, relative to the page
   * @throws LongtakeError `package`, `cancelled`
   */
  async openPackage(baseUrl: string | URL, options: OpenPackageOptions = {}): Promise<RemotePackage> {
    const url = new URL(baseUrl, document.baseURI).href;
    const { packageId, model } = await this.#ask<'open'>(
      { kind: 'open', url },
      options.signal,
      (message) => message.kind === 'progress' && options.onProgress?.(message.progress),
    );
    return { packageId, model };
  }

  /** @throws LongtakeError `backend` when no backend, or not the one asked for, works here; `cancelled` */
  async loadWorldModel(
    pkg: RemotePackage,
    options: { backend?: BackendChoice; signal?: AbortSignal } = {},
  ): Promise<RemoteModel> {
    const { packageId, model } = pkg;
    const { modelId, backend } = await this.#ask<'load'>(
      { kind: 'load', packageId, backend: options.backend ?? 'auto' },
      options.signal,
    );
    return { modelId, model, backend };
  }

  /**
   * Measures this machine: the model's speed once, corrected by every rollout since, and what frames of a size cost. Nothing
   * else may be at work meanwhile. After a failure of the device the backend may be another one than at first.
   * @throws LongtakeError `backend`, `cancelled`
   */
  async measure(
    { modelId }: RemoteModel,
    size: { width: number; height: number },
    signal?: AbortSignal,
  ): Promise<{ speed: Speed; frames: FrameCost; backend: BackendName }> {
    const { speed, frames, backend } = await this.#ask<'measure'>({ kind: 'measure', modelId, size }, signal);
    return { speed, frames, backend };
  }

  /** As extendClip of the engine. Cancelling takes effect at once for the caller, and in the worker after the present pass. */
  async *extendClip(model: RemoteModel, request: ExtendRequest): AsyncGenerator<ExtendEvent, void, void> {
    const { prefix, signal, primed, ...rest } = request;
    const sent = primed ? { ...rest, primedId: (primed as RemotePrimed).primedId } : rest;
    yield* this.#run<ExtendEvent>(model, { task: 'extend', request: sent }, { prefix }, signal);
  }

  /** As fillGap of the engine. */
  async *fillGap(model: RemoteModel, request: GapRequest): AsyncGenerator<GapEvent, void, void> {
    const { before, after, signal, ...rest } = request;
    yield* this.#run<GapEvent>(model, { task: 'gap', request: rest }, { before, after }, signal);
  }

  /** As makeLoop of the engine. */
  async *makeLoop(model: RemoteModel, request: LoopRequest): AsyncGenerator<GapEvent, void, void> {
    const { prefix, signal, ...rest } = request;
    yield* this.#run<GapEvent>(model, { task: 'loop', request: rest }, { prefix }, signal);
  }

  /** As repaintRegion of the engine; but frames come back as copies, also those in which nothing is masked. */
  async *repaintRegion(
    model: RemoteModel,
    request: RepaintRequest,
  ): AsyncGenerator<RepaintEvent, void, void> {
    const { prefix, frames, mask, signal, ...rest } = request;
    const [masks, keyframes] =
      mask.kind === 'pictures' ? [{ masks: mask.pictures }, {}] : [{}, { keyframes: mask.keyframes }];
    const job: SentJob = { task: 'region', request: { ...rest, ...keyframes } };
    yield* this.#run<RepaintEvent>(model, job, { prefix, frames, ...masks }, signal);
  }

  /** Runs a task in the worker, which asks for the items of the feeds as it needs them. */
  async *#run<E extends ExtendEvent | GapEvent | RepaintEvent>(
    model: RemoteModel,
    job: SentJob,
    sources: Partial<Record<FeedName, AsyncIterable<FeedItem> | Iterable<FeedItem>>>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<E, void, void> {
    const feeds = new Map(
      Object.entries(sources).map(([name, source]) => [name as FeedName, new Feed(source)]),
    );
    const events = new Queue<FromWorker>();
    const id = this.#open(signal, {
      receive: (message) => {
        if (message.kind !== 'pull') return events.put(message);
        const { feed } = message;
        void feeds
          .get(feed)!
          .next()
          .then((answer) => {
            if ('error' in answer) return this.#send({ id, kind: 'feed-failed', feed, ...answer });
            // Masks are often the same one again and again.
            const moved =
              answer.item && this.#moveFrames && feed !== 'masks' ? [answer.item.data.buffer] : [];
            return this.#send({ id, kind: 'item', feed, ...answer }, moved);
          });
      },
      fail: (error) => events.fail(error),
    });
    let running = true;
    try {
      this.#send({ id, kind: 'run', modelId: model.modelId, job });
      for (;;) {
        const message = await events.take();
        if (message.kind === 'event') {
          this.#send({ id, kind: 'consumed' });
          yield message.event as E;
        } else {
          running = false;
          if (message.kind !== 'error') return;
          // An error of the caller's own frames comes back as it was thrown.
          const failure = [...feeds.values()].find((feed) => feed.failure)?.failure;
          throw failure ? failure.error : unpackError(message.error);
        }
      }
    } finally {
      if (running) this.#send({ id, kind: 'cancel' });
      this.#close(id);
      for (const feed of feeds.values()) feed.close();
    }
  }

  /** Lets go of what the worker holds. */
  release(what: RemotePackage | RemoteModel | PrimedPrefix): void {
    const id = ++this.#lastId;
    if ('modelId' in what) this.#send({ id, kind: 'release', what: 'model', handle: what.modelId });
    else if ('packageId' in what)
      this.#send({ id, kind: 'release', what: 'package', handle: what.packageId });
    else this.#send({ id, kind: 'release', what: 'primed', handle: (what as RemotePrimed).primedId });
  }

  /** Ends the worker; calls under way reject with `cancelled`. */
  dispose(): void {
    this.#end(new LongtakeError('cancelled', 'Cancelled.'));
  }

  #end(error: LongtakeError): void {
    this.#ended ??= error;
    this.#worker.terminate();
    for (const call of [...this.#calls.values()]) call.fail(error);
    this.#calls.clear();
  }

  #send(message: ToWorker, transfer: Transferable[] = []): void {
    if (!this.#ended) this.#worker.postMessage(message, transfer);
  }

  /** Registers a call and makes the signal fail it. */
  #open(signal: AbortSignal | undefined, call: Call): number {
    const id = ++this.#lastId;
    const failed = this.#ended ?? (signal?.aborted ? new LongtakeError('cancelled', 'Cancelled.') : null);
    if (failed) {
      call.fail(failed);
      return id;
    }
    this.#calls.set(id, call);
    const onAbort = (): void => {
      this.#send({ id, kind: 'cancel' });
      call.fail(new LongtakeError('cancelled', 'Cancelled.'));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    call.unlisten = () => signal?.removeEventListener('abort', onAbort);
    return id;
  }

  #close(id: number): void {
    this.#calls.get(id)?.unlisten?.();
    this.#calls.delete(id);
  }

  #ask<K extends CallResult['of']>(
    request: Request,
    signal: AbortSignal | undefined,
    onMessage?: (message: FromWorker) => void,
  ): Promise<Extract<CallResult, { of: K }>> {
    return new Promise((resolve, reject) => {
      const id = this.#open(signal, {
        receive: (message) => {
          if (message.kind === 'result') {
            this.#close(id);
            resolve(message.value as Extract<CallResult, { of: K }>);
          } else if (message.kind === 'error') {
            this.#close(id);
            reject(unpackError(message.error));
          } else onMessage?.(message);
        },
        fail: reject,
      });
      if (this.#calls.has(id)) this.#send({ id, ...request } as ToWorker);
    });
  }
}

function stopped(cause?: Error): LongtakeError {
  const words = 'The engine stopped unexpectedly; what was made is kept, and it starts anew the next time.';
  return new LongtakeError('internal', words, { cause });
}
