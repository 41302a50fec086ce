import { Subject } from 'rxjs';
import { FrameCache } from './frame-cache.ts';
import type { MediaLibrary } from './library.ts';
import { Reel, type Direction } from './reel.ts';

/** One frame of one media item, at the media's own rate. */
export interface FrameRef {
  mediaId: string;
  frame: number;
}

/** Media whose decoder is kept: those on both sides of a cut. */
const REELS = 2;

/** Exact frames for the viewer: a cache, and the decoders of the media that were wanted last, kept where they stand. */
export class FrameStore {
  private readonly cache: FrameCache;
  /** By media, the last used at the end. */
  private readonly reels = new Map<string, Reel>();
  private readonly arrivals = new Subject<FrameRef>();
  private readonly failures = new Subject<unknown>();

  /** A frame has become ready. */
  readonly arrived$ = this.arrivals.asObservable();
  /** A wanted frame could not be decoded. */
  readonly failed$ = this.failures.asObservable();

  constructor(
    private readonly library: MediaLibrary,
    cacheBytes = 320 * 2 ** 20,
  ) {
    this.cache = new FrameCache(cacheBytes);
  }

  /** The frame, if it is ready. It belongs to the cache: draw it at once, do not keep it. */
  ready({ mediaId, frame }: FrameRef): VideoFrame | undefined {
    return this.cache.get(mediaId, frame);
  }

  has({ mediaId, frame }: FrameRef): boolean {
    return this.cache.has(mediaId, frame);
  }

  /** Says which frame is wanted now. It arrives on `arrived$` unless another wish replaces it first. */
  want({ mediaId, frame }: FrameRef, direction: Direction = 1): void {
    const reel = this.reels.get(mediaId) ?? this.reel(mediaId);
    this.reels.delete(mediaId);
    this.reels.set(mediaId, reel);
    for (const [id, other] of this.reels) {
      if (other === reel) continue;
      if (this.reels.size <= REELS) other.pause();
      else {
        other.rest();
        this.reels.delete(id);
      }
    }
    reel.want(frame, direction);
  }

  /** Stops decoding and lets go of the decoders; what is ready stays. */
  rest(): void {
    this.keepDecoders(new Set());
  }

  /** Lets go of the decoders of all media but these. */
  keepDecoders(mediaIds: ReadonlySet<string>): void {
    for (const [id, reel] of this.reels) {
      if (mediaIds.has(id)) continue;
      reel.rest();
      this.reels.delete(id);
    }
  }

  /** Lets go of a media item that nothing on the timeline can come back to. */
  forget(mediaId: string): void {
    this.reels.get(mediaId)?.rest();
    this.reels.delete(mediaId);
    this.cache.forget(mediaId);
  }

  dispose(): void {
    this.rest();
    this.cache.clear();
  }

  private reel(mediaId: string): Reel {
    return new Reel({
      open: () => this.library.open(mediaId),
      has: (frame) => this.cache.has(mediaId, frame),
      keep: (frame, picture) => {
        this.cache.set(mediaId, frame, picture);
        this.arrivals.next({ mediaId, frame });
      },
      failed: (error) => this.failures.next(error),
      // The wanted ones of both directions together must never push each other out.
      room: (bytes) => Math.max(1, Math.floor(this.cache.capacity / bytes / 3)),
    });
  }
}
