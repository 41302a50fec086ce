import { css, html, LitElement, svg } from 'lit';
import { customElement, property, query, state as internal } from 'lit/decorators.js';
import type { DrawnPath, PathPoint } from '../../engine/camera/drawn-path.ts';
import type { Language } from '../messages/catalogue.ts';
import { sectionStyles } from './panel.css.ts';

/** Least distance between two points of a stroke, in parts of the picture. */
const GAP = 0.02;
/** What an arrow key adds. */
const STEP = 0.05;
/** Units of the drawing to one height of the picture. */
const UNITS = 100;

/**
 * The picture at the cut with the way that the view is to go drawn over it, from the middle of the picture: drawn with the
 * pointer, or point by point with the arrow keys. Fires `change` with the new path (`PathPoint[]`) when a stroke is done.
 */
@customElement('longtake-camera-path')
export class CameraPath extends LitElement {
  static override styles = [
    sectionStyles,
    css`
      .field {
        position: relative;
        inline-size: 100%;
        border-radius: 10px;
        overflow: hidden;
        background: #222;
        cursor: crosshair;
        touch-action: none;
      }
      .field:focus-visible {
        outline: 2px solid var(--spectrum-focus-indicator-color);
        outline-offset: 2px;
      }
      canvas,
      svg {
        position: absolute;
        inset: 0;
        inline-size: 100%;
        block-size: 100%;
      }
      /* White on dark, so that it is seen on any picture. */
      .edge {
        fill: none;
        stroke: #000;
        stroke-width: 3.4;
        stroke-linecap: round;
        stroke-linejoin: round;
      }
      .line {
        fill: none;
        stroke: #fff;
        stroke-width: 1.6;
        stroke-linecap: round;
        stroke-linejoin: round;
      }
      .ring {
        fill: rgb(0 0 0 / 45%);
        stroke: #fff;
        stroke-width: 1.6;
      }
      .dot {
        fill: #7155fa;
        stroke: #fff;
        stroke-width: 1.6;
      }
    `,
  ];

  /** The frame at the cut; null where there is none. */
  @property({ attribute: false }) picture: ImageBitmap | null = null;
  /** Width over height of the picture. */
  @property({ type: Number }) aspect = 16 / 9;
  @property({ attribute: false }) path: DrawnPath = [];
  /** Whether the new frames come before the clip: then the view comes along the path and ends in the middle. */
  @property({ type: Boolean }) backward = false;
  @property({ attribute: false }) language!: Language;
  /** The stroke under the pointer. */
  @internal() private _stroke: PathPoint[] | null = null;
  @query('.field') private _field!: HTMLElement;
  @query('canvas') private _canvas!: HTMLCanvasElement;

  protected override render() {
    const { text } = this.language;
    const path = this._stroke ?? this.path;
    return html`<div class="tight">
      <div
        class="field"
        tabindex="0"
        role="application"
        aria-label=${text.directing.moves.path}
        aria-describedby="how ends"
        style="aspect-ratio: ${this.aspect}"
        @pointerdown=${this._start}
        @pointermove=${this._draw}
        @pointerup=${this._end}
        @pointercancel=${() => (this._stroke = null)}
        @keydown=${this._keys}
      >
        <canvas aria-hidden="true" ?hidden=${!this.picture}></canvas>
        ${this._overlay(path)}
      </div>
      <p class="quiet" id="how">${this.backward ? text.directing.drawBackward : text.directing.draw}</p>
      <div class="row">
        <p class="quiet grow" id="ends" aria-live="polite">${this._words(path)}</p>
        <sp-action-button id="clear-path" ?disabled=${path.length === 0} @click=${() => this._tell([])}>
          <sp-icon-delete slot="icon"></sp-icon-delete>${text.directing.clear}
        </sp-action-button>
      </div>
    </div>`;
  }

  protected override updated(): void {
    const { picture } = this;
    if (!picture || picture.width === 0) return;
    this._canvas.width = picture.width;
    this._canvas.height = picture.height;
    this._canvas.getContext('2d')?.drawImage(picture, 0, 0);
  }

  private _overlay(path: DrawnPath) {
    const width = UNITS * this.aspect;
    const place = ({ x, y }: PathPoint) => [(x + 0.5) * width, (0.5 - y) * UNITS] as const;
    const points = [{ x: 0, y: 0 }, ...path].map(place);
    const line = points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join(' ');
    const ring = (at: readonly [number, number]) =>
      svg`<circle class="ring" cx=${at[0]} cy=${at[1]} r="3.6"></circle>`;
    const dot = (at: readonly [number, number]) =>
      svg`<circle class="dot" cx=${at[0]} cy=${at[1]} r="3.6"></circle>`;
    const [from, to] = this.backward ? [points.at(-1)!, points[0]!] : [points[0]!, points.at(-1)!];
    return html`<svg viewBox="0 0 ${width} ${UNITS}" aria-hidden="true">
      <polyline class="edge" points=${line}></polyline>
      <polyline class="line" points=${line}></polyline>
      ${path.length === 0 ? ring(points[0]!) : svg`${ring(from)}${dot(to)}`}
    </svg>`;
  }

  /** Where the path ends, in words. */
  private _words(path: DrawnPath) {
    const { text, number } = this.language;
    const end = path.at(-1);
    if (!end) return text.directing.noPath;
    const percent = (value: number) => number(Math.abs(value) * 100, 0);
    const across = text.directing[end.x < 0 ? 'leftBy' : 'rightBy'](percent(end.x));
    const along = text.directing[end.y < 0 ? 'downBy' : 'upBy'](percent(end.y));
    return html`${this.backward ? text.directing.from : text.directing.to} ${across}, ${along}`;
  }

  private _start(event: PointerEvent) {
    if (event.button !== 0) return;
    this._field.setPointerCapture(event.pointerId);
    this._stroke = [this._pointAt(event)];
  }

  private _draw(event: PointerEvent) {
    if (!this._stroke) return;
    const point = this._pointAt(event);
    const last = this._stroke.at(-1)!;
    if (Math.hypot(point.x - last.x, point.y - last.y) >= GAP) this._stroke = [...this._stroke, point];
  }

  private _end() {
    if (!this._stroke) return;
    const stroke = this._stroke;
    this._stroke = null;
    this._tell(stroke);
  }

  private _pointAt(event: PointerEvent): PathPoint {
    const box = this._field.getBoundingClientRect();
    return inside((event.clientX - box.left) / box.width - 0.5, 0.5 - (event.clientY - box.top) / box.height);
  }

  private _keys(event: KeyboardEvent) {
    const steps: Record<string, [number, number]> = {
      ArrowLeft: [-STEP, 0],
      ArrowRight: [STEP, 0],
      ArrowUp: [0, STEP],
      ArrowDown: [0, -STEP],
    };
    const step = steps[event.key];
    const { x, y } = this.path.at(-1) ?? { x: 0, y: 0 };
    if (step) this._tell([...this.path, inside(x + step[0], y + step[1])]);
    else if (event.key === 'Backspace') this._tell(this.path.slice(0, -1));
    else if (event.key === 'Delete') this._tell([]);
    else return;
    event.preventDefault();
    // The host's own shortcuts must not act on the timeline meanwhile.
    event.stopPropagation();
  }

  private _tell(path: PathPoint[]) {
    this.dispatchEvent(new CustomEvent('change', { detail: path }));
  }
}

/** A point kept inside the picture, in steps that a record can hold in few letters. */
function inside(x: number, y: number): PathPoint {
  const kept = (value: number) => Math.round(Math.max(-0.5, Math.min(0.5, value)) * 1000) / 1000 + 0;
  return { x: kept(x), y: kept(y) };
}
