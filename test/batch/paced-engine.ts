import type { BatchEngine } from '../../src/batch/engine-in-use.ts';
import type { ExtendEvent, ExtendRequest, PrimedPrefix } from '../../src/engine/tasks/extend-request.ts';
import { LongtakeError, type RgbaFrame } from '../../src/engine/types.ts';
import type { ExtendTask } from '../../src/media/extension.ts';

/** Stands for the moment when a rollout has not read its clip. */
export const READING = -1;

/** An engine that repeats a frame of the clip, and waits for the test before each. */
export class PacedEngine implements BatchEngine {
  /** What it says it runs on; `reports` is what its rollouts say. */
  backend = 'webgpu';
  reports = 'webgpu';
  /** Seeds in the order in which they began, and in which they ended. */
  readonly begun: number[] = [];
  readonly ended: number[] = [];
  readonly primed: PrimedPrefix[] = [];
  underWay = 0;
  most = 0;
  readonly #frames = new Map<PrimedPrefix, RgbaFrame>();

  /** @param pace called before each frame, and before the clip counts as read; what it throws is the engine's fault */
  constructor(private readonly pace: (seed: number, frame: number) => unknown) {}

  readonly extend: ExtendTask = (request) => this.#events(request);

  async *#events(request: ExtendRequest): AsyncGenerator<ExtendEvent> {
    const { seed, signal, frameCount, prefixLength = 0, direction = 'forward', primed } = request;
    this.begun.push(seed);
    this.most = Math.max(this.most, ++this.underWay);
    const wait = (frame: number) => unlessCancelled(async () => this.pace(seed, frame), signal);
    try {
      let frame = primed ? this.#frames.get(primed)! : null;
      if (!frame) {
        for await (const next of request.prefix) frame = next;
        await wait(READING);
      }
      if (request.keepPrimed) {
        const start = { prefixFrames: prefixLength, direction };
        this.#frames.set(start, frame!);
        this.primed.push(start);
        yield { kind: 'primed', primed: start };
      }
      for (let index = 0; index < frameCount; index++) {
        await wait(index);
        yield { kind: 'frame', index, frame: frame!, secondsLeft: frameCount - index - 1 };
      }
      const report = { model: 'paced', backend: this.reports, frames: frameCount, msPerFrame: 1 };
      yield { kind: 'done', report: { ...report, prefixFrames: prefixLength, seam: null } };
    } finally {
      this.underWay--;
      this.ended.push(seed);
    }
  }
}

/** Where several wait until all of them are there. */
export class Meeting {
  #missing: number;
  #open!: () => void;
  readonly held = new Promise<void>((resolve) => (this.#open = resolve));

  constructor(count: number) {
    this.#missing = count;
  }

  arrive(): Promise<void> {
    if (--this.#missing === 0) this.#open();
    return this.held;
  }
}

function unlessCancelled(wait: () => Promise<unknown>, signal: AbortSignal | undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const cancel = () => reject(new LongtakeError('cancelled', 'Cancelled.'));
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    wait().then(resolve, reject);
  });
}
