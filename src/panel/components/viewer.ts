import { css, html, LitElement, type PropertyValues } from 'lit';
import { customElement, property, query, state as internal } from 'lit/decorators.js';
import type { Rational } from '../../engine/types.ts';
import type { FrameReel } from '../clips/frame-reel.ts';
import type { Language } from '../messages/catalogue.ts';
import './dividing-line.ts';
import { sectionStyles } from './panel.css.ts';
import { paintStrip, stripIndexAt } from './strip.ts';

/** Of the picture, in pixels. */
const MOST_HEIGHT = 320;

/** Milliseconds that each side of the cut stands when comparing. */
const COMPARE_MS = 700;

/**
 * Shows the reel: one picture, a strip to scrub, play in a loop, and the clip and the new frames in turn or on both sides of
 * a line. Fires `frame` with the index of the picture on show when it changes, and `split` when the line comes up.
 */
@customElement('longtake-viewer')
export class Viewer extends LitElement {
  static override styles = [
    sectionStyles,
    css`
      .screen {
        position: relative;
        display: flex;
        justify-content: center;
        border-radius: 10px;
        overflow: hidden;
        background: #000;
      }
      .frame {
        position: relative;
      }
      .screen canvas {
        display: block;
        inline-size: 100%;
        block-size: 100%;
      }
      .side {
        position: absolute;
        inset-block-start: 8px;
        inset-inline-start: 8px;
        padding: 2px 8px;
        border-radius: 10px;
        background: rgb(0 0 0 / 75%);
        color: #fff;
        font-weight: 700;
      }
      .other {
        inset-inline: auto 8px;
      }
      /* Room by need: where three words are too long for one row they take two. */
      .row {
        flex-wrap: wrap;
      }
      .row sp-action-button {
        flex: 1 0 auto;
        --mod-actionbutton-edge-to-text: 8px;
      }
      .strip {
        display: block;
        inline-size: 100%;
        block-size: 40px;
        border-radius: 6px;
        background: var(--spectrum-gray-200);
        cursor: ew-resize;
        touch-action: none;
      }
      .strip:focus-visible {
        outline: 2px solid var(--spectrum-focus-indicator-color);
        outline-offset: 2px;
      }
      .controls {
        margin-top: 8px;
      }
    `,
  ];

  @property({ attribute: false }) reel!: FrameReel;
  @property({ attribute: false }) language!: Language;
  @property({ attribute: false }) rate: Rational = { num: 24, den: 1 };
  /** Counts changes of the reel. */
  @property({ type: Number }) revision = 0;
  /** Follow the newest frame until the editor takes over. */
  @property({ type: Boolean }) live = false;
  /** Number of pictures the reel will have when all is made; the strip leaves the room. */
  @property({ type: Number }) expected = 0;
  /** The clip's own pictures that the new ones take the place of, as far as they are there; null where those follow it. */
  @property({ attribute: false }) originals: readonly ImageBitmap[] | null = null;
  @internal() private _index = 0;
  @internal() private _mode: 'still' | 'playing' | 'comparing' = 'still';
  @internal() private _taken = false;
  /** Whether the clip is shown beside the new frames, and where the line between them stands, 0…1. */
  @internal() private _split = false;
  @internal() private _line = 0.5;
  @query('.screen canvas') private _screen!: HTMLCanvasElement;
  @query('.strip') private _strip!: HTMLCanvasElement;
  #timer = 0;
  #started = 0;
  #from = 0;
  #told = -1;

  /** Goes to the cut and stops; called when another clip is shown. */
  rewind(): void {
    this._taken = false;
    this._split = false;
    this._stop();
    this._index = this.reel.cut < this.reel.length ? this.reel.cut : 0;
  }

  /** The picture on show, as an element to drag. */
  get screen(): HTMLElement {
    return this._screen;
  }

  /** The picture on show, as a URL. */
  picture(): string {
    return this._screen.toDataURL('image/jpeg', 0.8);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this._stop();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('revision') && this.live && !this._taken && this.reel.length > 0) {
      this._index = this.reel.newest >= 0 ? this.reel.newest : this.reel.length - 1;
    }
    this._index = Math.max(0, Math.min(this._index, this.reel.length - 1));
  }

  protected override render() {
    const { text, number } = this.language;
    const { length, cut } = this.reel;
    const isNew = this.reel.isNew(this._index);
    const described = text.frameOf(number(this._index + 1), number(length), isNew);
    const bothSides = cut > 0 && cut < length;
    const { width = 16, height = 9 } = this.reel.at(this._index) ?? {};
    const split = this._split && bothSides;
    return html`<div class="screen">
        <div
          class="frame"
          style="aspect-ratio: ${width} / ${height}; inline-size: min(100%, ${(MOST_HEIGHT * width) / height}px)"
        >
          <canvas role="img" aria-label=${split ? `${text.split.beside} ${described}` : described}></canvas>
          ${
            split
              ? html`<longtake-dividing-line
                  .at=${this._line}
                  .label=${text.split.line}
                  @move=${(event: CustomEvent<number>) => (this._line = event.detail)}
                ></longtake-dividing-line>`
              : ''
          }
        </div>
        ${length > 0 ? html`<span class="side" aria-hidden="true">${split || !isNew ? text.yours : text.made}</span>` : ''}
        ${split ? html`<span class="side other" aria-hidden="true">${isNew ? text.made : text.yours}</span>` : ''}
      </div>
      <div class="stack controls">
        <canvas
          class="strip"
          tabindex="0"
          role="slider"
          aria-label=${text.position}
          aria-valuemin="1"
          aria-valuemax=${Math.max(1, length)}
          aria-valuenow=${this._index + 1}
          aria-valuetext=${described}
          @pointerdown=${this._scrubStart}
          @pointermove=${this._scrub}
          @keydown=${this._keys}
        ></canvas>
        <div class="row">
          <sp-action-button id="play" ?disabled=${length < 2} @click=${this._togglePlay}>
            ${
              this._mode === 'playing'
                ? html`<sp-icon-pause slot="icon"></sp-icon-pause>${text.pause}`
                : html`<sp-icon-play slot="icon"></sp-icon-play>${text.play}`
            }
          </sp-action-button>
          <sp-action-button
            id="compare"
            toggles
            ?selected=${this._mode === 'comparing'}
            ?disabled=${!bothSides}
            title=${text.compareHint}
            @click=${this._toggleCompare}
          >
            <sp-icon-compare slot="icon"></sp-icon-compare>${text.compare}
          </sp-action-button>
          <sp-action-button
            id="split"
            toggles
            ?selected=${split}
            ?disabled=${!bothSides}
            title=${text.split.hint}
            @click=${this._toggleSplit}
          >
            <sp-icon-split-view slot="icon"></sp-icon-split-view>${text.split.button}
          </sp-action-button>
        </div>
      </div>`;
  }

  protected override updated(): void {
    const bitmap = this.reel.at(this._index);
    if (bitmap && bitmap.width > 0) {
      if (this._screen.width !== bitmap.width) this._screen.width = bitmap.width;
      if (this._screen.height !== bitmap.height) this._screen.height = bitmap.height;
      const drawing = this._screen.getContext('2d');
      drawing?.drawImage(bitmap, 0, 0);
      if (drawing && this._split) this._drawBeside(drawing, bitmap);
    }
    paintStrip(this._strip, this.reel, this._index, this.expected);
    if (this._index !== this.#told) {
      this.#told = this._index;
      this.dispatchEvent(new CustomEvent('frame', { detail: this._index }));
    }
  }

  private _togglePlay() {
    const wasPlaying = this._mode === 'playing';
    this._stop();
    if (wasPlaying) return;
    this._taken = true;
    this._mode = 'playing';
    this.#started = performance.now();
    this.#from = this._index >= this.reel.length - 1 ? 0 : this._index;
    this._tick();
  }

  /** Draws the clip at the left of the line: the picture that this one takes the place of, or the one at the cut. */
  private _drawBeside(drawing: CanvasRenderingContext2D, { width, height }: ImageBitmap) {
    const { reel } = this;
    const atCut = reel.isNew(0) ? reel.cut : reel.cut - 1;
    const other = this.originals ? this.originals[this._index - reel.cut] : reel.at(atCut);
    if (!other || other.width === 0) return;
    drawing.save();
    drawing.beginPath();
    drawing.rect(0, 0, this._line * width, height);
    drawing.clip();
    drawing.drawImage(other, 0, 0, width, height);
    drawing.restore();
  }

  private _toggleSplit() {
    if (this._mode === 'comparing') this._stop();
    this._split = !this._split;
    if (!this._split) return;
    const follows = this.live && !this._taken;
    if (!follows && !this.reel.isNew(this._index))
      this._goTo(this.reel.isNew(0) ? this.reel.cut - 1 : this.reel.cut);
    this.dispatchEvent(new CustomEvent('split'));
  }

  private _toggleCompare() {
    const wasComparing = this._mode === 'comparing';
    this._stop();
    this._split = false;
    if (wasComparing) return;
    this._taken = true;
    this._mode = 'comparing';
    this.#started = performance.now();
    this._tick();
  }

  private readonly _tick = () => {
    const elapsed = performance.now() - this.#started;
    if (this._mode === 'playing' && this.reel.length > 0) {
      const frames = Math.floor((elapsed * this.rate.num) / (this.rate.den * 1000));
      this._index = (this.#from + frames) % this.reel.length;
    } else if (this._mode === 'comparing') {
      this._index = this.reel.cut - (Math.floor(elapsed / COMPARE_MS) % 2 === 0 ? 1 : 0);
    }
    this.#timer = requestAnimationFrame(this._tick);
  };

  private _stop() {
    cancelAnimationFrame(this.#timer);
    this._mode = 'still';
  }

  private _goTo(index: number) {
    this._stop();
    this._taken = true;
    this._index = Math.max(0, Math.min(index, this.reel.length - 1));
  }

  private _scrubStart(event: PointerEvent) {
    this._strip.setPointerCapture(event.pointerId);
    this._scrub(event);
  }

  private _scrub(event: PointerEvent) {
    if (event.buttons === 0 || this.reel.length === 0) return;
    const box = this._strip.getBoundingClientRect();
    this._goTo(stripIndexAt((event.clientX - box.left) / box.width, this.reel, this.expected));
  }

  private _keys(event: KeyboardEvent) {
    const step: Record<string, number> = {
      ArrowLeft: this._index - 1,
      ArrowDown: this._index - 1,
      ArrowRight: this._index + 1,
      ArrowUp: this._index + 1,
      PageDown: this._index - 10,
      PageUp: this._index + 10,
      Home: 0,
      End: this.reel.length - 1,
    };
    const target = step[event.key];
    if (target !== undefined) {
      event.preventDefault();
      this._goTo(target);
    } else if (event.key === ' ') {
      event.preventDefault();
      this._togglePlay();
    }
  }
}
