import { css, html, nothing } from 'lit';
import { customElement, query, state as internal } from 'lit/decorators.js';
import { Subscription } from 'rxjs';
import type { FrameRef } from '../media/frame-store.ts';
import { shownProject } from '../store/state.ts';
import { frameOfClip } from '../timeline/conform.ts';
import { clipAt } from '../timeline/project.ts';
import { timecode } from '../timeline/timecode.ts';
import { pictureWidth } from './picture-box.css.ts';
import { StudioPart } from './studio-part.ts';

/** Pixels of the canvas along its longer side at most; it is scaled to the window by the browser. */
const LONGEST = 1920;

/** Shows the frame under the playhead. While a frame is decoded, the one before stays. */
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
  private lastPlayhead = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    this.arrivals.add(
      this.studio.frames.arrived$.subscribe(({ mediaId, frame }) => {
        const wanted = this.wanted();
        if (wanted && wanted.mediaId === mediaId && wanted.frame === frame) this.draw();
      }),
    );
    this.arrivals.add(
      this.studio.frames.failed$.subscribe((error) => {
        this.problem = error instanceof Error ? error.message : String(error);
      }),
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.arrivals.unsubscribe();
  }

  protected override render() {
    const project = shownProject(this.state);
    const { format } = project;
    const clip = clipAt(project, this.state.playhead);
    const scale = format ? Math.min(1, LONGEST / Math.max(format.width, format.height)) : 1;
    const width = Math.round((format?.width ?? 16) * scale);
    const height = Math.round((format?.height ?? 9) * scale);
    const at = format ? timecode(this.state.playhead, format.rate) : '';
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
    const clip = clipAt(project, this.state.playhead);
    const media = clip ? project.media[clip.mediaId] : undefined;
    if (!clip || !media || !project.format) return null;
    return { mediaId: media.id, frame: frameOfClip(clip, media, project.format.rate, this.state.playhead) };
  }

  private draw(): void {
    const { canvas } = this;
    const ref = this.wanted();
    const backwards =
      this.state.shuttle < 0 || (this.state.shuttle === 0 && this.state.playhead < this.lastPlayhead);
    this.lastPlayhead = this.state.playhead;
    // Setting a canvas's size clears it, so the size is part of what is shown.
    const key = `${canvas.width}x${canvas.height} ${ref ? `${ref.mediaId}/${ref.frame}` : 'black'}`;
    if (!ref) {
      if (key !== this.shown) canvas.getContext('2d')!.clearRect(0, 0, canvas.width, canvas.height);
      this.settle(key);
      return;
    }
    this.studio.frames.want(ref, backwards ? -1 : 1);
    if (key === this.shown) return;
    const bitmap = this.studio.frames.ready(ref);
    if (!bitmap) return;
    const context = canvas.getContext('2d')!;
    context.imageSmoothingQuality = 'high';
    const scale = Math.min(canvas.width / bitmap.width, canvas.height / bitmap.height);
    const width = Math.round(bitmap.width * scale);
    const height = Math.round(bitmap.height * scale);
    const left = Math.round((canvas.width - width) / 2);
    const top = Math.round((canvas.height - height) / 2);
    if (width < canvas.width || height < canvas.height) context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, left, top, width, height);
    this.settle(key);
  }

  /** Notes what the canvas holds; `data-frame` names it for tests and for support. */
  private settle(key: string): void {
    if (key === this.shown) return;
    this.shown = key;
    this.canvas.dataset['frame'] = String(this.wanted()?.frame ?? 'black');
    this.canvas.dataset['playhead'] = String(this.state.playhead);
    if (this.problem) this.problem = '';
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'studio-viewer': StudioViewer;
  }
}
