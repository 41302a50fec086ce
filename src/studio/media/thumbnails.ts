import { ALL_FORMATS, BlobSource, EncodedPacketSink, Input, VideoSampleSink } from 'mediabunny';
import type { InputVideoTrack } from 'mediabunny';
import { Subject } from 'rxjs';
import type { Rational } from '../../engine/types.ts';
import { frameCentre } from '../../media/rational.ts';
import type { MediaLibrary } from './library.ts';

/** A small picture that stands for a stretch of frames on the timeline. */
export interface ThumbnailWish {
  mediaId: string;
  rate: Rational;
  /** First frame of the stretch, at the media's rate. */
  frame: number;
  /** Frames in the stretch. A key frame inside it may stand for it: that is much cheaper to decode. */
  span: number;
}

/** A thumbnail, and the frame that it stands for. */
export interface NearThumbnail {
  bitmap: ImageBitmap;
  frame: number;
}

/** Height of a thumbnail in pixels; twice the row on screen, for sharp displays. */
const HEIGHT = 112;
/** Thumbnails kept, about 110 kB each. */
const KEPT = 1500;

/**
 * Thumbnails, made one after the other in the background, those asked for last first. Asking again for one that is on
 * its way changes nothing.
 */
export class Thumbnails {
  private readonly made = new Map<string, ImageBitmap>();
  /** Frames of the made ones, by media and key. */
  private readonly frames = new Map<string, Map<string, number>>();
  private readonly failed = new Set<string>();
  private readonly tracks = new Map<
    string,
    Promise<{ track: InputVideoTrack; origin: number; input: Input }>
  >();
  private waiting: ThumbnailWish[] = [];
  private working = false;
  private paused = false;
  private disposed = false;
  private readonly arrivals = new Subject<string>();

  /** Emits the media id whose thumbnails became more. */
  readonly arrived$ = this.arrivals.asObservable();

  constructor(private readonly library: MediaLibrary) {}

  /** The thumbnail, or undefined while it is not there; then `want` it. */
  ready(wish: ThumbnailWish): ImageBitmap | undefined {
    return this.made.get(key(wish));
  }

  /** The nearest thumbnail of the same media, to show until the right one is there. */
  nearest({ mediaId, frame }: { mediaId: string; frame: number }): NearThumbnail | undefined {
    let best: { id: string; frame: number; distance: number } | null = null;
    for (const [id, at] of this.frames.get(mediaId) ?? []) {
      const distance = Math.abs(at - frame);
      if (!best || distance < best.distance) best = { id, frame: at, distance };
    }
    const bitmap = best && this.made.get(best.id);
    return best && bitmap ? { bitmap, frame: best.frame } : undefined;
  }

  /** Makes no more of them until it is let go on: something more urgent is being decoded. */
  pause(paused: boolean): void {
    this.paused = paused;
    if (!paused && !this.working) void this.work();
  }

  /** Replaces the list of thumbnails to make: what is on screen, most important first. */
  want(wishes: readonly ThumbnailWish[]): void {
    this.waiting = wishes.filter((wish) => !this.made.has(key(wish)) && !this.failed.has(key(wish)));
    if (!this.working && !this.paused) void this.work();
  }

  /** The file of a media item is there again. */
  retry(mediaId: string): void {
    for (const id of this.failed) if (id.startsWith(`${mediaId}/`)) this.failed.delete(id);
    this.arrivals.next(mediaId);
  }

  /** Lets go of the pictures of a media item. */
  forget(mediaId: string): void {
    this.waiting = this.waiting.filter((wish) => wish.mediaId !== mediaId);
    for (const id of this.frames.get(mediaId)?.keys() ?? []) {
      this.made.get(id)?.close();
      this.made.delete(id);
    }
    this.frames.delete(mediaId);
    this.tracks.get(mediaId)?.then(
      ({ input }) => input.dispose(),
      () => undefined,
    );
    this.tracks.delete(mediaId);
  }

  dispose(): void {
    this.disposed = true;
    this.waiting = [];
    for (const opening of this.tracks.values()) {
      opening.then(
        ({ input }) => input.dispose(),
        () => undefined,
      );
    }
    for (const bitmap of this.made.values()) bitmap.close();
    this.made.clear();
  }

  private async work(): Promise<void> {
    this.working = true;
    while (!this.paused && !this.disposed) {
      const wish = this.waiting.shift();
      if (!wish) break;
      try {
        const bitmap = await this.make(wish);
        this.keep(wish, bitmap);
        this.arrivals.next(wish.mediaId);
      } catch {
        // The viewer reports undecodable frames with words; a missing thumbnail only stays blank.
        this.failed.add(key(wish));
      }
    }
    this.working = false;
  }

  private async make(wish: ThumbnailWish): Promise<ImageBitmap> {
    const { track, origin } = await this.track(wish.mediaId);
    const time = origin + frameCentre(wish.frame, wish.rate);
    const end = origin + frameCentre(wish.frame + wish.span - 1, wish.rate);
    const keyPacket = await new EncodedPacketSink(track).getKeyPacket(end, { metadataOnly: true });
    const at = keyPacket && keyPacket.timestamp > time ? keyPacket.timestamp : time;
    const sample = await new VideoSampleSink(track).getSample(at);
    if (!sample) throw new Error('no picture at this time');
    try {
      const width = Math.max(1, Math.round((HEIGHT * sample.displayWidth) / sample.displayHeight));
      const canvas = new OffscreenCanvas(width, HEIGHT);
      const context = canvas.getContext('2d')!;
      context.imageSmoothingQuality = 'high';
      sample.draw(context, 0, 0, width, HEIGHT);
      return canvas.transferToImageBitmap();
    } finally {
      sample.close();
    }
  }

  private track(mediaId: string): Promise<{ track: InputVideoTrack; origin: number; input: Input }> {
    const known = this.tracks.get(mediaId);
    if (known) return known;
    const opening = (async () => {
      const input = new Input({ formats: ALL_FORMATS, source: new BlobSource(this.library.blob(mediaId)) });
      const track = await input.getPrimaryVideoTrack();
      if (!track) throw new Error('no video track');
      // Frames before zero are hidden by the file's edit list.
      return { track, origin: Math.max(0, await track.getFirstTimestamp()), input };
    })();
    opening.catch(() => this.tracks.delete(mediaId));
    this.tracks.set(mediaId, opening);
    return opening;
  }

  private keep(wish: ThumbnailWish, bitmap: ImageBitmap): void {
    this.made.set(key(wish), bitmap);
    const frames = this.frames.get(wish.mediaId) ?? new Map<string, number>();
    this.frames.set(wish.mediaId, frames.set(key(wish), wish.frame));
    if (this.made.size <= KEPT) return;
    const oldest = this.made.keys().next().value!;
    this.made.get(oldest)?.close();
    this.made.delete(oldest);
    for (const known of this.frames.values()) known.delete(oldest);
  }
}

function key(wish: ThumbnailWish): string {
  return `${wish.mediaId}/${wish.frame}+${wish.span}`;
}
