import { css, html, LitElement } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import type { Rational } from '../../engine/types.ts';
import { rulerStep, timecode } from '../timeline/timecode.ts';
import { frameToPixel, pixelToFrame } from './geometry.ts';

/** The time scale above the tracks: draws the part in sight. */
@customElement('timeline-ruler')
export class TimelineRuler extends LitElement {
  static override styles = css`
    :host {
      display: block;
      block-size: 26px;
      cursor: ew-resize;
      touch-action: none;
    }
    canvas {
      display: block;
      block-size: 100%;
      inline-size: 100%;
    }
  `;

  @property({ attribute: false }) rate: Rational = { num: 24, den: 1 };
  @property({ type: Number }) pixelsPerFrame = 1;
  /** Scroll position and visible width of the timeline, px. */
  @property({ type: Number }) left = 0;
  @property({ type: Number }) width = 0;
  /** Name of the theme; a change repaints. */
  @property() theme = '';
  @query('canvas') private readonly canvas!: HTMLCanvasElement;

  protected override render() {
    return html`<canvas aria-hidden="true"></canvas>`;
  }

  protected override updated(): void {
    const { canvas, rate, pixelsPerFrame, left, width } = this;
    const density = Math.min(2, window.devicePixelRatio || 1);
    const height = 26;
    canvas.width = Math.max(1, Math.round(width * density));
    canvas.height = height * density;
    const context = canvas.getContext('2d')!;
    context.scale(density, density);
    const style = getComputedStyle(this);
    context.font = '11px ui-monospace, Menlo, Consolas, "Liberation Mono", monospace';
    context.textBaseline = 'middle';
    const step = rulerStep(pixelsPerFrame, rate);
    const parts = step % 5 === 0 ? 5 : step % 4 === 0 ? 4 : step % 2 === 0 ? 2 : 1;
    const small = step / parts;
    const first = Math.max(0, Math.floor(pixelToFrame(left, pixelsPerFrame) / step) * step);
    const last = pixelToFrame(left + width, pixelsPerFrame);
    for (let frame = first; frame <= last; frame += small) {
      const labelled = frame % step === 0;
      const x = Math.round(frameToPixel(frame, pixelsPerFrame) - left) + 0.5;
      context.fillStyle = style.getPropertyValue('--line');
      context.fillRect(x - 0.5, labelled ? 12 : 19, 1, labelled ? 14 : 7);
      if (!labelled) continue;
      context.fillStyle = style.getPropertyValue('--quiet');
      // Clear of the playhead's handle when that stands here.
      const label = timecode(frame, rate);
      if (x + 8 + context.measureText(label).width <= width) context.fillText(label, x + 8, 11);
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'timeline-ruler': TimelineRuler;
  }
}
