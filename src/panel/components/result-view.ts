import { css, html, nothing, type PropertyValues } from 'lit';
import { customElement, query, state as internal } from 'lit/decorators.js';
import type { SeamFigures } from '../../engine/tasks/extend-request.ts';
import type { ClipRecord } from '../clips/clip-record.ts';
import { isInserted, isNewPartOnly, openClip } from '../state/panel-state.ts';
import { readSeam } from '../state/seam.ts';
import { seamWords } from '../messages/seam-words.ts';
import './insert-actions.ts';
import './make-again.ts';
import './viewer.ts';
import type { Viewer } from './viewer.ts';
import { PanelPart } from './panel-part.ts';
import { sectionStyles } from './panel.css.ts';

/** A generated clip: look, compare, insert, try again, throw away. */
@customElement('longtake-result')
export class ResultView extends PanelPart {
  static override styles = [
    sectionStyles,
    css`
      .seam {
        display: flex;
        gap: 8px;
      }
      .seam sp-icon-info,
      .seam sp-icon-checkmark-circle,
      .seam sp-icon-alert {
        flex: none;
        margin-top: 1px;
      }
      .invisible sp-icon-checkmark-circle {
        color: var(--spectrum-positive-visual-color);
      }
      .visible sp-icon-alert {
        color: var(--spectrum-notice-visual-color);
      }
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
    `,
  ];

  @query('longtake-viewer') private _viewer!: Viewer | null;
  /** Picture that the viewer shows. */
  @internal() private _frame = 0;
  @internal() private _originals: readonly ImageBitmap[] | null = null;
  #reading = new AbortController();
  #shown: string | null = null;
  #undrag: (() => void) | null = null;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#endDrag();
    this.#forgetOriginals();
  }

  protected override render() {
    const record = openClip(this.state);
    if (!record) return nothing;
    const { text } = this.language;
    const title = this._title(record);
    return html`<section class="stack" aria-label=${text.result}>
      <div class="row head">
        <sp-action-button
          quiet
          id="close-result"
          label=${text.back}
          title=${text.back}
          @click=${() => this.controller.close()}
          ><sp-icon-chevron-left slot="icon"></sp-icon-chevron-left
        ></sp-action-button>
        <h2 class="ellipsis" title=${title}>${title}</h2>
      </div>
      <longtake-viewer
        .reel=${this.controller.reel}
        .language=${this.language}
        .rate=${record.rate}
        .revision=${this.state.reelRevision}
        .originals=${record.prefix.region ? (this._originals ?? []) : null}
        @split=${() => this._readOriginals(record)}
        @frame=${(event: CustomEvent<number>) => (this._frame = event.detail)}
      ></longtake-viewer>
      <longtake-make-again
        .controller=${this.controller}
        .state=${this.state}
        .language=${this.language}
        .record=${record}
        .frame=${this._frame}
      ></longtake-make-again>
      ${record.state === 'finished' ? this._finished(record) : this._interrupted(record)}
    </section>`;
  }

  protected override updated(_changed: PropertyValues<this>): void {
    const record = openClip(this.state);
    if ((record?.id ?? null) === this.#shown) return;
    this.#shown = record?.id ?? null;
    this.#endDrag();
    this.#forgetOriginals();
    this._viewer?.rewind();
    if (record?.state === 'finished') void this.#startDrag(record);
  }

  /** What the clip was made of, and which variation it is where it is one of those side by side. */
  private _title({ id, prefix }: ClipRecord): string {
    const { text, number } = this.language;
    const { gap } = prefix;
    const of = gap ? text.gapBetween(prefix.label, gap.after.label) : prefix.label || text.result;
    const index = this.state.variations?.indexOf(id) ?? -1;
    return index < 0 ? of : `${text.variations.name(number(index + 1))} · ${of}`;
  }

  private _finished(record: ClipRecord) {
    const { text, number } = this.language;
    const { settings, clipTask } = this.state;
    const onlyNew = isNewPartOnly(record);
    const busy = clipTask !== null;
    return html`${this._seams(record)}
      ${
        record.report
          ? html`<p class="quiet" id="speed">
              ${text.speed(
                number(record.report.msPerFrame, record.report.msPerFrame < 10 ? 1 : 0),
                text.backends[record.report.backend] ?? record.report.backend,
              )}
            </p>`
          : nothing
      }
      ${record.report?.fit ? this._fit(record.report.fit) : nothing}
      ${
        onlyNew
          ? nothing
          : html`<div class="tight">
              <sp-field-label id="content-label">${text.insertWhat}</sp-field-label>
              <sp-radio-group
                id="content"
                aria-labelledby="content-label"
                .selected=${settings.content}
                @change=${(event: Event) => {
                  const value = (event.target as HTMLElement & { selected: string }).selected;
                  this.controller.change({ content: value === 'extended' ? 'extended' : 'continuation' });
                }}
              >
                <sp-radio value="continuation">${text.contents.continuation}</sp-radio>
                <sp-radio value="extended">${text.contents.extended}</sp-radio>
              </sp-radio-group>
              <p class="quiet">${text.contentHints[settings.content]}</p>
            </div>`
      }
      <longtake-insert-actions
        .controller=${this.controller}
        .state=${this.state}
        .language=${this.language}
        .record=${record}
      ></longtake-insert-actions>
      <div class="stack">
        <sp-button
          id="retry"
          variant="secondary"
          ?disabled=${busy}
          @click=${() => this.controller.retry(record)}
          >${text.retry}</sp-button
        >
        <sp-button
          id="discard"
          variant="secondary"
          treatment="outline"
          ?disabled=${busy}
          @click=${() => this.controller.discard(record)}
          >${isInserted(this.state, record) ? text.discardInserted : text.discard}</sp-button
        >
      </div>`;
  }

  /** Whether a clip was done in the time it was given. */
  private _fit({ steps, inTime }: { steps: number; inTime: boolean }) {
    const { text, number } = this.language;
    return html`<p class="quiet" id="fit">${text.fit[inTime ? 'inTime' : 'late'](number(steps))}</p>`;
  }

  private _interrupted(record: ClipRecord) {
    const { text, number } = this.language;
    return html`<p>${text.interruptedFacts(number(record.framesMade), number(record.frameCount))}</p>
      <sp-button id="resume" variant="accent" size="l" @click=${() => this.controller.resume(record)}
        >${text.resume}</sp-button
      >
      <sp-button id="restart" variant="secondary" @click=${() => this.controller.restart(record)}
        >${text.restart}</sp-button
      >
      <sp-button
        id="discard"
        variant="secondary"
        treatment="outline"
        @click=${() => this.controller.discard(record)}
        >${text.discard}</sp-button
      >`;
  }

  /** The cut after the clip and, where the new frames lead to a clip again, the cut there. */
  private _seams(record: ClipRecord) {
    const { report, purpose = 'extend' } = record;
    const first = report?.seam ?? null;
    if (purpose === 'extend') return this._seam(record, 'seam', first, '');
    const places = this.language.text.seamPlaces[purpose];
    const { region, range } = record.prefix;
    if (region) {
      // The clip need not go on at both ends.
      return html`${range.frameCount > 0 ? this._seam(record, 'seam', first, places.first) : nothing}
      ${region.framesAfter > 0 ? this._seam(record, 'seam-after', report?.seamAfter ?? null, places.second) : nothing}`;
    }
    return html`${this._seam(record, 'seam', first, places.first)}
    ${this._seam(record, 'seam-after', report?.seamAfter ?? null, places.second)}`;
  }

  private _seam(record: ClipRecord, id: string, seam: SeamFigures | null, place: string) {
    const { text } = this.language;
    const where = place === '' ? nothing : html`<strong>${place}</strong><br />`;
    if (!seam) {
      return html`<p class="seam" id=${id}>
        <sp-icon-info size="s"></sp-icon-info>
        <span>${where}${record.prefix.kind === 'none' ? text.seams.none : text.seams.resumed}</span>
      </p>`;
    }
    const reading = readSeam(seam);
    return html`<p class="seam ${reading.verdict}" id=${id}>
      ${
        reading.verdict === 'invisible'
          ? html`<sp-icon-checkmark-circle size="s"></sp-icon-checkmark-circle>`
          : reading.verdict === 'slight'
            ? html`<sp-icon-info size="s"></sp-icon-info>`
            : html`<sp-icon-alert size="s"></sp-icon-alert>`
      }
      <span>${where}${seamWords(reading, this.language)}</span>
    </p>`;
  }

  /** A repainted region is compared frame by frame with what was there. */
  private async _readOriginals(record: ClipRecord) {
    if (!record.prefix.region || this._originals) return;
    const { signal } = (this.#reading = new AbortController());
    const originals = await this.controller.originals(record, signal);
    if (!signal.aborted) this._originals = originals;
  }

  #forgetOriginals() {
    this.#reading.abort();
    for (const picture of this._originals ?? []) picture.close();
    this._originals = null;
  }

  async #startDrag(record: ClipRecord) {
    const { host } = this.controller;
    const viewer = this._viewer;
    if (!viewer || !host.capabilities.dragOut || !host.enableDragOut) return;
    await viewer.updateComplete;
    if (this.#shown !== record.id || !this.isConnected) return;
    this.#undrag = host.enableDragOut(
      viewer.screen,
      () => this.controller.deliver(record, this.state.settings.content),
      () => viewer.picture(),
    );
  }

  #endDrag() {
    this.#undrag?.();
    this.#undrag = null;
  }
}
