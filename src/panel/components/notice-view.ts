import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { PanelPart } from './panel-part.ts';
import { sectionStyles } from './panel.css.ts';

/** The one sentence the editor has to read now. Stays in the tree while empty, so that screen readers announce it. */
@customElement('longtake-notice')
export class NoticeView extends PanelPart {
  static override styles = [
    sectionStyles,
    css`
      .notice {
        display: flex;
        gap: 8px;
        align-items: flex-start;
        padding: 2px 4px 2px 12px;
        border-radius: 10px;
        border: 1px solid var(--spectrum-gray-300);
        background: var(--spectrum-background-layer-1-color);
        overflow-wrap: anywhere;
      }
      .notice > div {
        flex: 1;
        min-width: 0;
        padding-block: 5px;
      }
      .mark {
        flex: none;
        margin-top: 5px;
      }
      .error {
        border-color: var(--spectrum-negative-visual-color);
      }
      .error .mark {
        color: var(--spectrum-negative-visual-color);
      }
      .done {
        border-color: var(--spectrum-positive-visual-color);
      }
      .done .mark {
        color: var(--spectrum-positive-visual-color);
      }
      strong {
        display: block;
      }
    `,
  ];

  protected override render() {
    const { notice } = this.state;
    const { text } = this.language;
    return html`<div role=${notice?.kind === 'error' ? 'alert' : 'status'} aria-live="polite">
      ${
        notice
          ? html`<div class="notice ${notice.kind}" data-notice=${notice.kind}>
              ${
                notice.kind === 'error'
                  ? html`<sp-icon-alert class="mark" size="s"></sp-icon-alert>`
                  : notice.kind === 'done'
                    ? html`<sp-icon-checkmark-circle class="mark" size="s"></sp-icon-checkmark-circle>`
                    : html`<sp-icon-info class="mark" size="s"></sp-icon-info>`
              }
              <div>
                ${notice.code ? html`<strong>${text.errors[notice.code]}</strong>` : nothing}
                ${'key' in notice.text ? text.notices[notice.text.key] : notice.text.sentence}
              </div>
              ${
                notice.undo
                  ? html`<sp-action-button
                      id="undo"
                      quiet
                      size="s"
                      @click=${() => this.controller.bringBack()}
                      >${text.undo}</sp-action-button
                    >`
                  : nothing
              }
              <sp-action-button
                quiet
                size="s"
                label=${text.dismiss}
                @click=${() => this.controller.dismissNotice()}
              >
                <sp-icon-close slot="icon"></sp-icon-close>
              </sp-action-button>
            </div>`
          : nothing
      }
    </div>`;
  }
}
