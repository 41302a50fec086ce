import { css, html, nothing } from 'lit';
import { customElement, query, state as internal } from 'lit/decorators.js';
import type { Rational } from '../../engine/types.ts';
import type { PrefixSource } from '../hosts/host-adapter.ts';
import type { SourceState } from '../state/panel-state.ts';
import './model-view.ts';
import { PanelPart } from './panel-part.ts';
import { sectionStyles } from './panel.css.ts';

const SIZES = ['1280x720', '1920x1080', '720x1280', '1080x1920', '1080x1080'];
const RATES: readonly Rational[] = [
  { num: 24000, den: 1001 },
  { num: 24, den: 1 },
  { num: 25, den: 1 },
  { num: 30000, den: 1001 },
  { num: 30, den: 1 },
];

/** Where the shot comes from: a dropped or picked file, the page, the selected clip, or nothing. */
@customElement('longtake-source')
export class SourceView extends PanelPart {
  static override styles = [
    sectionStyles,
    css`
      .drop {
        display: flex;
        flex-direction: column;
        align-items: center;
        gap: 6px;
        padding: 22px 16px 18px;
        text-align: center;
        border: 2px dashed var(--spectrum-gray-400);
        border-radius: 12px;
        background: var(--spectrum-background-layer-1-color);
      }
      .drop.over {
        border-style: solid;
        border-color: var(--spectrum-accent-visual-color);
      }
      .drop sp-icon-filmroll-auto-add {
        color: var(--spectrum-accent-visual-color);
        inline-size: 32px;
        block-size: 32px;
      }
      .drop sp-button {
        margin-top: 8px;
        inline-size: auto;
      }
      .others {
        gap: 8px;
      }
      sp-action-button {
        inline-size: 100%;
      }
      canvas {
        flex: none;
        inline-size: 64px;
        block-size: 40px;
        border-radius: 6px;
        /* Its place is kept until the picture has been read: nothing below it may move under the pointer. */
        background: var(--spectrum-gray-200);
      }
      /* Both names as far as three lines hold them; the whole is in the tooltip. */
      .names {
        display: -webkit-box;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 3;
        overflow: hidden;
        overflow-wrap: anywhere;
      }
      .change {
        inline-size: auto;
        flex: none;
      }
    `,
  ];

  @internal() private _over = false;
  @internal() private _cold = false;
  @internal() private _size = SIZES[0]!;
  @internal() private _rate = 1;
  @query('input[type=file]') private _input!: HTMLInputElement;

  protected override render() {
    const { source } = this.state;
    if (source.status === 'acquiring') return this._acquiring(source);
    if (source.status === 'ready') return this._ready(source.prefix, source.picture);
    return this._cold ? this._coldForm() : this._choices();
  }

  private _choices() {
    const { text } = this.language;
    const { readSelection } = this.controller.host.capabilities;
    const { selection } = this.state;
    return html`<div class="stack others">
      <div
        class="drop ${this._over ? 'over' : ''}"
        @dragover=${this._dragOver}
        @dragleave=${() => (this._over = false)}
        @drop=${this._drop}
      >
        <sp-icon-filmroll-auto-add aria-hidden="true"></sp-icon-filmroll-auto-add>
        <h2>${text.dropHere}</h2>
        <p class="quiet">${text.dropDetail}</p>
        <sp-button variant="secondary" id="choose" @click=${() => this._input.click()}
          >${text.chooseFile}</sp-button
        >
        <input
          type="file"
          accept="video/*,.mp4,.mov,.m4v,.webm,.mkv,.ts"
          aria-label=${text.chooseFile}
          hidden
          @change=${this._picked}
        />
      </div>
      ${
        readSelection === 'page-rendition'
          ? html`<sp-action-button id="page" @click=${() => this.controller.take({ kind: 'page' })}
              >${text.usePage}</sp-action-button
            >`
          : nothing
      }
      ${
        readSelection === 'timeline-clip'
          ? html`<sp-action-button
                id="selection"
                ?disabled=${selection === null}
                @click=${() => this.controller.take({ kind: 'selection' })}
                >${
                  selection === null ? text.useSelection : text.useSelectionNamed(selection)
                }</sp-action-button
              >
              ${selection === null ? html`<p class="quiet">${text.noSelection}</p>` : nothing}`
          : nothing
      }
      <sp-action-button id="cold" quiet @click=${() => (this._cold = true)}
        >${text.startEmpty}</sp-action-button
      >
    </div>`;
  }

  private _coldForm() {
    const { text } = this.language;
    return html`<div class="stack card">
      <div class="tight">
        <h2>${text.startEmpty}</h2>
        <p class="quiet">${text.startEmptyHint}</p>
      </div>
      <div class="tight">
        <sp-field-label for="size">${text.size}</sp-field-label>
        <sp-picker
          id="size"
          .value=${this._size}
          @change=${(event: Event) => (this._size = (event.target as HTMLInputElement).value)}
        >
          ${SIZES.map((size) => html`<sp-menu-item value=${size}>${size.replace('x', ' × ')}</sp-menu-item>`)}
        </sp-picker>
      </div>
      <div class="tight">
        <sp-field-label for="rate">${text.rate}</sp-field-label>
        <sp-picker
          id="rate"
          .value=${String(this._rate)}
          @change=${(event: Event) => (this._rate = Number((event.target as HTMLInputElement).value))}
        >
          ${RATES.map(
            (rate, index) =>
              html`<sp-menu-item value=${String(index)}>${this.language.rate(rate)} fps</sp-menu-item>`,
          )}
        </sp-picker>
      </div>
      <div class="row">
        <sp-button variant="secondary" treatment="outline" @click=${() => (this._cold = false)}
          >${text.back}</sp-button
        >
        <sp-button variant="primary" id="start-cold" @click=${this._startCold}>${text.start}</sp-button>
      </div>
    </div>`;
  }

  private _acquiring(source: Extract<SourceState, { status: 'acquiring' }>) {
    const { text } = this.language;
    return html`<div class="card row">
      <sp-progress-circle size="s" indeterminate label=${text.reading[source.what]}></sp-progress-circle>
      <span class="grow">${text.reading[source.what]}</span>
      <sp-action-button class="change" @click=${() => this.controller.cancelTaking()}
        >${text.cancel}</sp-action-button
      >
    </div>`;
  }

  private _ready(prefix: PrefixSource, picture: ImageBitmap | null) {
    const { text, number, rate } = this.language;
    const size = `${prefix.size.width} × ${prefix.size.height}`;
    const seconds = (prefix.range.frameCount * prefix.rate.den) / prefix.rate.num;
    const { gap, region } = prefix;
    const label = gap
      ? text.gapBetween(prefix.label, gap.after.label)
      : prefix.kind === 'none'
        ? text.coldStart
        : prefix.flattened
          ? text.fromPage
          : prefix.label;
    return html`<div class="card tight">
      <div class="row">
        <canvas
          ?hidden=${!picture && prefix.range.frameCount === 0}
          width="128"
          height="80"
          aria-hidden="true"
        ></canvas>
        <div class="grow">
          <h2 class=${gap ? 'names' : 'ellipsis'} title=${label} id="source-label">${label}</h2>
          <p class="quiet" id="source-facts">
            ${
              gap
                ? text.gapSides(number(prefix.range.frameCount), number(gap.after.range.frameCount))
                : region
                  ? text.regionFrames(number(region.range.frameCount))
                  : prefix.kind === 'none'
                    ? text.factsCold(size, rate(prefix.rate))
                    : text.facts(size, rate(prefix.rate), number(seconds, 1))
            }
          </p>
        </div>
        <sp-action-button
          class="change"
          id="change-source"
          quiet
          label=${text.changeSource}
          title=${text.changeSource}
          @click=${() => this.controller.clearSource()}
        >
          <sp-icon-close slot="icon"></sp-icon-close>
        </sp-action-button>
      </div>
      ${gap ? html`<p class="quiet" id="gap-length">${text.gapLength(number(gap.frameCount))}</p>` : nothing}
      ${region ? html`<p class="quiet" id="region-facts">${region.share > 0 ? text.regionShare(number(Math.max(1, 100 * region.share), 0)) : text.regionUnpainted}</p>` : nothing}
      ${prefix.flattened ? html`<p class="quiet">${text.flattened}</p>` : nothing}
      <longtake-model-view
        .controller=${this.controller}
        .state=${this.state}
        .language=${this.language}
      ></longtake-model-view>
    </div>`;
  }

  protected override updated(): void {
    const { source } = this.state;
    if (source.status !== 'ready' || !source.picture) return;
    const canvas = this.renderRoot.querySelector<HTMLCanvasElement>('canvas');
    const drawing = canvas?.getContext('2d');
    if (!canvas || !drawing) return;
    // Fills the frame and cuts off what is over, as thumbnails do.
    const { width, height } = source.picture;
    const scale = Math.max(canvas.width / width, canvas.height / height);
    const [w, h] = [width * scale, height * scale];
    drawing.drawImage(source.picture, (canvas.width - w) / 2, (canvas.height - h) / 2, w, h);
  }

  private _dragOver(event: DragEvent) {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    this._over = true;
  }

  private _drop(event: DragEvent) {
    event.preventDefault();
    this._over = false;
    const file = event.dataTransfer?.files[0];
    if (file) void this.controller.take({ kind: 'file', file });
  }

  private _picked() {
    const file = this._input.files?.[0];
    // Emptied, so that choosing the same file again is a change.
    this._input.value = '';
    if (file) void this.controller.take({ kind: 'file', file });
  }

  private _startCold() {
    const [width, height] = this._size.split('x').map(Number);
    this._cold = false;
    void this.controller.take({
      kind: 'none',
      size: { width: width!, height: height! },
      rate: RATES[this._rate]!,
    });
  }
}
