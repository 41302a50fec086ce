import { throwIfCancelled } from '../cancel.ts';
import { httpFolder, loadWorldModel } from '../browser.ts';
import type { LoadedModel } from '../loaded-model.ts';
import { openPackage } from '../package/world-package.ts';
import type { WorldPackage } from '../package/world-package.ts';
import { measureSpeed } from '../scheduler/calibrate.ts';
import { measureFrames } from '../scheduler/frame-cost.ts';
import { extendClip } from '../tasks/extend.ts';
import type { ExtendEvent, PrimedPrefix } from '../tasks/extend-request.ts';
import { fillGap, makeLoop } from '../tasks/gap.ts';
import type { GapEvent } from '../tasks/gap-request.ts';
import { repaintRegion } from '../tasks/region.ts';
import type { MaskPicture, RepaintEvent } from '../tasks/region-request.ts';
import { LongtakeError } from '../types.ts';
import type { RgbaFrame } from '../types.ts';
import { EVENTS_AHEAD, FRAMES_AHEAD } from './protocol.ts';
import type { CallResult, FeedItem, FeedName, FromWorker, SentEvent, SentJob, ToWorker } from './protocol.ts';
import { packError, unpackError } from './sent-error.ts';
import { Queue } from './queue.ts';

type Post = (message: FromWorker, transfer?: Transferable[]) => void;
type Message<K extends ToWorker['kind']> = Extract<ToWorker, { kind: K }>;

type TaskEvent = ExtendEvent | GapEvent | RepaintEvent;

/** One call that is under way. */
interface Call {
  abort: AbortController;
  feeds: Record<FeedName, Queue<FeedItem | null>>;
  /** One item for every event that may still be sent. */
  credit: Queue<true>;
}

/** The worker's side of the protocol. */
export class EngineServer {
  readonly #post: Post;
  readonly #calls = new Map<number, Call>();
  readonly #packages = new Map<number, WorldPackage>();
  readonly #models = new Map<number, LoadedModel>();
  readonly #primed = new Map<number, PrimedPrefix>();
  #lastHandle = 0;

  constructor(post: Post) {
    this.#post = post;
  }

  receive(message: ToWorker): void {
    const call = this.#calls.get(message.id);
    switch (message.kind) {
      case 'open':
        return this.#start(message.id, (call) => this.#open(message, call));
      case 'load':
        return this.#start(message.id, (call) => this.#load(message, call));
      case 'measure':
        return this.#start(message.id, (call) => this.#measure(message, call));
      case 'run':
        return this.#start(message.id, (call) => this.#run(message, call));
      case 'item':
        return call?.feeds[message.feed].put(message.item);
      case 'feed-failed':
        return call?.feeds[message.feed].fail(unpackError(message.error));
      case 'consumed':
        return call?.credit.put(true);
      case 'cancel':
        return call?.abort.abort();
      case 'release':
        return this.#release(message);
    }
  }

  #start(id: number, run: (call: Call) => Promise<CallResult>): void {
    const feeds = {
      prefix: new Queue<FeedItem | null>(),
      before: new Queue<FeedItem | null>(),
      after: new Queue<FeedItem | null>(),
      frames: new Queue<FeedItem | null>(),
      masks: new Queue<FeedItem | null>(),
    };
    const call: Call = { abort: new AbortController(), feeds, credit: new Queue() };
    const cancelled = new LongtakeError('cancelled', 'Cancelled.');
    call.abort.signal.addEventListener('abort', () => {
      for (const feed of Object.values(feeds)) feed.fail(cancelled);
      call.credit.fail(cancelled);
    });
    this.#calls.set(id, call);
    run(call)
      .then(
        (value) => this.#post({ id, kind: 'result', value }),
        (error: unknown) => this.#post({ id, kind: 'error', error: packError(error) }),
      )
      .finally(() => this.#calls.delete(id));
  }

  async #open({ id, url }: Message<'open'>, { abort }: Call): Promise<CallResult> {
    const pkg = await openPackage(httpFolder(url), {
      signal: abort.signal,
      onProgress: (progress) => this.#post({ id, kind: 'progress', progress }),
    });
    const packageId = ++this.#lastHandle;
    this.#packages.set(packageId, pkg);
    return { of: 'open', packageId, model: pkg.model };
  }

  async #load({ packageId, backend }: Message<'load'>, { abort }: Call): Promise<CallResult> {
    const model = await loadWorldModel(held(this.#packages, packageId), { backend, signal: abort.signal });
    if (abort.signal.aborted) {
      // The page has forgotten the call and could never release the model.
      model.dispose();
      throwIfCancelled(abort.signal);
    }
    const modelId = ++this.#lastHandle;
    this.#models.set(modelId, model);
    return { of: 'load', modelId, backend: model.backend };
  }

  async #measure({ modelId, size }: Message<'measure'>, { abort }: Call): Promise<CallResult> {
    const model = held(this.#models, modelId);
    const speed = await measureSpeed(model, abort.signal);
    return { of: 'measure', speed, frames: measureFrames(model, size), backend: model.backend };
  }

  async #run({ id, modelId, job }: Message<'run'>, call: Call): Promise<CallResult> {
    for (let i = 0; i < EVENTS_AHEAD; i++) call.credit.put(true);
    for await (const event of this.#events(held(this.#models, modelId), job, id, call)) {
      await call.credit.take();
      // The frame's memory moves to the page; nothing here needs it any more.
      this.#post(
        { id, kind: 'event', event: this.#sendable(event) },
        event.kind === 'frame' ? [event.frame.data.buffer] : [],
      );
    }
    return { of: 'done' };
  }

  #events(model: LoadedModel, job: SentJob, id: number, call: Call): AsyncIterable<TaskEvent> {
    const { signal } = call.abort;
    const frames = (name: FeedName): AsyncGenerator<RgbaFrame> =>
      this.#feed(name, id, call) as AsyncGenerator<RgbaFrame>;
    switch (job.task) {
      case 'extend': {
        const { primedId, ...rest } = job.request;
        const primed = primedId === undefined ? {} : { primed: held(this.#primed, primedId) };
        return extendClip(model, { ...rest, ...primed, prefix: frames('prefix'), signal });
      }
      case 'gap':
        return fillGap(model, { ...job.request, before: frames('before'), after: frames('after'), signal });
      case 'loop':
        return makeLoop(model, { ...job.request, prefix: frames('prefix'), signal });
      case 'region': {
        const { keyframes, ...rest } = job.request;
        const pictures = this.#feed('masks', id, call) as AsyncGenerator<MaskPicture>;
        return repaintRegion(model, {
          ...rest,
          prefix: frames('prefix'),
          frames: frames('frames'),
          mask: keyframes ? { kind: 'rectangles', keyframes } : { kind: 'pictures', pictures },
          signal,
        });
      }
    }
  }

  async *#feed(feed: FeedName, id: number, { feeds }: Call): AsyncGenerator<FeedItem, void, void> {
    for (let i = 0; i < FRAMES_AHEAD; i++) this.#post({ id, kind: 'pull', feed });
    for (;;) {
      const item = await feeds[feed].take();
      if (!item) return;
      this.#post({ id, kind: 'pull', feed });
      yield item;
    }
  }

  #sendable(event: TaskEvent): SentEvent {
    if (event.kind !== 'primed') return event;
    const primedId = ++this.#lastHandle;
    const { prefixFrames, direction } = event.primed;
    this.#primed.set(primedId, event.primed);
    return { kind: 'primed', primed: { primedId, prefixFrames, direction } };
  }

  #release({ what, handle }: Message<'release'>): void {
    if (what === 'package') this.#packages.delete(handle);
    if (what === 'primed') this.#primed.delete(handle);
    if (what === 'model') {
      this.#models.get(handle)?.dispose();
      this.#models.delete(handle);
    }
  }
}

function held<T>(things: ReadonlyMap<number, T>, handle: number): T {
  const thing = things.get(handle);
  if (!thing) throw new LongtakeError('internal', 'The engine was asked for something it no longer holds.');
  return thing;
}
