import { css, html } from 'lit';
import { customElement } from 'lit/decorators.js';
import { MOST_VARIATIONS } from '../state/panel-state.ts';
import { PanelPart } from './panel-part.ts';
import { sectionStyles } from './panel.css.ts';

/** How many variations Generate makes from the same state. */
@customElement('longtake-variation-count')
export class VariationCount extends PanelPart {
  static override styles = [
    sectionStyles,
    css`
      sp-action-group {
        inline-size: 100%;
      }
    `,
  ];

  protected override render() {
    const { text, number } = this.language;
    const counts = Array.from({ length: MOST_VARIATIONS }, (_, index) => index + 1);
    return html`<div class="tight">
      <sp-field-label id="variations-label">${text.variations.count}</sp-field-label>
      <sp-action-group
        id="variations"
        aria-labelledby="variations-label"
        label=${text.variations.count}
        compact
        justified
        selects="single"
        .selected=${[String(this.state.settings.variations)]}
        @change=${this._choose}
      >
        ${counts.map(
          (count) => html`<sp-action-button value=${String(count)}>${number(count)}</sp-action-button>`,
        )}
      </sp-action-group>
    </div>`;
  }

  /** A group must never be left without a choice: clicking the chosen one again keeps it. */
  private _choose(event: Event) {
    const [value] = (event.currentTarget as HTMLElement & { selected: string[] }).selected;
    if (value === undefined) this.requestUpdate();
    else this.controller.change({ variations: Number(value) });
  }
}
