import { html, nothing, svg, type PropertyValues } from 'lit';
import { customElement, query, state as internal } from 'lit/decorators.js';
import { Subscription } from 'rxjs';
import '../../panel/components/longtake-panel.ts';
import type { LongtakePanel } from '../../panel/components/longtake-panel.ts';
import { StudioHost } from '../../panel/hosts/studio.ts';
import { commands } from '../commands/commands.ts';
import { matchesKeys } from '../commands/keys.ts';
import type { PanelRequest } from '../store/state.ts';
import { projectOf, shownProject } from '../store/state.ts';
import { StudioTimeline as TimelineOfHost } from '../timeline-document.ts';
import { projectLength } from '../timeline/project.ts';
import { commandButton } from './command-button.ts';
import { leavesKeysAlone } from './key-owner.ts';
import { studioStyles } from './longtake-studio.css.ts';
import { commandEntry, openMenu } from './menu.ts';
import './spectrum.ts';
import { StudioPart } from './studio-part.ts';
import './studio-timeline.ts';
import type { StudioTimeline } from './studio-timeline.ts';
import './studio-transport.ts';
import './studio-viewer.ts';

/** Files that the picker offers; anything else may be dropped and is refused with words. */
const ACCEPT = 'video/mp4,video/webm,video/quicktime,video/x-matroska,.mp4,.m4v,.mov,.webm,.mkv,.ts';

/** What the panel's heading says. */
const PANEL_TITLES = { extend: 'Extend clip', gap: 'Fill gap', loop: 'Make loop' } as const;

/** The whole window of Studio. */
@customElement('longtake-studio')
export class LongtakeStudio extends StudioPart {
  static override styles = studioStyles;

  @query('studio-timeline') private readonly timeline!: StudioTimeline;
  @query('longtake-panel') private readonly panel!: LongtakePanel | null;
  @query('aside h2') private readonly panelTitle!: HTMLElement | null;
  @query('input[type=file]') private readonly picker!: HTMLInputElement;
  @query('#more') private readonly moreButton!: HTMLElement;
  @internal() private dropping = false;
  private host!: StudioHost;
  private served: PanelRequest | null = null;
  private panelUsed = false;
  private readonly connections = new Subscription();

  override connectedCallback(): void {
    this.host = new StudioHost(new TimelineOfHost(this.studio));
    super.connectedCallback();
    window.addEventListener('keydown', this.key);
    window.addEventListener('dragover', this.dragOver);
    window.addEventListener('dragleave', this.dragLeave);
    window.addEventListener('drop', this.drop);
    this.connections.add(
      this.studio.store
        .select(({ theme }) => theme)
        .subscribe((theme) => (document.documentElement.style.colorScheme = theme)),
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('keydown', this.key);
    window.removeEventListener('dragover', this.dragOver);
    window.removeEventListener('dragleave', this.dragLeave);
    window.removeEventListener('drop', this.drop);
    this.connections.unsubscribe();
  }

  protected override render() {
    const { theme, panel, notice, restored } = this.state;
    const empty = projectLength(shownProject(this.state)) === 0;
    return html`<sp-theme system="express" color=${theme} scale="medium">
      <div class="studio ${panel ? 'open' : ''}" data-theme=${theme}>
        ${this.renderBar()}
        <main class="stage" aria-label="Viewer">
          <studio-viewer .studio=${this.studio}></studio-viewer>
          ${restored && empty ? this.renderEmpty() : nothing}
          <div class="notice" aria-live="polite">
            ${
              notice
                ? html`<sp-toast
                    open
                    variant=${notice.tone}
                    .timeout=${notice.tone === 'negative' ? null : 6000}
                    @close=${() => this.studio.store.dispatch({ type: 'notice-close' })}
                    >${notice.text}</sp-toast
                  >`
                : nothing
            }
          </div>
          <studio-transport .studio=${this.studio}></studio-transport>
        </main>
        ${this.renderPanel(panel)}
        <studio-timeline role="region" aria-label="Timeline" .studio=${this.studio}></studio-timeline>
        ${this.dropping ? html`<div class="dropping">Drop to add to the timeline</div>` : nothing}
        <input
          type="file"
          hidden
          multiple
          accept=${ACCEPT}
          aria-label="Clips to open"
          @change=${() => {
            const files = [...(this.picker.files ?? [])];
            this.picker.value = '';
            void this.studio.importFiles(files);
          }}
        />
      </div>
    </sp-theme>`;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    const { panel } = this.state;
    if (panel === this.served) return;
    this.served = panel;
    if (panel) void this.startPanel(panel);
  }

  private renderBar() {
    const { studio } = this;
    const { theme, task, history } = this.state;
    const undo = history.past.at(-1)?.label;
    const redo = history.future[0]?.label;
    return html`<header class="bar">
      <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
        ${svg`<rect x="1" y="6" width="13" height="12" rx="2" fill="var(--clip-edge)"></rect>
        <rect x="12" y="6" width="11" height="12" rx="2" fill="var(--made-edge)"></rect>
        <path d="M14.5 12h5m-2-2.2 2.2 2.2-2.2 2.2" stroke="var(--bar)" stroke-width="1.6" fill="none"></path>`}
      </svg>
      <h1>Longtake <span>Studio</span></h1>
      <span class="space"></span>
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
                      @click=${() => studio.cancelExport()}
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
      <sp-button
        variant="secondary"
        treatment="outline"
        size="m"
        id="open"
        @click=${() => this.picker.click()}
      >
        Open clips…
      </sp-button>
      <sp-button
        variant="accent"
        size="m"
        id="export"
        ?disabled=${!commands.export.enabled(this.state)}
        @click=${() => commands.export.run(studio)}
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
    </header>`;
  }

  private renderEmpty() {
    return html`<div class="empty">
      <h2>Drop a clip to begin</h2>
      <p>
        MP4, MOV or WebM. Right-click a clip on the timeline and choose “Extend clip…” to make the shot
        longer. Nothing leaves this computer.
      </p>
      <sp-button variant="accent" size="m" @click=${() => this.picker.click()}>Choose clips…</sp-button>
    </div>`;
  }

  /** Once opened, the panel stays: a rollout goes on while it is closed. */
  private renderPanel(panel: PanelRequest | null) {
    this.panelUsed ||= panel !== null;
    if (!this.panelUsed) return nothing;
    const title = PANEL_TITLES[panel?.purpose ?? 'extend'];
    return html`<aside aria-label=${title} ?hidden=${!panel}>
      <header>
        <h2 tabindex="-1">${title}</h2>
        <sp-action-button quiet label="Close panel" @click=${() => this.closePanel()}>
          <sp-icon-close slot="icon"></sp-icon-close>
        </sp-action-button>
      </header>
      <div class="panel"><longtake-panel .host=${this.host}></longtake-panel></div>
    </aside>`;
  }

  private async startPanel({ purpose, direction, seconds }: PanelRequest): Promise<void> {
    const { panel } = this;
    if (!panel) return;
    // From here Tab goes on into the panel.
    this.panelTitle?.focus();
    await panel.start(
      { kind: purpose === 'gap' ? 'gap' : 'selection' },
      {
        direction,
        purpose: purpose === 'loop' ? 'loop' : 'extend',
        ...(seconds === null ? {} : { seconds }),
      },
    );
  }

  private closePanel(): void {
    const clipId = this.state.panel?.clipId;
    this.studio.store.dispatch({ type: 'panel-close' });
    if (clipId) void this.updateComplete.then(() => this.timeline.focusClip(clipId));
  }

  private async openMore(): Promise<void> {
    const { studio } = this;
    const c = commands;
    const groups = [
      [c.undo, c.redo, c.selectAll],
      [c.extend, c.extendBackwards, c.makeLoop, c.fillGap],
      [c.split, c.trimStart, c.trimEnd, c.rippleDelete, c.lift],
      [c.playPause, c.previousCut, c.nextCut, c.zoomIn, c.zoomOut, c.snapping],
    ];
    await openMenu(
      [
        [
          {
            id: 'new',
            label: 'New project',
            disabled: projectLength(projectOf(this.state)) === 0,
            run: () => studio.newProject(),
          },
          {
            id: 'open',
            label: 'Open clips…',
            keys: 'Mod+o',
            disabled: false,
            run: () => this.picker.click(),
          },
          commandEntry(c.export, studio),
        ],
        ...groups.map((group) => group.map((command) => commandEntry(command, studio))),
      ],
      'More',
      this.moreButton,
      this.moreButton.parentElement!,
    );
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || leavesKeysAlone(event)) return;
    if (event.key === 'Escape' && this.timeline.cancelDrag()) return;
    if (matchesKeys(event, 'ContextMenu') || matchesKeys(event, 'Shift+F10')) {
      if (this.timeline.openMenuByKey()) event.preventDefault();
      return;
    }
    if (matchesKeys(event, '\\')) this.timeline.fit();
    if (matchesKeys(event, 'Mod+o')) {
      event.preventDefault();
      this.picker.click();
      return;
    }
    const command = Object.values(commands).find(({ keys }) => keys.some((keys) => matchesKeys(event, keys)));
    if (!command) return;
    event.preventDefault();
    if (command.enabled(this.state)) command.run(this.studio);
  };

  private readonly dragOver = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    this.dropping = true;
  };

  private readonly dragLeave = (event: DragEvent): void => {
    if (event.relatedTarget === null) this.dropping = false;
  };

  private readonly drop = (event: DragEvent): void => {
    this.dropping = false;
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0 || event.defaultPrevented) return;
    event.preventDefault();
    void this.studio.importFiles(files);
  };
}

declare global {
  interface HTMLElementTagNameMap {
    'longtake-studio': LongtakeStudio;
  }
}
