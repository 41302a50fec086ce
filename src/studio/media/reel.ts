import { LongtakeError } from '../../engine/types.ts';
import type { FrameWalk } from '../../media/frame-walk.ts';
import type { Clip } from '../../media/open-clip.ts';
import { pictureFrame } from './picture-frame.ts';

/** Where the next wishes will go. */
export type Direction = -1 | 1;

/** What a reel asks of the store that it belongs to. */
export interface ReelHost {
  open(): Promise<Clip>;
  has(frame: number): boolean;
  /** Takes a decoded frame over. */
  keep(frame: number, picture: VideoFrame): void;
  /** A wanted frame can not be decoded. */
  failed(error: unknown): void;
  /** Frames of so many bytes that may lie ready on both sides of the playhead. */
  room(bytes: number): number;
}

/** What is decoded next: `target` is wanted, those from `from` on are kept too. */
interface Plan {
  from: number;
  target: number;
  /** Nothing is decoded past the target; otherwise the decoder stays there for what comes next. */
  ends: boolean;
}

/** Frames decoded past the wanted one, so that stepping and playing find them ready. */
const AHEAD = 12;
/** Frames kept before the wanted one when going backwards: one way from the key frame serves that many steps. */
const BEHIND = 48;
/** A wish this little ahead of the last one is a walk, not a jump. */
const STRIDE = 24;
/** Milliseconds after a jump in which nothing is decoded ahead: the next jump would come later by it. */
const RESPITE = 100;
/** Milliseconds in which the newest wish may stop every way to an older one; then one is gone to its end. */
const PATIENCE = 200;
/** A frame this little ahead is walked to even past a key frame: the decoder has most of them ready. */
const CLOSE = 8;

/**
 * The frames of one media item around the playhead, and its decoder, which is kept where it stands: what lies a little
 * ahead is decoded on to, without the way from the key frame. The newest wish wins; on the way to an older one it stops.
 */
export class Reel {
  private clip: Clip | null = null;
  private walk: FrameWalk | null = null;
  /** Next frame that the walk will deliver. */
  private next = 0;
  /** Last frame that it will deliver. */
  private end = Infinity;
  /** The last wish that was granted. */
  private granted = -Infinity;
  /** Time of the last jump that arrived. */
  private jumped = -Infinity;
  private wish: { frame: number; direction: Direction } | null = null;
  private working = false;
  /** Since when ways are given up and no frame arrives. */
  private fruitless: number | null = null;
  /** The walk goes to its end although something else is wanted by now. */
  private finishing = false;
  /** Ends a respite. */
  private wake = (): void => undefined;

  constructor(private readonly host: ReelHost) {}

  /** Says which frame is wanted now; it is kept by the host unless another wish replaces it first. */
  want(frame: number, direction: Direction): void {
    this.wish = { frame, direction };
    const plan = this.plan();
    if (plan && this.walk && !this.reaches(plan.from)) this.leave();
    if (this.working) this.wake();
    else void this.work();
  }

  /** Decodes no more until the next wish; the decoder stays where it is. */
  pause(): void {
    this.wish = null;
  }

  /** Stops decoding and lets go of the decoder. */
  rest(): void {
    this.pause();
    this.letGo();
  }

  /**
   * Stops on the way to an older wish. While the playhead is dragged about faster than frames are decoded, some frame on its
   * way must be seen at times, though.
   */
  private leave(): void {
    this.fruitless ??= performance.now();
    if (this.end < Infinity && performance.now() - this.fruitless > PATIENCE) this.finishing = true;
    else this.letGo();
  }

  private letGo(): void {
    this.walk?.close();
    this.walk = null;
    this.finishing = false;
  }

  private async work(): Promise<void> {
    this.working = true;
    while (this.wish) {
      const { walk } = this;
      try {
        if (walk) await this.step(walk);
        else await this.begin();
      } catch (error) {
        // What was let go of meanwhile may fail as it likes.
        if (!this.wish || walk !== this.walk) continue;
        const { frame } = this.wish;
        const target = this.plan()?.target ?? frame;
        this.rest();
        // Of frames that nobody asked for yet nothing need be said.
        if (target !== frame) continue;
        this.host.failed(
          error instanceof LongtakeError || !this.clip ? error : this.clip.damaged(target, error),
        );
      }
    }
    this.working = false;
  }

  /** Starts to decode at the key frame of what is wanted. */
  private async begin(): Promise<void> {
    // Opened anew each time: the file may have been replaced.
    this.clip = await this.host.open();
    const plan = this.plan();
    if (!plan) return this.pause();
    const respite = this.jumped + RESPITE - performance.now();
    if (plan.target !== this.wish?.frame && respite > 0) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, respite);
      });
      return;
    }
    this.next = plan.from;
    this.end = plan.ends ? plan.target : Infinity;
    this.walk = this.clip.walk(plan.from, plan.ends ? plan.target : null);
  }

  private async step(walk: FrameWalk): Promise<void> {
    const before = this.plan();
    if (!before) return this.pause();
    if (this.next > this.end || (!this.finishing && !this.reaches(before.target))) return this.letGo();
    const walked = await walk.step();
    if (walk !== this.walk) return;
    // Another wish may have come meanwhile.
    const plan = this.plan();
    // Each frame comes once and in order: one that was passed over can not be decoded.
    const passed = plan && plan.target >= this.next && plan.target < (walked?.frame ?? Infinity);
    if (passed) throw this.clip!.damaged(plan.target);
    if (!walked) return this.letGo();
    this.next = walked.frame + 1;
    const wanted = !plan || walked.frame >= plan.from || (this.finishing && walked.frame === this.end);
    if (!wanted || this.host.has(walked.frame)) return;
    const picture = await walked.read();
    if (walk !== this.walk) return;
    if (walked.frame === this.end) this.jumped = performance.now();
    this.fruitless = null;
    this.host.keep(walked.frame, pictureFrame(picture, this.clip!.facts.colour));
  }

  /** What to decode for the wish; null while nothing is missing. */
  private plan(): Plan | null {
    const { clip, wish } = this;
    if (!clip || !wish) return null;
    const { width, height } = clip.facts.size;
    const room = this.host.room(1.5 * width * height);
    const ahead = Math.min(AHEAD, room);
    const behind = Math.min(BEHIND, room);
    const last = clip.facts.frameCount - 1;
    const ready = this.host.has(wish.frame);
    if (ready) this.granted = wish.frame;
    const reach = wish.direction > 0 ? Math.min(ahead, last - wish.frame) : behind >> 1;
    const target = ready ? this.missing(wish.frame, wish.direction, reach) : wish.frame;
    if (target === null) return null;
    if (wish.direction > 0) {
      const strides = target > this.granted && target <= this.granted + STRIDE;
      return { from: target, target, ends: !strides };
    }
    const from = Math.max(0, clip.keyFrame(target), target - behind);
    // On its way there already: what it has passed is not gone through again.
    const onTheWay = this.next > from && this.reaches(target);
    return { from: onTheWay ? this.next : from, target, ends: true };
  }

  /** The nearest frame beyond a ready one that will be wanted soon and is not there. */
  private missing(frame: number, direction: Direction, reach: number): number | null {
    for (let step = 1; step <= reach && frame + direction * step >= 0; step += 1)
      if (!this.host.has(frame + direction * step)) return frame + direction * step;
    return null;
  }

  /** Whether the walk comes to a frame by itself, sooner than a new one would. */
  private reaches(frame: number): boolean {
    if (!this.walk || frame < this.next || frame > this.end) return false;
    return frame < this.next + CLOSE || this.clip!.keyFrame(frame) <= this.next;
  }
}
