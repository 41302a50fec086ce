import { css, html, nothing } from 'lit';
import { customElement, query, state as internal } from 'lit/decorators.js';
import { modelFramesWithin, rateMap } from '../../engine/detail/rate.ts';
import type { ModelJson } from '../../engine/package/model-json.ts';
import type { Direction } from '../../engine/tasks/extend-request.ts';
import { workOfGap } from '../../engine/scheduler/work.ts';
import { modelPictures } from '../controller/model-pictures.ts';
import type { PrefixSource } from '../hosts/host-adapter.ts';
import { framesToMake, purposeOf } from '../state/panel-state.ts';
import { PanelPart } from './panel-part.ts';
import { sectionStyles } from './panel.css.ts';

/** Pictures shown at most. */
const SHOWN = 4;

/** How much of the clip the model reads, at which rate and size, and what is left of the picture then. */
@customElement('longtake-model-view')
export class ModelView extends PanelPart {
  static override styles = [
    sectionStyles,
    css`
      summary {
        cursor: pointer;
        border-radius: 4px;
      }
      summary:focus-visible {
        outline: 2px solid var(--spectrum-focus-indicator-color);
        outline-offset: 2px;
      }
      details > div {
        padding-top: 8px;
      }
      canvas {
        display: block;
        inline-size: 100%;
        border-radius: 6px;
        image-rendering: pixelated;
      }
    `,
  ];

  @internal() private _pictures: ImageBitmap[] = [];
  @internal() private _open = false;
  @query('canvas') private _canvas!: HTMLCanvasElement | null;
  /** What the pictures are of. */
  #of: { prefix: PrefixSource; direction: Direction } | null = null;
  #reading = new AbortController();

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#reading.abort();
    this.#of = null;
  }

  protected override render() {
    const { model, source } = this.state;
    if (!model || source.status !== 'ready' || source.prefix.range.frameCount === 0) return nothing;
    const { prefix } = source;
    // A region is shown by the host, and lies in frames that are read beside the prefix.
    if (prefix.region) return nothing;
    const { text, number } = this.language;
    return html`<details
      @toggle=${(event: Event) => (this._open = (event.target as HTMLDetailsElement).open)}
    >
      <summary>${text.sees.title}</summary>
      <div class="tight">
        <p class="quiet" id="model-reads">${this._facts(model, prefix)}</p>
        <canvas
          role="img"
          aria-label=${text.sees.pictures(number(this._pictures.length))}
          style="aspect-ratio: ${(prefix.size.width * Math.max(1, this._pictures.length)) / prefix.size.height}"
          ?hidden=${this._pictures.length === 0}
        ></canvas>
        <p class="quiet">${text.sees.detail}</p>
      </div>
    </details>`;
  }

  protected override updated(): void {
    this.#read();
    const canvas = this._canvas;
    const [first] = this._pictures;
    if (!canvas || !first || first.width === 0) return;
    canvas.width = first.width * this._pictures.length;
    canvas.height = first.height;
    const drawing = canvas.getContext('2d');
    this._pictures.forEach((picture, index) => drawing?.drawImage(picture, index * first.width, 0));
  }

  /** Reads the pictures once they are looked at. */
  #read(): void {
    const { source, model, settings } = this.state;
    if (!this._open || !model || source.status !== 'ready') return;
    const { prefix } = source;
    const direction = purposeOf(prefix, settings) === 'extend' ? settings.direction : 'forward';
    if (this.#of?.prefix === prefix && this.#of.direction === direction) return;
    this.#reading.abort();
    this.#reading = new AbortController();
    const of = { prefix, direction };
    this.#of = of;
    const { host } = this.controller;
    void modelPictures(host, prefix, model, direction, SHOWN, this.#reading.signal).then((pictures) => {
      if (this.#of === of) this._pictures = pictures;
    });
  }

  private _facts(model: ModelJson, prefix: PrefixSource): string {
    const { text, number, rate } = this.language;
    const map = rateMap(prefix.rate, model.rate);
    const size = `${model.frame.width} × ${model.frame.height}`;
    const frames = prefix.range.frameCount;
    const seen = text.sees.as(number(modelFramesWithin(frames, map)), rate(model.rate), size);
    if (!prefix.gap) return `${text.sees.reads(number(frames))} ${seen}`;
    const frameCount = framesToMake(prefix, this.state.settings);
    const afterFrames = prefix.gap.after.range.frameCount;
    const after = workOfGap(model, { rate: prefix.rate, beforeFrames: frames, frameCount, afterFrames });
    return `${text.sees.readsGap(number(frames), number(after.afterFrames))} ${seen}`;
  }
}
