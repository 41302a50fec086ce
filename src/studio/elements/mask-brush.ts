import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, query, state as internal } from 'lit/decorators.js';
import type { MaskPainting, PixelBox, Point } from '../media/mask-painting.ts';
import { focusRing } from './colours.css.ts';
import { pictureWidth } from './picture-box.css.ts';

/** Colour of what is painted, RGBA. */
const TINT = [255, 64, 160, 140] as const;
/** Steps across the picture's shorter side that an arrow key takes; with Shift. */
const STEPS = { small: 64, large: 8 };

/**
 * Paints a mask over the viewer: with the mouse as a brush; with the keyboard as rectangles, arrow keys moving a cross and
 * Enter setting one corner and then the other. Fires `mask-change` when a stroke or a rectangle is done.
 */
@customElement('mask-brush')
export class MaskBrush extends LitElement {
  static override styles = [
    focusRing,
    css`
      :host {
        display: grid;
        place-items: center;
        min-block-size: 0;
        min-inline-size: 0;
        overflow: hidden;
        container-type: size;
        pointer-events: none;
      }
      .picture {
        position: relative;
        inline-size: calc(${pictureWidth} * var(--part, 1));
        aspect-ratio: var(--own-aspect);
        pointer-events: auto;
        cursor: none;
        touch-action: none;
        overflow: hidden;
      }
      canvas {
        inline-size: 100%;
        block-size: 100%;
        display: block;
      }
      .ring,
      .cross,
      .rectangle {
        position: absolute;
        pointer-events: none;
        box-sizing: border-box;
      }
      .ring {
        border: 1.5px solid #fff;
        border-radius: 50%;
        box-shadow: 0 0 0 1px #000;
        transform: translate(-50%, -50%);
      }
      .cross {
        inline-size: 21px;
        block-size: 21px;
        transform: translate(-50%, -50%);
        background:
          linear-gradient(#fff, #fff) center / 1.5px 100% no-repeat,
          linear-gradient(#fff, #fff) center / 100% 1.5px no-repeat;
        filter: drop-shadow(0 0 1px #000) drop-shadow(0 0 1px #000);
      }
      .rectangle {
        border: 1.5px dashed #fff;
        outline: 1px dashed #000;
      }
      [role='status'] {
        position: absolute;
        inline-size: 1px;
        block-size: 1px;
        overflow: hidden;
        clip-path: inset(50%);
      }
    `,
  ];

  @property({ attribute: false }) mask!: MaskPainting;
  /** Counts changes of the mask from outside. */
  @property({ type: Number }) revision = 0;
  /** Width over height of the project's picture, in which the clip's is fitted. */
  @property({ type: Number }) aspect = 16 / 9;
  @property({ type: Boolean }) erasing = false;
  /** Diameter of the brush as a share of the picture's shorter side. */
  @property({ type: Number }) size = 0.2;
  @internal() private pointer: Point | null = null;
  @internal() private cross: Point | null = null;
  @internal() private corner: Point | null = null;
  @internal() private words = '';
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  @query('.picture') private readonly picture!: HTMLElement;
  private last: Point | null = null;

  protected override render() {
    const { width, height } = this.mask;
    const own = width / height;
    const style = `--aspect: ${this.aspect}; --own-aspect: ${own}; --part: ${Math.min(1, own / this.aspect)}`;
    return html`<div
        class="picture"
        style=${style}
        tabindex="0"
        role="application"
        aria-label="Mask over the picture. Arrow keys move the cross, Enter sets a corner of a rectangle and then the opposite one."
        @pointerdown=${this.press}
        @pointermove=${this.move}
        @pointerup=${this.release}
        @pointercancel=${this.release}
        @pointerleave=${() => (this.pointer = null)}
        @keydown=${this.key}
        @blur=${() => (this.cross = this.corner = null)}
      >
        <canvas width=${width} height=${height}></canvas>
        ${this.renderRing()} ${this.renderRectangle()}
        ${this.cross ? html`<div class="cross" style=${this.place(this.cross)}></div>` : nothing}
      </div>
      <div role="status">${this.words}</div>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const { width, height } = this.mask;
    if (changed.has('mask') || changed.has('revision'))
      this.draw({ left: 0, top: 0, right: width, bottom: height });
  }

  private renderRing() {
    if (!this.pointer) return nothing;
    const { width, height } = this.mask;
    const diameter = this.size * Math.min(width, height);
    const size = `inline-size: ${(100 * diameter) / width}%; block-size: ${(100 * diameter) / height}%`;
    return html`<div class="ring" style="${this.place(this.pointer)}; ${size}"></div>`;
  }

  private renderRectangle() {
    const { cross, corner } = this;
    if (!cross || !corner) return nothing;
    const { width, height } = this.mask;
    const [x, y] = [Math.min(cross.x, corner.x), Math.min(cross.y, corner.y)];
    const [w, h] = [Math.abs(cross.x - corner.x), Math.abs(cross.y - corner.y)];
    const size = `inline-size: ${(100 * w) / width}%; block-size: ${(100 * h) / height}%`;
    return html`<div class="rectangle" style="${this.place({ x, y })}; ${size}"></div>`;
  }

  private place({ x, y }: Point): string {
    const { width, height } = this.mask;
    return `inset-inline-start: ${(100 * x) / width}%; inset-block-start: ${(100 * y) / height}%`;
  }

  private pointOf(event: PointerEvent): Point {
    const box = this.picture.getBoundingClientRect();
    const { width, height } = this.mask;
    return {
      x: ((event.clientX - box.left) / box.width) * width,
      y: ((event.clientY - box.top) / box.height) * height,
    };
  }

  private readonly press = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    this.picture.setPointerCapture(event.pointerId);
    this.cross = this.corner = null;
    this.last = this.pointOf(event);
    this.paintTo(this.last);
  };

  private readonly move = (event: PointerEvent): void => {
    this.pointer = this.pointOf(event);
    if (!this.last) return;
    // All the places the pointer was at since the last frame: a fast stroke stays round.
    for (const each of event.getCoalescedEvents?.() ?? []) this.paintTo(this.pointOf(each));
    this.paintTo(this.pointer);
  };

  private readonly release = (): void => {
    if (!this.last) return;
    this.last = null;
    this.announce();
  };

  private paintTo(point: Point): void {
    const { width, height } = this.mask;
    const radius = Math.max(0.5, (this.size * Math.min(width, height)) / 2);
    this.draw(this.mask.stroke(this.last ?? point, point, radius, !this.erasing));
    this.last = point;
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { width, height } = this.mask;
    const step = Math.min(width, height) / (event.shiftKey ? STEPS.large : STEPS.small);
    const by: Record<string, Point> = {
      ArrowLeft: { x: -step, y: 0 },
      ArrowRight: { x: step, y: 0 },
      ArrowUp: { x: 0, y: -step },
      ArrowDown: { x: 0, y: step },
    };
    const way = by[event.key];
    const cross = this.cross ?? { x: width / 2, y: height / 2 };
    if (way) {
      const clamp = (value: number, side: number): number => Math.min(side, Math.max(0, value));
      this.cross = { x: clamp(cross.x + way.x, width), y: clamp(cross.y + way.y, height) };
      this.say(`${this.corner ? 'Opposite corner' : 'Cross'} at ${this.told(this.cross)}`);
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.setCorner(cross);
    } else if (event.key === 'Escape' && this.corner) {
      this.corner = null;
      this.say('Rectangle given up');
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      this.mask.clear();
      this.revision++;
      this.say('Mask cleared');
      this.announce();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  private setCorner(cross: Point): void {
    this.cross = cross;
    if (!this.corner) {
      this.corner = cross;
      this.say(`Corner at ${this.told(cross)}; move to the opposite one and press Enter`);
      return;
    }
    this.draw(this.mask.rectangle(this.corner, cross, !this.erasing));
    this.say(this.erasing ? 'Rectangle erased' : 'Rectangle painted');
    this.corner = null;
    this.announce();
  }

  private told({ x, y }: Point): string {
    return `${Math.round(x)}, ${Math.round(y)}`;
  }

  private say(words: string): void {
    this.words = words;
  }

  private announce(): void {
    this.dispatchEvent(new CustomEvent('mask-change'));
  }

  private draw({ left, top, right, bottom }: PixelBox): void {
    const [columns, rows] = [right - left, bottom - top];
    if (columns <= 0 || rows <= 0) return;
    const image = new ImageData(columns, rows);
    const pixels = new Uint32Array(image.data.buffer);
    const [tint] = new Uint32Array(new Uint8Array(TINT).buffer);
    for (let row = 0; row < rows; row++) {
      const from = (top + row) * this.mask.width + left;
      for (let column = 0; column < columns; column++) {
        if (this.mask.data[from + column]! > 0) pixels[row * columns + column] = tint!;
      }
    }
    this.canvas.getContext('2d')!.putImageData(image, left, top);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'mask-brush': MaskBrush;
  }
}
