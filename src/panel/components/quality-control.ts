import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import type { Profile } from '../../engine/tasks/extend-request.ts';
import { fitOf, secondsByProfile } from '../state/estimate.ts';
import { FIT_RANGE, PROFILES } from '../state/panel-state.ts';
import { PanelPart } from './panel-part.ts';
import { choiceStyles, sectionStyles } from './panel.css.ts';

/** Time to be done in that is proposed first, in seconds. */
const USUAL_FIT = 60;

/** Time against quality: a profile, each with what it takes here, or the best quality that is done in a given time. */
@customElement('longtake-quality')
export class QualityControl extends PanelPart {
  static override styles = [
    sectionStyles,
    choiceStyles,
    css`
      dl {
        display: grid;
        grid-template-columns: repeat(3, 1fr);
        gap: 8px;
        margin: 0;
        min-block-size: 2lh;
      }
      dd {
        margin: 0;
        color: var(--spectrum-neutral-content-color-default);
      }
    `,
  ];
  /** Returned to when the time to be done in is chosen again. */
  #seconds = USUAL_FIT;

  protected override render() {
    const { text } = this.language;
    const { profile, fitSeconds } = this.state.settings;
    const chosen = fitSeconds === null ? profile : 'fit';
    return html`<div class="stack">
      <div class="tight">
        <sp-field-label id="profile-label">${text.profile}</sp-field-label>
        <sp-action-group
          id="profile"
          aria-labelledby="profile-label"
          aria-describedby="times"
          label=${text.profile}
          compact
          justified
          selects="single"
          .selected=${[chosen]}
          @change=${this._choose}
        >
          ${PROFILES.map(
            (each) => html`<sp-action-button value=${each}>${text.profiles[each]}</sp-action-button>`,
          )}
          <sp-action-button value="fit">${text.fit.choice}</sp-action-button>
        </sp-action-group>
        ${this.state.source.status === 'none' ? nothing : this._times()}
        ${fitSeconds === null ? html`<p class="quiet">${text.profileHints[profile]}</p>` : nothing}
      </div>
      ${fitSeconds === null ? nothing : this._fit(fitSeconds)}
    </div>`;
  }

  /** What each profile takes here. */
  private _times() {
    const { text, duration } = this.language;
    const seconds = secondsByProfile(this.state);
    // There from the source on, so that nothing moves under the pointer when the times are known.
    return html`<dl class="quiet" id="times">
      ${PROFILES.map(
        (profile) =>
          html`<div>
            <dt>${text.profiles[profile]}</dt>
            <dd data-profile=${profile}>${seconds ? text.about(duration(seconds[profile])) : '…'}</dd>
          </div>`,
      )}
    </dl>`;
  }

  private _fit(seconds: number) {
    const { text } = this.language;
    return html`<div class="tight">
      <sp-field-label for="fit-seconds">${text.fit.label}</sp-field-label>
      <sp-number-field
        id="fit-seconds"
        min=${FIT_RANGE.min}
        max=${FIT_RANGE.max}
        step="1"
        .value=${seconds}
        .formatOptions=${{ style: 'unit', unit: 'second', maximumFractionDigits: 0 }}
        @change=${(event: Event) => {
          const value = Number((event.target as HTMLInputElement).value);
          if (Number.isFinite(value)) this.controller.change({ fitSeconds: value });
        }}
      ></sp-number-field>
      <p class="quiet" id="fit-choice" aria-live="polite">${this._picked()}</p>
    </div>`;
  }

  /** What was picked for the time, in words. */
  private _picked(): string {
    const { text, number, duration } = this.language;
    const fit = fitOf(this.state);
    if (!fit) return text.fit.unknown;
    const name = text.profiles[fit.profile];
    const time = duration(fit.seconds);
    if (!fit.fits) return text.fit.none(name, time);
    return fit.more ? text.fit.picksMore(number(fit.steps), name, time) : text.fit.picks(name, time);
  }

  /** A group must never be left without a choice: clicking the chosen one again keeps it. */
  private _choose(event: Event) {
    const [value] = (event.currentTarget as HTMLElement & { selected: string[] }).selected;
    const { fitSeconds } = this.state.settings;
    if (fitSeconds !== null) this.#seconds = fitSeconds;
    const profile = PROFILES.find((each: Profile) => each === value);
    if (profile) this.controller.change({ profile, fitSeconds: null });
    else if (value === 'fit') this.controller.change({ fitSeconds: this.#seconds });
    else this.requestUpdate();
  }
}
