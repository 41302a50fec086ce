import { html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { ClipRecord } from '../clips/clip-record.ts';
import { PanelPart } from './panel-part.ts';
import { sectionStyles } from './panel.css.ts';

/** Makes a clip again from the frame that the viewer shows: what was good stays, the rest gets a new seed. */
@customElement('longtake-make-again')
export class MakeAgain extends PanelPart {
  static override styles = sectionStyles;

  @property({ attribute: false }) record!: ClipRecord;
  /** Picture on show, counted in the reel. */
  @property({ type: Number }) frame = 0;

  protected override render() {
    const { text, number } = this.language;
    const { record } = this;
    const kept = this._kept();
    const possible = kept >= 1 && kept < record.frameCount;
    return html`<div class="tight">
      <sp-action-button
        id="again"
        ?disabled=${!possible || this.state.clipTask !== null}
        @click=${() => this.controller.makeAgain(record, kept)}
        >${text.again.button}</sp-action-button
      >
      <p class="quiet" id="again-hint">
        ${possible ? text.again.keeps(number(kept), number(record.frameCount - kept)) : text.again.where}
      </p>
    </div>`;
  }

  /** New frames up to the one on show, in the order of making; not positive on the clip's own. */
  private _kept(): number {
    const { reel } = this.controller;
    return this.record.direction === 'forward' ? this.frame - reel.cut + 1 : reel.cut - this.frame;
  }
}
