import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { progressOf } from '../state/panel-state.ts';
import { PanelPart } from './panel-part.ts';
import { sectionStyles } from './panel.css.ts';

/** How far what is being made is, how long it still takes, and Cancel. */
@customElement('longtake-rollout-progress')
export class RolloutProgressView extends PanelPart {
  static override styles = [
    sectionStyles,
    css`
      sp-progress-bar {
        inline-size: 100%;
      }
    `,
  ];

  protected override render() {
    const rollout = progressOf(this.state.rollouts);
    if (!rollout) return nothing;
    const { text, number, duration } = this.language;
    const making = rollout.phase === 'making' || rollout.phase === 'saving';
    const fraction = making ? rollout.framesMade / rollout.frameCount : rollout.fraction;
    const left = rollout.secondsLeft !== null ? text.timeLeft(duration(rollout.secondsLeft)) : '';
    const done = making
      ? text.framesOf(number(rollout.framesMade), number(rollout.frameCount))
      : rollout.phase === 'reading' && rollout.framesRead > 0
        ? text.framesRead(number(rollout.framesRead))
        : '';
    return html`<div class="stack">
      <div class="tight">
        <sp-progress-bar
          id="progress"
          label=${text.phases[rollout.phase]}
          .progress=${fraction === null ? 0 : Math.round(fraction * 100)}
          ?indeterminate=${fraction === null}
        ></sp-progress-bar>
        <p class="quiet" id="rollout-facts">${[done, left].filter((part) => part !== '').join(' · ')}</p>
      </div>
      <sp-button id="cancel" variant="secondary" @click=${() => this.controller.cancel()}
        >${text.cancel}</sp-button
      >
    </div>`;
  }
}
