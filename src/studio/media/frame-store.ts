import { Subject } from 'rxjs';
import { BitmapCache } from './bitmap-cache.ts';
import type { MediaLibrary } from './library.ts';
import { pictureBitmap } from './picture-bitmap.ts';

/** One frame of one media item, at the media's own rate. */
export interface FrameRef {
  mediaId: string;
  frame: number;
}

/** A decode that walks through consecutive frames of one media item, as far as somebody wants them. */
interface Run {
  mediaId: string;
  /** Next frame it will deliver. */
  next: number;
  /** Frame before which it stops to wait. */
  until: number;
  /** Hard end: the last frame it was started for, exclusive. */
  end: number;
  abort: AbortController;
  wake: () => void;
}

/** Frames decoded past the wanted one, so that stepping and playing find them ready. */
const AHEAD = 12;
/** A wanted frame this little ahead of a run waits for it instead of seeking. */
const CLOSE = 24;
/** Frames fetched before the wanted one when going backwards: one seek serves that many steps. */
const BEHIND = 15;

/**
 * Exact frames for the viewer: a cache, and one running decode that follows what is wanted. The newest wish wins; a
 * decode for an older one stops.
 */
export class FrameStore {
  private readonly cache: BitmapCache;
  private run: Run | null = null;
  private readonly arrivals = new Subject<FrameRef>();
  private readonly failures = new Subject<unknown>();

  /** A frame has become ready. */
  readonly arrived$ = this.arrivals.asObservable();
  /** A wanted frame could not be decoded. */
  readonly failed$ = this.failures.asObservable();

  constructor(
    private readonly library: MediaLibrary,
    private readonly longestSide = 1920,
    cacheBytes = 320 * 2 ** 20,
  ) {
    this.cache = new BitmapCache(cacheBytes);
  }

  /** The frame, if it is ready. The bitmap belongs to the cache: draw it at once, do not keep it. */
  ready(ref: FrameRef): ImageBitmap | undefined {
    return this.cache.get(key(ref.mediaId, ref.frame));
  }

  /**
   * Says which frame is wanted now. It arrives on `arrived$` unless another wish replaces it first.
   * @param direction where the next wishes will go: -1 backwards, otherwise forwards
   */
  want(ref: FrameRef, direction: -1 | 1 = 1): void {
    const { mediaId, frame } = ref;
    const run = this.run?.mediaId === mediaId ? this.run : null;
    const reach = direction < 0 ? BEHIND : CLOSE;
    const cached = this.cache.has(key(mediaId, frame));
    if (run && frame < run.end && frame <= run.next + reach && (cached || frame >= run.next)) {
      // A run that has passed the frame goes on only while somebody follows it closely.
      if (direction > 0 && frame >= run.next - AHEAD) run.until = Math.max(run.until, frame + AHEAD);
      else if (!cached) run.until = Math.max(run.until, frame + 1);
      run.wake();
      if (direction > 0 || !cached) return;
    }
    if (direction > 0) {
      if (!cached) this.start(mediaId, frame, frame + AHEAD, Infinity);
      return;
    }
    const missing = cached ? this.missingBefore(ref) : frame;
    const idle = !this.run || this.run.next >= this.run.until || !cached;
    if (missing !== null && idle)
      this.start(mediaId, Math.max(0, missing - BEHIND), missing + 1, missing + 1);
  }

  /** Stops decoding; what is cached stays. */
  rest(): void {
    this.run?.abort.abort();
    this.run?.wake();
    this.run = null;
  }

  dispose(): void {
    this.rest();
    this.cache.clear();
  }

  /** The nearest frame before a cached one that backward play will need soon and that is not there yet. */
  private missingBefore({ mediaId, frame }: FrameRef): number | null {
    for (let f = frame - 1; f >= Math.max(0, frame - BEHIND / 2); f -= 1) {
      if (!this.cache.has(key(mediaId, f))) return f;
    }
    return null;
  }

  private start(mediaId: string, from: number, until: number, end: number): void {
    this.rest();
    const run: Run = { mediaId, next: from, until, end, abort: new AbortController(), wake: () => undefined };
    this.run = run;
    void this.decode(run);
  }

  private async decode(run: Run): Promise<void> {
    const { signal } = run.abort;
    try {
      const clip = await this.library.open(run.mediaId);
      run.end = Math.min(run.end, clip.facts.frameCount);
      if (run.next >= run.end || signal.aborted) return;
      for await (const picture of clip.pictures(run.next, run.end - run.next, signal)) {
        const bitmap = await pictureBitmap(picture, clip.facts.colour, this.longestSide);
        this.cache.set(key(run.mediaId, run.next), bitmap);
        this.arrivals.next({ mediaId: run.mediaId, frame: run.next });
        run.next += 1;
        while (run.next >= run.until && !signal.aborted) await new Promise<void>((wake) => (run.wake = wake));
        if (signal.aborted) return;
      }
    } catch (error) {
      if (!signal.aborted) this.failures.next(error);
    } finally {
      if (this.run === run) this.run = null;
    }
  }
}

function key(mediaId: string, frame: number): string {
  return `${mediaId}/${frame}`;
}
