import { css, html } from 'lit';
import { customElement } from 'lit/decorators.js';
import type { Command } from '../commands/command.ts';
import { commands } from '../commands/commands.ts';
import { projectLength } from '../timeline/project.ts';
import { rateLabel, timecode } from '../timeline/timecode.ts';
import { shownProject } from '../store/state.ts';
import { commandButton } from './command-button.ts';
import { StudioPart } from './studio-part.ts';

/** Timecode, play controls and the project's length, under the viewer. */
@customElement('studio-transport')
export class StudioTransport extends StudioPart {
  static override styles = css`
    :host {
      display: grid;
      grid-template-columns: 1fr auto 1fr;
      align-items: center;
      gap: 16px;
      padding: 6px 16px;
      background: var(--bar);
      border-block-start: 1px solid var(--line);
    }
    .time {
      font:
        600 15px/1 ui-monospace,
        'SFMono-Regular',
        Menlo,
        Consolas,
        'Liberation Mono',
        monospace;
      font-variant-numeric: tabular-nums;
      color: var(--text);
    }
    .facts {
      justify-self: end;
      color: var(--quiet);
      font-size: 12px;
      white-space: nowrap;
    }
    .facts b {
      font:
        500 13px/1 ui-monospace,
        'SFMono-Regular',
        Menlo,
        Consolas,
        'Liberation Mono',
        monospace;
      color: var(--text);
      margin-inline-start: 10px;
    }
    .spoken {
      position: absolute;
      inline-size: 1px;
      block-size: 1px;
      overflow: hidden;
      clip-path: inset(50%);
    }
    .buttons {
      display: flex;
      gap: 2px;
    }
    @media (max-width: 560px) {
      :host {
        gap: 8px;
        padding-inline: 12px;
      }
      .format {
        display: none;
      }
    }
    @media (max-width: 400px) {
      :host {
        grid-template-columns: 1fr auto;
      }
      .facts {
        display: none;
      }
    }
  `;

  protected override render() {
    const project = shownProject(this.state);
    const { format } = project;
    const rate = format?.rate ?? { num: 24, den: 1 };
    const playing = this.state.shuttle !== 0;
    const button = (command: Command, icon: unknown, label?: string) =>
      commandButton(this.studio, command, icon, label ? { label } : {});
    return html`
      <span class="time"><span class="spoken">Playhead at</span> ${timecode(this.state.playhead, rate)}</span>
      <div class="buttons" role="group" aria-label="Playback">
        ${button(commands.toStart, html`<sp-icon-step-backward slot="icon"></sp-icon-step-backward>`)}
        ${button(commands.stepBack, html`<sp-icon-chevron-left slot="icon"></sp-icon-chevron-left>`)}
        ${button(
          commands.playPause,
          playing
            ? html`<sp-icon-pause slot="icon"></sp-icon-pause>`
            : html`<sp-icon-play slot="icon"></sp-icon-play>`,
          playing ? 'Pause' : 'Play',
        )}
        ${button(commands.stepForward, html`<sp-icon-chevron-right slot="icon"></sp-icon-chevron-right>`)}
        ${button(commands.toEnd, html`<sp-icon-step-forward slot="icon"></sp-icon-step-forward>`)}
      </div>
      <span class="facts">
        <span class="format"
          >${format ? `${format.width} × ${format.height}, ${rateLabel(rate)} fps` : ''}</span
        >
        <span class="spoken">Length</span> <b>${timecode(projectLength(project), rate)}</b>
      </span>
    `;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'studio-transport': StudioTransport;
  }
}
