import { css, html, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { ClipRecord } from '../clips/clip-record.ts';
import { isInserted } from '../state/panel-state.ts';
import { PanelPart } from './panel-part.ts';
import { sectionStyles, stuck } from './panel.css.ts';

/**
 * Puts a finished clip into the document and says how far that is; once it is there, what comes next stands out in its place.
 * Fires `done` when the editor is done with the clip.
 */
@customElement('longtake-insert-actions')
export class InsertActions extends PanelPart {
  static override styles = [
    sectionStyles,
    css`
      @container (min-height: 300px) {
        :host {
          ${stuck}
        }
      }
      .inserted {
        display: flex;
        gap: 8px;
        padding-block-end: 4px;
      }
      .inserted sp-icon-checkmark-circle {
        flex: none;
        margin-top: 1px;
        color: var(--spectrum-positive-visual-color);
      }
      /* Room by need: in a long language each has a row of its own. */
      .choice {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .choice sp-button {
        flex: 1 0 auto;
        inline-size: auto;
      }
    `,
  ];

  @property({ attribute: false }) record!: ClipRecord;

  protected override render() {
    const { text } = this.language;
    const { abilities, clipTask } = this.state;
    const { host } = this.controller;
    const onPage = host.capabilities.placement === 'page';
    if (clipTask) {
      const what = clipTask.kind === 'encoding' ? text.encoding : text.inserting;
      return html`<div class="row card">
        <sp-progress-circle
          size="s"
          label=${what}
          .progress=${Math.round(clipTask.fraction * 100)}
          ?indeterminate=${clipTask.kind === 'inserting'}
        ></sp-progress-circle>
        <span class="grow">${what}</span>
        <sp-action-button @click=${() => this.controller.cancelDelivery()}>${text.cancel}</sp-action-button>
      </div>`;
    }
    if (abilities?.h264 === false) {
      return html`<div class="tight">
        ${this._insert(onPage ? text.insertPage : text.insert, 'accent', true)}
        <p class="quiet">${text.noH264}</p>
      </div>`;
    }
    if (isInserted(this.state, this.record)) {
      return html`<div class="tight">
        <p class="inserted" id="inserted">
          <sp-icon-checkmark-circle size="s"></sp-icon-checkmark-circle>
          <span>${onPage ? text.isOnPage : text.isOnTimeline}</span>
        </p>
        <div class="choice">
          ${this._insert(onPage ? text.insertPageAgain : text.insertAgain, 'secondary')}
          <sp-button id="done" variant="accent" @click=${() => this._done()}>${text.done}</sp-button>
        </div>
      </div>`;
    }
    return html`<div class="tight">
      ${this._insert(onPage ? text.insertPage : text.insert, 'accent')}
      ${host.capabilities.dragOut ? html`<p class="quiet">${text.drag}</p>` : nothing}
    </div>`;
  }

  private _insert(label: string, variant: 'accent' | 'secondary', disabled = false) {
    return html`<sp-button
      id="insert"
      variant=${variant}
      treatment=${variant === 'accent' ? 'fill' : 'outline'}
      size=${variant === 'accent' ? 'l' : 'm'}
      ?disabled=${disabled}
      @click=${() => this.controller.insert(this.record)}
      >${label}</sp-button
    >`;
  }

  private _done() {
    this.controller.close();
    this.controller.closeVariations();
    this.dispatchEvent(new CustomEvent('done', { bubbles: true, composed: true }));
  }
}
