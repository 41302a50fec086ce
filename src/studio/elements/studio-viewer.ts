import { css, html, nothing } from 'lit';
import { customElement, query, state as internal } from 'lit/decorators.js';
import { Subscription } from 'rxjs';
import type { FrameRef } from '../media/frame-store.ts';
import { shownProject } from '../store/state.ts';
import { frameOfClip } from '../timeline/conform.ts';
import { clipAt } from '../timeline/project.ts';
import { timecode } from '../timeline/timecode.ts';
import { frameInView } from '../timeline/trim-drag.ts';
import { pictureWidth } from './picture-box.css.ts';
import { StudioPart } from './studio-part.ts';

/** Pixels of the canvas along its longer side at most; it is scaled to the window by the browser. */
const LONGEST = 1920;

/** Frames from what is shown to what is wanted from which something nearer is shown until that is decoded. */
const FAR = 24;
/** Frames that a key or a slow drag goes back by at most; what goes farther back is a jump. */
const STEPS = 24;

/**
 * Shows the frame under the playhead, or at the edge of a clip that is being trimmed. While a frame is decoded, the one before stays; after a jump the nearest thumbnail
 * shows at once about where one is.
 */
@customElement('studio-viewer')
export class StudioViewer extends StudioPart {
  static override styles = css`
    :host {
      display: grid;
      place-items: center;
      min-block-size: 0;
      min-inline-size: 0;
      background: var(--stage);
      overflow: hidden;
      position: relative;
      container-type: size;
    }
    canvas {
      display: block;
      background: #000;
      inline-size: ${pictureWidth};
      aspect-ratio: var(--aspect, 1.7778);
      box-shadow: 0 0 0 1px var(--line);
    }
    canvas[hidden] {
      display: none;
    }
    p {
      position: absolute;
      inset-block-end: 24px;
      margin: 0;
      padding: 6px 12px;
      border-radius: 6px;
      background: rgb(0 0 0 / 80%);
      color: #fff;
      font-size: 13px;
      max-inline-size: 80%;
    }
  `;

  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  @internal() private problem = '';
  private readonly arrivals = new Subscription();
  private shown = '';
  /** The frame that the canvas showed last as it is. */
  private exact: FrameRef | null = null;
  /** That of the thumbnail that it shows for now. */
  private near: FrameRef | null = null;
  private lastFrame = 0;
  private backwards = false;

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.follow);
    this.arrivals.add(
      this.studio.frames.arrived$.subscribe(({ mediaId, frame }) => {
        const wanted = this.wanted();
        if (!wanted || wanted.mediaId !== mediaId) return;
        if (wanted.frame === frame) this.draw();
        else this.approach(wanted, frame);
      }),
    );
    this.arrivals.add(
      this.studio.frames.failed$.subscribe((error) => {
        this.studio.thumbnails.pause(false);
        this.problem = error instanceof Error ? error.message : String(error);
      }),
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('visibilitychange', this.follow);
    this.arrivals.unsubscribe();
  }

  /** A hidden tab shows nothing: its decoders are let go of, and what is wanted is asked for when it is seen again. */
  private readonly follow = (): void => {
    if (document.hidden) this.studio.frames.rest();
    else this.draw();
  };

  protected override render() {
    const project = shownProject(this.state);
    const { format } = project;
    const frame = frameInView(this.state);
    const clip = clipAt(project, frame);
    const scale = format ? Math.min(1, LONGEST / Math.max(format.width, format.height)) : 1;
    const width = Math.round((format?.width ?? 16) * scale);
    const height = Math.round((format?.height ?? 9) * scale);
    const at = format ? timecode(frame, format.rate) : '';
    return html`<canvas
        ?hidden=${!format}
        width=${width}
        height=${height}
        style="--aspect: ${width / height}"
        role="img"
        aria-label=${clip ? `Frame ${at} of ${clip.label}` : `Black frame ${at}`}
      ></canvas>
      ${this.problem ? html`<p role="alert">${this.problem}</p>` : nothing}`;
  }

  protected override updated(): void {
    this.draw();
  }

  private wanted(): FrameRef | null {
    const project = shownProject(this.state);
    const at = frameInView(this.state);
    const clip = clipAt(project, at);
    const media = clip ? project.media[clip.mediaId] : undefined;
    if (!clip || !media || !project.format) return null;
    return { mediaId: media.id, frame: frameOfClip(clip, media, project.format.rate, at) };
  }

  private draw(): void {
    const { canvas } = this;
    const ref = this.wanted();
    const { shuttle } = this.state;
    const at = frameInView(this.state);
    const back = this.lastFrame - at;
    // After a jump the frames before it are of no use. Drawing the same frame again says nothing of where one goes.
    if (back !== 0) this.backwards = shuttle < 0 || (shuttle === 0 && back > 0 && back <= STEPS);
    this.lastFrame = at;
    // Setting a canvas's size clears it, so the size is part of what is shown.
    const key = `${canvas.width}x${canvas.height} ${ref ? `${ref.mediaId}/${ref.frame}` : 'black'}`;
    if (!ref) {
      this.studio.frames.rest();
      this.studio.thumbnails.pause(false);
      this.near = null;
      if (key !== this.shown) canvas.getContext('2d')!.clearRect(0, 0, canvas.width, canvas.height);
      this.settle(key);
      return;
    }
    this.studio.frames.want(ref, this.backwards ? -1 : 1);
    if (key === this.shown) return;
    const frame = this.studio.frames.ready(ref);
    // Nothing else decodes while a frame is waited for.
    this.studio.thumbnails.pause(!frame);
    if (frame) {
      this.paint(frame, frame.displayWidth, frame.displayHeight);
      this.near = null;
      this.settle(key);
    } else this.hint(ref);
  }

  /** Shows the nearest thumbnail where that is nearer than what is shown. */
  private hint(wanted: FrameRef): void {
    if (this.distance(wanted) < FAR) return;
    const thumbnail = this.studio.thumbnails.nearest(wanted);
    if (!thumbnail) return;
    const { bitmap, frame } = thumbnail;
    this.showNear(wanted, frame, () => this.paint(bitmap, bitmap.width, bitmap.height));
  }

  /** Shows a frame that was wanted a moment ago, on the way to the one that is now. */
  private approach(wanted: FrameRef, frame: number): void {
    if (this.distance(wanted) < FAR || this.studio.frames.has(wanted)) return;
    const ready = this.studio.frames.ready({ ...wanted, frame });
    if (ready) this.showNear(wanted, frame, () => this.paint(ready, ready.displayWidth, ready.displayHeight));
  }

  private showNear(wanted: FrameRef, frame: number, paint: () => void): void {
    if (this.state.shuttle !== 0 || Math.abs(frame - wanted.frame) >= this.distance(wanted)) return;
    this.near = { mediaId: wanted.mediaId, frame };
    this.shown = '';
    this.canvas.dataset['near'] = String(frame);
    paint();
  }

  /** Frames from what is shown to what is wanted. */
  private distance({ mediaId, frame }: FrameRef): number {
    const from = this.near ?? this.exact;
    return from?.mediaId === mediaId ? Math.abs(from.frame - frame) : Infinity;
  }

  private paint(picture: VideoFrame | ImageBitmap, across: number, down: number): void {
    const { canvas } = this;
    const context = canvas.getContext('2d')!;
    context.imageSmoothingQuality = 'high';
    const scale = Math.min(canvas.width / across, canvas.height / down);
    const width = Math.round(across * scale);
    const height = Math.round(down * scale);
    const left = Math.round((canvas.width - width) / 2);
    const top = Math.round((canvas.height - height) / 2);
    if (width < canvas.width || height < canvas.height) context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(picture, left, top, width, height);
  }

  /** Notes what the canvas holds; `data-frame` names it for tests and for support. */
  private settle(key: string): void {
    if (key === this.shown) return;
    this.shown = key;
    this.exact = this.wanted();
    delete this.canvas.dataset['near'];
    this.canvas.dataset['frame'] = String(this.exact?.frame ?? 'black');
    this.canvas.dataset['playhead'] = String(this.state.playhead);
    if (this.problem) this.problem = '';
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'studio-viewer': StudioViewer;
  }
}
