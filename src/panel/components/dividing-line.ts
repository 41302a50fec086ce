import { css, html, LitElement } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';

/** What an arrow key moves the line by. */
const STEP = 0.05;

/** A line across a picture that is moved with the pointer or the arrow keys. Fires `move` with its new place, 0…1. */
@customElement('longtake-dividing-line')
export class DividingLine extends LitElement {
  static override styles = css`
    :host {
      position: absolute;
      inset: 0;
      cursor: ew-resize;
      touch-action: none;
    }
    .line {
      position: absolute;
      inset-block: 0;
      inline-size: 24px;
      margin-inline-start: -12px;
    }
    /* White on dark, so that it is seen on any picture. */
    .line::before {
      content: '';
      position: absolute;
      inset-block: 0;
      inset-inline-start: 11px;
      inline-size: 2px;
      background: #fff;
      box-shadow: 0 0 0 1px rgb(0 0 0 / 60%);
    }
    .line::after {
      content: '';
      position: absolute;
      inset-block-start: calc(50% - 10px);
      inset-inline-start: 6px;
      inline-size: 12px;
      block-size: 20px;
      border-radius: 6px;
      background: #7155fa;
      box-shadow: 0 0 0 2px #fff;
    }
    .line:focus-visible {
      outline: 2px solid var(--spectrum-focus-indicator-color);
      outline-offset: -4px;
    }
  `;

  @property({ type: Number }) at = 0.5;
  @property() label = '';
  @query('.line') private _line!: HTMLElement;

  constructor() {
    super();
    this.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      // Beneath it lies what may be dragged out of the panel.
      event.preventDefault();
      this.setPointerCapture(event.pointerId);
      this._line.focus();
      this._follow(event);
    });
    this.addEventListener('pointermove', (event) => {
      if (this.hasPointerCapture(event.pointerId)) this._follow(event);
    });
  }

  protected override render() {
    const percent = Math.round(100 * this.at);
    return html`<div
      class="line"
      style="inset-inline-start: ${100 * this.at}%"
      tabindex="0"
      role="slider"
      aria-label=${this.label}
      aria-orientation="horizontal"
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${percent}
      aria-valuetext="${percent} %"
      @keydown=${this._keys}
    ></div>`;
  }

  private _follow(event: PointerEvent) {
    const box = this.getBoundingClientRect();
    this._tell((event.clientX - box.left) / box.width);
  }

  private _keys(event: KeyboardEvent) {
    const places: Record<string, number> = {
      ArrowLeft: this.at - STEP,
      ArrowDown: this.at - STEP,
      ArrowRight: this.at + STEP,
      ArrowUp: this.at + STEP,
      Home: 0,
      End: 1,
    };
    const place = places[event.key];
    if (place === undefined) return;
    event.preventDefault();
    // The host's own shortcuts must not act on the timeline meanwhile.
    event.stopPropagation();
    this._tell(place);
  }

  private _tell(place: number) {
    const detail = Math.max(0, Math.min(1, place));
    this.dispatchEvent(new CustomEvent('move', { detail }));
  }
}
