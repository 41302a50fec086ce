import { css, html, nothing, svg } from 'lit';
import { customElement, query } from 'lit/decorators.js';
import { map } from 'rxjs';
import type { Command } from '../commands/command.ts';
import { commands, exportMenu } from '../commands/commands.ts';
import { matchesKeys } from '../commands/keys.ts';
import { projectOf, type StudioState } from '../store/state.ts';
import { projectLength } from '../timeline/project.ts';
import './batch-badge.ts';
import { commandButton } from './command-button.ts';
import { commandEntry, type MenuGroups, openMenu } from './menu.ts';
import { StudioPart } from './studio-part.ts';

/** Files that the picker offers; anything else may be dropped and is refused with words. */
const ACCEPT = 'video/mp4,video/webm,video/quicktime,video/x-matroska,.mp4,.m4v,.mov,.webm,.mkv,.ts';

const OPEN_CLIPS = 'Mod+o';
const EXPORT = 'Mod+e';
const OPEN_TIMELINE = 'Mod+Shift+o';

/** The bar along the top: progress, undo and redo, files in and out, theme, and the menu of everything. */
@customElement('studio-bar')
export class StudioBar extends StudioPart {
  static override styles = css`
    :host {
      display: flex;
      align-items: center;
      gap: 8px;
      flex-wrap: wrap;
      min-block-size: 48px;
      padding-inline: 16px 12px;
      background: var(--bar);
      border-block-end: 1px solid var(--line);
    }
    h1 {
      font-size: 15px;
      font-weight: 700;
      margin: 0;
      letter-spacing: 0.01em;
      white-space: nowrap;
    }
    h1 span {
      font-weight: 400;
      color: var(--quiet);
    }
    .mark {
      inline-size: 22px;
      block-size: 22px;
      flex: none;
    }
    .space {
      flex: 1;
    }
    .task {
      display: flex;
      align-items: center;
      gap: 8px;
      inline-size: min(340px, 40vw);
    }
    @media (max-width: 560px) {
      :host {
        gap: 4px;
        padding-inline: 12px 8px;
      }
      /* The mark says it too. */
      h1 {
        position: absolute;
        inline-size: 1px;
        block-size: 1px;
        overflow: hidden;
        clip-path: inset(50%);
      }
      /* It is in the menu and has a key. */
      #open {
        display: none;
      }
      .task {
        order: 1;
        inline-size: 100%;
        padding-block-end: 8px;
      }
    }
    .task sp-progress-bar {
      flex: 1;
      min-inline-size: 0;
    }
  `;

  @query('#clips') private readonly clips!: HTMLInputElement;
  @query('#timeline') private readonly timeline!: HTMLInputElement;
  @query('#export') private readonly exportButton!: HTMLElement;
  @query('#more') private readonly moreButton!: HTMLElement;

  /** Lets the editor choose clips to add to the timeline. */
  openClips(): void {
    this.clips.click();
  }

  /** Lets the editor choose a timeline together with its clips. */
  openTimeline(): void {
    this.timeline.click();
  }

  /** Lets the editor choose what to export to. */
  async openExport(): Promise<void> {
    if (!this.canExport) return;
    const groups$ = this.studio.store.state$.pipe(
      map(() => [exportMenu.map((command) => commandEntry(command, this.studio))]),
    );
    await openMenu(groups$, 'Export', this.exportButton, this.shadowRoot!);
  }

  private get canExport(): boolean {
    return exportMenu.some((command) => command.enabled(this.state));
  }

  /** Does what a key press asks of the bar. @returns whether it asked anything */
  takesKey(event: KeyboardEvent): boolean {
    if (matchesKeys(event, OPEN_CLIPS)) this.openClips();
    else if (matchesKeys(event, OPEN_TIMELINE)) this.openTimeline();
    else if (matchesKeys(event, EXPORT)) void this.openExport();
    else return false;
    return true;
  }

  protected override render() {
    const { studio } = this;
    const { theme, task, history } = this.state;
    const undo = history.past.at(-1)?.label;
    const redo = history.future[0]?.label;
    return html` <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
        ${svg`<rect x="1" y="6" width="13" height="12" rx="2" fill="var(--clip-edge)"></rect>
        <rect x="12" y="6" width="11" height="12" rx="2" fill="var(--made-edge)"></rect>
        <path d="M14.5 12h5m-2-2.2 2.2 2.2-2.2 2.2" stroke="var(--bar)" stroke-width="1.6" fill="none"></path>`}
      </svg>
      <h1>Longtake <span>Studio</span></h1>
      <span class="space"></span>
      <batch-badge .studio=${studio}></batch-badge>
      ${
        task
          ? html`<div class="task">
              <sp-progress-bar
                size="s"
                label=${task.label}
                progress=${Math.round(task.progress * 100)}
              ></sp-progress-bar>
              ${
                task.kind === 'export'
                  ? html`<sp-button
                      size="s"
                      variant="secondary"
                      treatment="outline"
                      @click=${() => studio.exporter.cancel()}
                      >Cancel export</sp-button
                    >`
                  : nothing
              }
            </div>`
          : nothing
      }
      ${commandButton(studio, commands.undo, html`<sp-icon-undo slot="icon"></sp-icon-undo>`, {
        label: undo ? `Undo: ${undo}` : 'Undo',
        placement: 'bottom',
      })}
      ${commandButton(studio, commands.redo, html`<sp-icon-redo slot="icon"></sp-icon-redo>`, {
        label: redo ? `Redo: ${redo}` : 'Redo',
        placement: 'bottom',
      })}
      <sp-button variant="secondary" treatment="outline" size="m" id="open" @click=${() => this.openClips()}>
        Open clips…
      </sp-button>
      <sp-button
        variant="accent"
        size="m"
        id="export"
        aria-haspopup="menu"
        ?disabled=${!this.canExport}
        @click=${() => void this.openExport()}
      >
        Export…
      </sp-button>
      <sp-action-button
        quiet
        id="theme"
        label=${theme === 'dark' ? 'Light theme' : 'Dark theme'}
        @click=${() => studio.store.dispatch({ type: 'theme', theme: theme === 'dark' ? 'light' : 'dark' })}
      >
        ${
          theme === 'dark'
            ? html`<sp-icon-light slot="icon"></sp-icon-light>`
            : html`<sp-icon-moon slot="icon"></sp-icon-moon>`
        }
        <sp-tooltip self-managed placement="bottom"
          >${theme === 'dark' ? 'Light theme' : 'Dark theme'}</sp-tooltip
        >
      </sp-action-button>
      <sp-action-button
        quiet
        id="more"
        label="More"
        aria-haspopup="menu"
        @click=${() => void this.openMore()}
      >
        <sp-icon-more slot="icon"></sp-icon-more>
      </sp-action-button>
      ${this.renderPicker('clips', 'Clips to open', ACCEPT)}
      ${this.renderPicker('timeline', 'Timeline and clips to open', `.otio,${ACCEPT}`)}`;
  }

  private renderPicker(id: string, label: string, accept: string) {
    return html`<input
      type="file"
      id=${id}
      hidden
      multiple
      accept=${accept}
      aria-label=${label}
      @change=${(event: Event) => {
        const picker = event.target as HTMLInputElement;
        const files = [...(picker.files ?? [])];
        // Emptied, so that choosing the same files again is a change.
        picker.value = '';
        void this.studio.importFiles(files);
      }}
    />`;
  }

  private async openMore(): Promise<void> {
    const groups$ = this.studio.store.state$.pipe(map((state) => this.moreGroups(state)));
    await openMenu(groups$, 'More', this.moreButton, this.shadowRoot!);
  }

  private moreGroups(state: StudioState): MenuGroups {
    const { studio } = this;
    const c = commands;
    const entries = (list: readonly Command[]) => list.map((command) => commandEntry(command, studio));
    return [
      [
        {
          id: 'new',
          label: 'New project',
          disabled: projectLength(projectOf(state)) === 0,
          run: () => studio.newProject(),
        },
        {
          id: 'open',
          label: 'Open clips…',
          keys: OPEN_CLIPS,
          disabled: false,
          run: () => this.openClips(),
        },
        {
          id: 'open-timeline',
          label: 'Open timeline…',
          keys: OPEN_TIMELINE,
          disabled: false,
          run: () => this.openTimeline(),
        },
        ...entries([c.saveTimeline, c.saveWithClips]),
        { id: 'export', label: 'Export', groups: [entries(exportMenu)] },
      ],
      entries([c.undo, c.redo, c.selectAll]),
      entries([c.extend, c.extendBackwards, c.makeLoop, c.fillGap, c.repaint, c.batchPreview]),
      [
        {
          id: 'edit',
          label: 'Edit clip',
          groups: [
            entries([c.split, c.trimStart, c.trimEnd]),
            entries([c.nudgeLeft, c.nudgeRight]),
            entries([c.rippleDelete, c.lift]),
          ],
        },
        {
          id: 'view',
          label: 'Playback and view',
          groups: [
            entries([c.playPause, c.toStart, c.toEnd, c.previousCut, c.nextCut]),
            entries([c.zoomIn, c.zoomOut, c.snapping]),
          ],
        },
      ],
    ];
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'studio-bar': StudioBar;
  }
}
