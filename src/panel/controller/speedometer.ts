import { distinctUntilChanged, EMPTY, map, Observable, Subscription, switchMap } from 'rxjs';
import { stepsFor } from '../../engine/scheduler/profiles.ts';
import { predictSeconds } from '../../engine/scheduler/speed.ts';
import type { ClipRecord } from '../clips/clip-record.ts';
import { presentSpeed, withFrameCost, withTogether, workFor } from '../state/estimate.ts';
import type { EngineInfo, PanelState } from '../state/panel-state.ts';
import { parseSpeeds, speedKey, withSpeed, type MachineSpeed } from '../state/speeds.ts';
import type { PanelContext } from './panel-context.ts';
import type { FinishedRollout } from './run-rollout.ts';

/** Where measured speeds are kept between openings of the panel. */
const SPEEDS = 'longtake.speeds';

type Size = { width: number; height: number };

/**
 * Knows how fast the model is here: loads it and measures the machine as soon as there is something to continue, while
 * nothing else is at work, takes over what rollouts teach, and remembers it for the next visit. Its failures are silent: what
 * is wrong with the model is told when it is needed.
 */
export class Speedometer {
  readonly #subscriptions = new Subscription();
  /** What the last rollout took beside the model's own work, until the model's share is known. */
  #lesson: FinishedRollout | null = null;

  constructor(private readonly context: PanelContext) {}

  /** Brings back what was measured on earlier visits, and watches for occasions from now on. */
  async open(): Promise<void> {
    const { store, services } = this.context;
    store.dispatch({ type: 'speeds', speeds: parseSpeeds(await services.values.get(SPEEDS)) });
    this.#subscriptions.add(
      store.state$
        .pipe(
          map(occasion),
          distinctUntilChanged((a, b) => a?.width === b?.width && a?.height === b?.height),
          switchMap((size) => (size ? this.#measurement(size) : EMPTY)),
        )
        .subscribe(),
    );
  }

  /** Learns from a rollout that made a clip from its first frame on. */
  learn(rollout: FinishedRollout): void {
    this.#lesson = rollout;
  }

  /**
   * Learns what further variations cost from some that were made at the same time.
   * @param took seconds from when the clip was read until all were there
   */
  async learnTogether(record: ClipRecord, count: number, took: number): Promise<void> {
    const { state } = this.context.store;
    // Where passes changed on the way, nothing can be told; and only an extension is read once for all.
    const tells = !record.fit && (record.purpose ?? 'extend') === 'extend';
    const speed = tells ? withTogether(state, record, count, took) : null;
    if (speed && state.engine) await this.#keep(state.engine, speed);
  }

  /** Forgets all measurements, on this visit and earlier ones. */
  async forget(): Promise<void> {
    this.context.store.dispatch({ type: 'speeds', speeds: {} });
    await this.context.services.values.remove(SPEEDS);
  }

  dispose(): void {
    this.#subscriptions.unsubscribe();
  }

  /** Measures once; unsubscribing ends it. */
  #measurement(size: Size): Observable<never> {
    return new Observable((subscriber) => {
      const abort = new AbortController();
      this.#measure(size, abort.signal)
        .catch(() => undefined)
        .finally(() => {
          if (!abort.signal.aborted) this.context.store.dispatch({ type: 'measuring', measuring: false });
          subscriber.complete();
        });
      return () => {
        abort.abort();
        this.context.store.dispatch({ type: 'measuring', measuring: false });
      };
    });
  }

  async #measure(size: Size, signal: AbortSignal): Promise<void> {
    const { store, services } = this.context;
    // The state must not change while it is being told.
    await Promise.resolve();
    store.dispatch({ type: 'measuring', measuring: true });
    const engine = await services.engine.load(signal, () => undefined);
    signal.throwIfAborted();
    store.dispatch({ type: 'engine', engine });
    const { speed, frames, backend } = await services.engine.measure(size, signal);
    const now = { ...engine, backend };
    if (backend !== engine.backend) store.dispatch({ type: 'engine', engine: now });
    const megapixels = (size.width * size.height) / 1e6;
    const before = presentSpeed(store.state) ?? {
      readMs: frames.readMs / megapixels,
      makeMs: frames.makeMs / megapixels,
    };
    await this.#keep(now, this.#learned({ ...before, ...speed }));
  }

  async #keep({ model, backend }: EngineInfo, speed: MachineSpeed): Promise<void> {
    const { store, services } = this.context;
    const adapter = store.state.abilities?.adapter ?? '';
    const speeds = withSpeed(store.state.speeds, speedKey(model, backend, adapter), speed);
    store.dispatch({ type: 'speeds', speeds });
    await services.values.set(SPEEDS, speeds);
  }

  /** The speed with what the last rollout taught of frames beside the model. */
  #learned(speed: MachineSpeed): MachineSpeed {
    const lesson = this.#lesson;
    const { model } = this.context.store.state;
    this.#lesson = null;
    // Where passes changed on the way, the model's share cannot be told.
    if (!lesson || !model || lesson.record.fit) return speed;
    const { record, times, making } = lesson;
    const { work } = workFor(model, record.prefix, record.purpose ?? 'extend', record.frameCount);
    const chunks = { ...work, primeChunks: 0 };
    const modelMs = 1000 * predictSeconds(speed, stepsFor(model, record.profile), chunks);
    return withFrameCost(
      speed,
      { read: times.perFrameRead, make: (making - modelMs) / record.frameCount },
      record.size,
    );
  }
}

/** The size of the clip, where there is one and no rollout runs. */
function occasion({ source, rollouts }: PanelState): Size | null {
  return source.status === 'ready' && rollouts.length === 0 ? source.prefix.size : null;
}
