import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { progressOf, type RolloutPhase } from '../state/panel-state.ts';
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
          label=${this._label(rollout.phase)}
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

  /** What is being done, and for which variation where they are made one after another: the figures are that one's. */
  private _label(phase: RolloutPhase): string {
    const { text, number } = this.language;
    const { rollouts, variations } = this.state;
    const doing = text.phases[phase];
    const index = rollouts.length === 1 ? (variations?.indexOf(rollouts[0]!.clipId) ?? -1) : -1;
    if (index < 0) return doing;
    return `${text.variations.nameOf(number(index + 1), number(variations!.length))}: ${doing}`;
  }
}
