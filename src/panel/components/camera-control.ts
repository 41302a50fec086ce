import { css, html, nothing } from 'lit';
import { customElement, state as internal } from 'lit/decorators.js';
import {
  isPush,
  isTurn,
  knowsSpeed,
  MOST_DEGREES,
  PUSHES,
  TURNS,
  USUAL_DEGREES,
  USUAL_LENGTH,
  type CameraMove,
} from '../../engine/camera/moves.ts';
import type { PathPoint } from '../../engine/camera/drawn-path.ts';
import { pictureAtCut } from '../controller/picture-at-cut.ts';
import type { PrefixSource } from '../hosts/host-adapter.ts';
import './camera-path.ts';
import { purposeOf } from '../state/panel-state.ts';
import { PanelPart } from './panel-part.ts';
import { sectionStyles } from './panel.css.ts';

const KINDS: readonly CameraMove['kind'][] = ['hold', 'continue', ...TURNS, ...PUSHES, 'path'];

/** What the camera does in the new frames: as the model likes, a move with its amount, or a path drawn on the picture. */
@customElement('longtake-camera-control')
export class CameraControl extends PanelPart {
  static override styles = [
    sectionStyles,
    css`
      sp-slider {
        inline-size: 100%;
      }
    `,
  ];

  /** The frame at the cut, once it was asked for. */
  @internal() private _picture: ImageBitmap | null = null;
  #pictureOf: PrefixSource | null = null;
  #pictureAt: string | null = null;
  #reading = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    this.#reading = new AbortController();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#reading.abort();
    this.#pictureOf = null;
  }

  protected override render() {
    const { text } = this.language;
    const { settings, source } = this.state;
    const { move, direction, camera } = settings;
    const prefix = source.status === 'ready' ? source.prefix : null;
    const purpose = prefix ? purposeOf(prefix, settings) : settings.purpose;
    if (purpose !== 'extend') return this._fixed(purpose);
    const known = camera?.track;
    const goesOn = prefix !== null && knowsSpeed({ prefixFrames: prefix.range.frameCount, direction, known });
    return html`<div class="stack">
      <div class="tight">
        <sp-field-label for="move">${text.directing.camera}</sp-field-label>
        <sp-picker
          id="move"
          .value=${move?.kind ?? 'free'}
          @change=${(event: Event) => this._choose((event.target as HTMLInputElement).value)}
        >
          <sp-menu-item value="free">${text.directing.free}</sp-menu-item>
          ${KINDS.map(
            (kind) =>
              html`<sp-menu-item value=${kind} ?disabled=${kind === 'continue' && !goesOn}
                >${text.directing.moves[kind]}</sp-menu-item
              >`,
          )}
        </sp-picker>
        ${
          move?.kind === 'continue' && !goesOn
            ? html`<p class="quiet" id="move-hint">${text.directing.continueNeeds}</p>`
            : nothing
        }
      </div>
      ${move ? this._amount(move) : nothing}
      ${
        move?.kind === 'path'
          ? html`<longtake-camera-path
              .picture=${this._picture}
              .aspect=${prefix ? prefix.size.width / prefix.size.height : 16 / 9}
              .path=${move.path}
              .backward=${prefix?.kind !== 'none' && direction === 'backward'}
              .language=${this.language}
              @change=${(event: CustomEvent<PathPoint[]>) =>
                this.controller.change({ move: { kind: 'path', path: event.detail } })}
            ></longtake-camera-path>`
          : nothing
      }
    </div>`;
  }

  /** Where both ends of the new frames are given, a move between them could only contradict one of them. */
  private _fixed(purpose: 'gap' | 'loop' | 'region') {
    const { text } = this.language;
    return html`<div class="tight">
      <sp-field-label for="move">${text.directing.camera}</sp-field-label>
      <sp-picker id="move" value="free" disabled aria-describedby="move-hint">
        <sp-menu-item value="free">${text.directing.free}</sp-menu-item>
      </sp-picker>
      <p class="quiet" id="move-hint">${text.directing.fixed[purpose]}</p>
    </div>`;
  }

  protected override updated(): void {
    const { settings, source } = this.state;
    if (settings.move?.kind !== 'path' || source.status !== 'ready') return;
    const { prefix } = source;
    const { direction } = settings;
    if (this.#pictureOf === prefix && this.#pictureAt === direction) return;
    this.#pictureOf = prefix;
    this.#pictureAt = direction;
    this._picture = null;
    const { signal } = this.#reading;
    void pictureAtCut(this.controller.host, prefix, direction, signal).then((picture) => {
      if (this.#pictureOf === prefix && this.#pictureAt === direction) this._picture = picture;
    });
  }

  private _amount(move: CameraMove) {
    const { text } = this.language;
    if (!isTurn(move.kind) && !isPush(move.kind)) return nothing;
    const { kind, amount } = move as Extract<CameraMove, { amount: number }>;
    const [label, least, most, step] = isTurn(kind)
      ? [text.directing.degrees, 5, MOST_DEGREES, 5]
      : [text.directing.lengths, 0.5, 10, 0.5];
    return html`<sp-slider
      id="move-amount"
      editable
      label=${label}
      min=${least}
      max=${most}
      step=${step}
      .value=${amount}
      .formatOptions=${isTurn(kind) ? { style: 'unit', unit: 'degree', unitDisplay: 'narrow' } : { maximumFractionDigits: 1 }}
      @change=${(event: Event) =>
        this.controller.change({ move: { kind, amount: Number((event.target as HTMLInputElement).value) } })}
    ></sp-slider>`;
  }

  private _choose(value: string) {
    const kind = KINDS.find((each) => each === value);
    const present = this.state.settings.move;
    if (kind === present?.kind) return;
    this.controller.change({ move: kind ? withUsualAmount(kind, present) : null });
  }
}

/** A move of another kind; the amount stays where it is of the same measure. */
function withUsualAmount(kind: CameraMove['kind'], before: CameraMove | null): CameraMove {
  const amount = before && 'amount' in before ? before : null;
  if (isTurn(kind)) return { kind, amount: amount && isTurn(amount.kind) ? amount.amount : USUAL_DEGREES };
  if (isPush(kind)) return { kind, amount: amount && isPush(amount.kind) ? amount.amount : USUAL_LENGTH };
  return kind === 'path' ? { kind, path: [] } : { kind };
}
