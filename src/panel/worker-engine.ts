import { BehaviorSubject, filter, firstValueFrom } from 'rxjs';
import { LongtakeError } from '../engine/types.ts';
import type { ModelJson } from '../engine/package/model-json.ts';
import type { FrameCost } from '../engine/scheduler/frame-cost.ts';
import type { Speed } from '../engine/scheduler/speed.ts';
import type { ExtendEvent, ExtendRequest, PrimedPrefix } from '../engine/tasks/extend-request.ts';
import type { GapEvent, GapRequest, LoopRequest } from '../engine/tasks/gap-request.ts';
import type { RepaintEvent, RepaintRequest } from '../engine/tasks/region-request.ts';
import { EngineClient, type RemoteModel } from '../engine/worker/client.ts';
import { describedModel, packageConfig } from './package-config.ts';
import type { PanelEngine } from './services.ts';
import type { EngineInfo } from './state/panel-state.ts';

/** A model that is being loaded, for whoever needs it meanwhile. */
interface Loading {
  model: Promise<RemoteModel>;
  progress: BehaviorSubject<number>;
  abort: AbortController;
}

/** The engine in its worker, with the one world model that the page was built with. */
export class WorkerEngine implements PanelEngine {
  #client: EngineClient | null = null;
  #model: RemoteModel | null = null;
  #loading: Loading | null = null;
  #primed = new Set<PrimedPrefix>();
  /** Tasks under way. */
  readonly #tasks = new BehaviorSubject(0);
  #measuring: AbortController | null = null;

  async describe(signal: AbortSignal): Promise<{ model: ModelJson; backend: string | null }> {
    const [model, { backend }] = await Promise.all([describedModel(signal), packageConfig(signal)]);
    return { model, backend: backend === 'auto' ? null : backend };
  }

  async load(signal: AbortSignal, onProgress: (fraction: number) => void): Promise<EngineInfo> {
    signal.throwIfAborted();
    // It may have gone down while nobody asked it for anything.
    if (this.#client?.ended) this.dispose();
    if (!this.#model) {
      const loading = (this.#loading ??= this.#startLoading());
      const subscription = loading.progress.subscribe(onProgress);
      try {
        await unlessAborted(loading.model, signal);
      } finally {
        subscription.unsubscribe();
      }
    }
    const { model, backend } = this.#model!;
    return { model, backend };
  }

  async measure(
    size: { width: number; height: number },
    signal: AbortSignal,
  ): Promise<{ speed: Speed; frames: FrameCost; backend: string }> {
    await firstValueFrom(this.#tasks.pipe(filter((tasks) => tasks === 0)));
    signal.throwIfAborted();
    if (!this.#client || !this.#model) throw new LongtakeError('internal', 'No model is loaded.');
    const abort = new AbortController();
    this.#measuring = abort;
    try {
      const model = this.#model;
      const measured = await this.#client.measure(model, size, AbortSignal.any([signal, abort.signal]));
      if (this.#model === model) this.#model = { ...model, backend: measured.backend };
      return measured;
    } finally {
      if (this.#measuring === abort) this.#measuring = null;
    }
  }

  async *extend(request: ExtendRequest): AsyncGenerator<ExtendEvent> {
    const { primed, ...rest } = request;
    // A state that went down with its worker is of no use: then the prefix is read again.
    const usable = primed && this.#primed.has(primed) ? { primed } : {};
    for await (const event of this.#run((client, model) =>
      client.extendClip(model, { ...rest, ...usable }),
    )) {
      if (event.kind === 'primed') this.#primed.add(event.primed);
      yield event;
    }
  }

  fillGap(request: GapRequest): AsyncGenerator<GapEvent> {
    return this.#run((client, model) => client.fillGap(model, request));
  }

  makeLoop(request: LoopRequest): AsyncGenerator<GapEvent> {
    return this.#run((client, model) => client.makeLoop(model, request));
  }

  repaint(request: RepaintRequest): AsyncGenerator<RepaintEvent> {
    return this.#run((client, model) => client.repaintRegion(model, request));
  }

  async *#run<E>(
    start: (client: EngineClient, model: RemoteModel) => AsyncIterable<E>,
  ): AsyncGenerator<E, void, void> {
    if (!this.#client || !this.#model) throw new LongtakeError('internal', 'No model is loaded.');
    this.#measuring?.abort();
    this.#tasks.next(this.#tasks.value + 1);
    try {
      yield* start(this.#client, this.#model);
    } catch (error) {
      this.#recover(error);
      throw error;
    } finally {
      this.#tasks.next(this.#tasks.value - 1);
    }
  }

  holds(primed: PrimedPrefix): boolean {
    return this.#primed.has(primed);
  }

  release(primed: PrimedPrefix): void {
    if (this.#primed.delete(primed)) this.#client?.release(primed);
  }

  dispose(): void {
    this.#loading?.abort.abort();
    this.#client?.dispose();
    this.#loading = null;
    this.#client = null;
    this.#model = null;
    this.#primed.clear();
  }

  #startLoading(): Loading {
    const abort = new AbortController();
    const progress = new BehaviorSubject(0);
    const load = async (): Promise<RemoteModel> => {
      try {
        const { signal } = abort;
        const { url, backend } = await packageConfig(signal);
        this.#client ??= EngineClient.start({ moveFrames: true });
        const opened = await this.#client.openPackage(url, {
          signal,
          onProgress: ({ bytesDone, bytesTotal }) =>
            progress.next(bytesTotal > 0 ? Math.min(1, bytesDone / bytesTotal) : 0),
        });
        this.#model = await this.#client.loadWorldModel(opened, { signal, backend });
        return this.#model;
      } catch (error) {
        this.#recover(error);
        throw error;
      } finally {
        if (this.#loading?.abort === abort) this.#loading = null;
      }
    };
    return { model: load(), progress, abort };
  }

  /** After a fault of the engine itself (a lost device, a stopped worker) the next load begins with a fresh worker. */
  #recover(error: unknown): void {
    const ours = error instanceof LongtakeError;
    if (!ours || error.code === 'internal' || error.code === 'backend') this.dispose();
  }
}

/** Settles as `promise` does, or rejects at once when the signal fires; what is under way goes on for others. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
