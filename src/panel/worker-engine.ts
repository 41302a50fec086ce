import { LongtakeError } from '../engine/types.ts';
import type { ExtendEvent, ExtendRequest, PrimedPrefix } from '../engine/tasks/extend-request.ts';
import type { GapEvent, GapRequest, LoopRequest } from '../engine/tasks/gap-request.ts';
import type { RepaintEvent, RepaintRequest } from '../engine/tasks/region-request.ts';
import { EngineClient, type RemoteModel } from '../engine/worker/client.ts';
import { packageConfig } from './package-config.ts';
import type { PanelEngine } from './services.ts';
import type { EngineInfo } from './state/panel-state.ts';

/** The engine in its worker, with the one world model that the page was built with. */
export class WorkerEngine implements PanelEngine {
  #client: EngineClient | null = null;
  #model: RemoteModel | null = null;
  #primed = new Set<PrimedPrefix>();

  async load(signal: AbortSignal, onProgress: (fraction: number) => void): Promise<EngineInfo> {
    if (!this.#model) {
      try {
        const { url, backend } = await packageConfig(signal);
        this.#client ??= EngineClient.start();
        const opened = await this.#client.openPackage(url, {
          signal,
          onProgress: ({ bytesDone, bytesTotal }) =>
            onProgress(bytesTotal > 0 ? Math.min(1, bytesDone / bytesTotal) : 0),
        });
        this.#model = await this.#client.loadWorldModel(opened, { signal, backend });
      } catch (error) {
        this.#recover(error);
        throw error;
      }
    }
    const { model, backend } = this.#model;
    const { verticalFov } = model.camera;
    return { model: model.name, title: model.title, backend, tasks: model.tasks, verticalFov };
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
    try {
      yield* start(this.#client, this.#model);
    } catch (error) {
      this.#recover(error);
      throw error;
    }
  }

  holds(primed: PrimedPrefix): boolean {
    return this.#primed.has(primed);
  }

  release(primed: PrimedPrefix): void {
    if (this.#primed.delete(primed)) this.#client?.release(primed);
  }

  dispose(): void {
    this.#client?.dispose();
    this.#client = null;
    this.#model = null;
    this.#primed.clear();
  }

  /** After a fault of the engine itself (a lost device, a stopped worker) the next load begins with a fresh worker. */
  #recover(error: unknown): void {
    const ours = error instanceof LongtakeError;
    if (!ours || error.code === 'internal' || error.code === 'backend') this.dispose();
  }
}
