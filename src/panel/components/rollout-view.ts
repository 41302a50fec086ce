import { html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import './rollout-progress.ts';
import './viewer.ts';
import { PanelPart } from './panel-part.ts';
import { sectionStyles } from './panel.css.ts';

/** A rollout under way: the frames as they come, how far it is, how long it still takes, and Cancel. */
@customElement('longtake-rollout')
export class RolloutView extends PanelPart {
  static override styles = sectionStyles;

  protected override render() {
    const [rollout] = this.state.rollouts;
    if (!rollout) return nothing;
    const { text } = this.language;
    const { reel } = this.controller;
    const record = this.state.clips.find((clip) => clip.id === rollout.clipId);
    return html`<section class="stack" aria-label=${text.rollout}>
      ${
        reel.length > 0
          ? html`<longtake-viewer
              .reel=${reel}
              .language=${this.language}
              .rate=${record?.rate ?? { num: 24, den: 1 }}
              .revision=${this.state.reelRevision}
              .expected=${reel.length - reel.madeCount + rollout.frameCount}
              live
            ></longtake-viewer>`
          : nothing
      }
      <longtake-rollout-progress
        .controller=${this.controller}
        .state=${this.state}
        .language=${this.language}
      ></longtake-rollout-progress>
    </section>`;
  }
}
