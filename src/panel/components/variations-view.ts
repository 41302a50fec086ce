import { css, html, nothing } from 'lit';
import { customElement, state as internal } from 'lit/decorators.js';
import type { ClipRecord } from '../clips/clip-record.ts';
import type { FrameReel } from '../clips/frame-reel.ts';
import { PanelPart } from './panel-part.ts';
import { sectionStyles } from './panel.css.ts';
import './rollout-progress.ts';

/** Variations side by side, as they are made and when they are finished; one is picked to go on with. */
@customElement('longtake-variations')
export class VariationsView extends PanelPart {
  static override styles = [
    sectionStyles,
    css`
      .head {
        gap: 4px;
      }
      .head h2 {
        min-width: 0;
      }
      /* Its picture stands where the sections below begin. */
      .head sp-action-button {
        flex: none;
        margin-inline-start: -10px;
      }
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: 8px;
      }
      li {
        min-width: 0;
      }
      button {
        all: unset;
        box-sizing: border-box;
        display: block;
        inline-size: 100%;
        padding: 4px;
        border-radius: 10px;
        border: 1px solid var(--spectrum-gray-300);
        background: var(--spectrum-background-layer-1-color);
      }
      button:not(:disabled) {
        cursor: pointer;
      }
      button:not(:disabled):hover {
        border-color: var(--spectrum-accent-visual-color);
      }
      button:focus-visible {
        outline: 2px solid var(--spectrum-focus-indicator-color);
        outline-offset: 2px;
      }
      canvas {
        display: block;
        inline-size: 100%;
        border-radius: 6px;
        background: var(--spectrum-gray-200);
        object-fit: contain;
      }
      .name {
        display: block;
        margin-top: 4px;
        font-weight: 700;
      }
      .facts {
        display: block;
      }
    `,
  ];

  @internal() private _playing = false;
  #timer = 0;
  #started = 0;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this._stop();
  }

  protected override render() {
    const { text } = this.language;
    const { variations, rollouts } = this.state;
    const running = rollouts.length > 0;
    if (!variations) return nothing;
    const some = variations.some((id) => (this.controller.variations.of(id)?.madeCount ?? 0) > 1);
    return html`<section class="stack" aria-label=${text.variations.title}>
      <div class="row head">
        ${
          running
            ? nothing
            : html`<sp-action-button
                quiet
                id="close-variations"
                label=${text.back}
                title=${text.back}
                @click=${() => this.controller.closeVariations()}
                ><sp-icon-chevron-left slot="icon"></sp-icon-chevron-left
              ></sp-action-button>`
        }
        <h2>${text.variations.title}</h2>
      </div>
      <ul>
        ${variations.map((id, index) => this._tile(id, index))}
      </ul>
      <sp-action-button id="play-variations" ?disabled=${!some} @click=${this._togglePlay}>
        ${
          this._playing
            ? html`<sp-icon-pause slot="icon"></sp-icon-pause>${text.pause}`
            : html`<sp-icon-play slot="icon"></sp-icon-play>${text.play}`
        }
      </sp-action-button>
      ${
        running
          ? html`<longtake-rollout-progress
              .controller=${this.controller}
              .state=${this.state}
              .language=${this.language}
            ></longtake-rollout-progress>`
          : html`<p class="quiet" id="pick">${text.variations.pick}</p>`
      }
    </section>`;
  }

  private _tile(id: string, index: number) {
    const { text, number } = this.language;
    const record = this.state.clips.find((clip) => clip.id === id);
    const size = record?.size ?? { width: 16, height: 9 };
    return html`<li>
      <button
        data-variation=${id}
        ?disabled=${this.state.rollouts.length > 0 || !record}
        @click=${() => record && this.controller.show(record)}
      >
        <canvas
          data-id=${id}
          aria-hidden="true"
          style="aspect-ratio: ${size.width} / ${size.height}"
        ></canvas>
        <span class="name">${text.variations.name(number(index + 1))}</span>
        <span class="quiet facts">${this._facts(record)}</span>
      </button>
    </li>`;
  }

  private _facts(record: ClipRecord | undefined) {
    const { text, number } = this.language;
    if (!record) return text.variations.waiting;
    const rollout = this.state.rollouts.find(({ clipId }) => clipId === record.id);
    if (rollout && record.state === 'running') {
      return text.framesOf(number(rollout.framesMade), number(rollout.frameCount));
    }
    return record.state === 'finished'
      ? `#${number(record.seed)}`
      : text.interruptedFacts(number(record.framesMade), number(record.frameCount));
  }

  protected override updated(): void {
    this._paint();
  }

  /** Each variation's place in a common loop, or its newest picture while nothing plays. */
  private _paint() {
    const { variations, clips } = this.state;
    for (const canvas of this.renderRoot.querySelectorAll('canvas')) {
      const id = canvas.dataset['id']!;
      const reel = this.controller.variations.of(id);
      const rate = clips.find((clip) => clip.id === id)?.rate;
      if (!variations || !reel || !rate || reel.length === 0) continue;
      const elapsed = (performance.now() - this.#started) / 1000;
      const frame = Math.floor((elapsed * rate.num) / rate.den);
      const index = this._playing && reel.madeCount > 0 ? newFrame(reel, frame) : restingFrame(reel);
      const bitmap = reel.at(index);
      if (!bitmap || bitmap.width === 0) continue;
      if (canvas.width !== bitmap.width) canvas.width = bitmap.width;
      if (canvas.height !== bitmap.height) canvas.height = bitmap.height;
      canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
    }
  }

  private _togglePlay() {
    if (this._playing) return this._stop();
    this._playing = true;
    this.#started = performance.now();
    const tick = () => {
      this._paint();
      this.#timer = requestAnimationFrame(tick);
    };
    this.#timer = requestAnimationFrame(tick);
  }

  private _stop() {
    cancelAnimationFrame(this.#timer);
    this._playing = false;
  }
}

/** Index of a new frame counted in time from the first, in a loop. */
function newFrame(reel: FrameReel, frame: number): number {
  const first = reel.isNew(0) ? 0 : reel.cut;
  return first + (frame % reel.madeCount);
}

const restingFrame = (reel: FrameReel): number => (reel.newest >= 0 ? reel.newest : reel.length - 1);
