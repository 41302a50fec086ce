import { css, html, nothing } from 'lit';
import { customElement, query } from 'lit/decorators.js';
import type { Direction } from '../../engine/tasks/extend-request.ts';
import { expectedSeconds } from '../state/estimate.ts';
import { framesToMake, isUntrained, purposeOf, SECONDS_RANGE } from '../state/panel-state.ts';
import './camera-control.ts';
import './quality-control.ts';
import './variation-count.ts';
import { PanelPart } from './panel-part.ts';
import { choiceStyles, sectionStyles, stuck } from './panel.css.ts';

/** Length, quality, direction and the finer options, and the button that starts it all. */
@customElement('longtake-settings')
export class SettingsView extends PanelPart {
  static override styles = [
    sectionStyles,
    choiceStyles,
    css`
      sp-slider {
        inline-size: 100%;
      }
      details {
        border-top: 1px solid var(--spectrum-gray-300);
        padding-top: 12px;
      }
      summary {
        cursor: pointer;
        font-weight: 700;
        border-radius: 4px;
      }
      summary:focus-visible {
        outline: 2px solid var(--spectrum-focus-indicator-color);
        outline-offset: 2px;
      }
      details > div {
        padding-top: 12px;
      }
      .file {
        min-width: 0;
      }
      @container (min-height: 300px) {
        .primary {
          ${stuck}
        }
      }
    `,
  ];

  @query('input[type=file]') private _input!: HTMLInputElement;

  protected override render() {
    const { text } = this.language;
    const { settings, source } = this.state;
    const prefix = source.status === 'ready' ? source.prefix : null;
    const frames = prefix ? framesToMake(prefix, settings) : null;
    const purpose = prefix ? purposeOf(prefix, settings) : settings.purpose;
    const untrained = isUntrained(this.state.model, purpose);
    const unpainted = prefix?.region?.share === 0;
    return html`<div class="stack">
      ${purpose === 'gap' || purpose === 'region' ? nothing : this._length(frames)}
      <longtake-quality
        .controller=${this.controller}
        .state=${this.state}
        .language=${this.language}
      ></longtake-quality>
      ${purpose === 'loop' ? html`<p class="quiet" id="loop-hint">${text.loopHint}</p>` : nothing}
      ${prefix?.kind === 'none' || purpose !== 'extend' ? nothing : this._direction()}
      <longtake-camera-control
        .controller=${this.controller}
        .state=${this.state}
        .language=${this.language}
      ></longtake-camera-control>
      <longtake-variation-count
        .controller=${this.controller}
        .state=${this.state}
        .language=${this.language}
      ></longtake-variation-count>
      <details>
        <summary>${text.more}</summary>
        <div class="stack">${this._seed()} ${this._camera()}</div>
      </details>
      <div class="tight primary">
        <sp-button
          id="generate"
          variant="accent"
          size="l"
          ?disabled=${prefix === null || untrained || unpainted}
          @click=${() => this.controller.generate()}
          >${text.generate}</sp-button
        >
        <p class="quiet" id="estimate">
          ${
            untrained && purpose !== 'extend'
              ? text.untrainedFor[purpose]
              : unpainted
                ? text.paintFirst
                : prefix
                  ? this._estimate()
                  : text.needSource
          }
        </p>
      </div>
    </div>`;
  }

  /** @param frames how many frames the length is, null while there is no source */
  private _length(frames: number | null) {
    const { text, number } = this.language;
    const { settings } = this.state;
    return html`<div class="tight">
      <sp-slider
        id="length"
        editable
        label=${text.length}
        min=${SECONDS_RANGE.min}
        max=${SECONDS_RANGE.max}
        step="0.1"
        .value=${settings.seconds}
        .formatOptions=${{ style: 'unit', unit: 'second', maximumFractionDigits: 1 }}
        @change=${(event: Event) =>
          this.controller.change({ seconds: Number((event.target as HTMLInputElement).value) })}
      ></sp-slider>
      ${frames === null ? nothing : html`<p class="quiet" id="frames">${text.frames(number(frames))}</p>`}
    </div>`;
  }

  private _direction() {
    const { text } = this.language;
    const { model, settings } = this.state;
    const untrained = model !== null && !model.tasks.includes('backward');
    return html`<div class="tight">
      <sp-field-label id="direction-label">${text.direction}</sp-field-label>
      <sp-action-group
        id="direction"
        aria-labelledby="direction-label"
        label=${text.direction}
        compact
        justified
        selects="single"
        .selected=${[settings.direction]}
        @change=${(event: Event) =>
          this._choose<Direction>(event, ['forward', 'backward'], (direction) => ({ direction }))}
      >
        <sp-action-button value="forward">${text.directions.forward}</sp-action-button>
        <sp-action-button value="backward" ?disabled=${untrained}
          >${text.directions.backward}</sp-action-button
        >
      </sp-action-group>
      ${untrained ? html`<p class="quiet">${text.directions.backward}: ${text.notTrained}</p>` : nothing}
    </div>`;
  }

  private _seed() {
    const { text } = this.language;
    return html`<div class="tight">
      <sp-field-label for="seed">${text.seed}</sp-field-label>
      <div class="row">
        <sp-number-field
          id="seed"
          class="grow"
          min="0"
          max="4294967295"
          step="1"
          .value=${this.state.settings.seed}
          .formatOptions=${{ useGrouping: false, maximumFractionDigits: 0 }}
          @change=${(event: Event) =>
            this.controller.change({ seed: Number((event.target as HTMLInputElement).value) })}
        ></sp-number-field>
        <sp-action-button
          id="shuffle"
          label=${text.newSeed}
          title=${text.newSeed}
          @click=${() => this.controller.change({ seed: crypto.getRandomValues(new Uint16Array(1))[0]! })}
        >
          <sp-icon-shuffle slot="icon"></sp-icon-shuffle>
        </sp-action-button>
      </div>
    </div>`;
  }

  private _camera() {
    const { text } = this.language;
    const { camera } = this.state.settings;
    return html`<div class="tight">
      <sp-field-label id="camera-label">${text.camera}</sp-field-label>
      <div class="row">
        <span class="grow quiet ${camera ? 'ellipsis' : ''} file">${camera?.name ?? text.cameraNone}</span>
        ${
          camera
            ? html`<sp-action-button
                label=${text.cameraRemove}
                title=${text.cameraRemove}
                @click=${() => this.controller.change({ camera: null })}
              >
                <sp-icon-close slot="icon"></sp-icon-close>
              </sp-action-button>`
            : html`<sp-action-button id="camera" @click=${() => this._input.click()}
                >${text.cameraChoose}</sp-action-button
              >`
        }
        <input
          type="file"
          accept=".json,application/json"
          aria-label=${text.camera}
          hidden
          @change=${this._cameraPicked}
        />
      </div>
    </div>`;
  }

  private _estimate(): string {
    const { text, duration } = this.language;
    const seconds = expectedSeconds(this.state);
    if (seconds !== null) return text.estimate(duration(seconds));
    return this.state.measuring ? text.estimateMeasuring : text.estimateUnknown;
  }

  /** A group must never be left without a choice: clicking the chosen one again keeps it. */
  private _choose<T extends Direction>(
    event: Event,
    values: readonly T[],
    change: (value: T) => Parameters<typeof this.controller.change>[0],
  ) {
    const group = event.currentTarget as HTMLElement & { selected: string[] };
    const value = values.find((each) => each === group.selected[0]);
    if (value) this.controller.change(change(value));
    else this.requestUpdate();
  }

  private _cameraPicked() {
    const file = this._input.files?.[0];
    this._input.value = '';
    if (file) void this.controller.takeCamera(file);
  }
}
