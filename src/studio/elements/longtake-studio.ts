import { html, nothing, type PropertyValues } from 'lit';
import { customElement, query, state as internal } from 'lit/decorators.js';
import { Subscription } from 'rxjs';
import '../../panel/components/longtake-panel.ts';
import type { LongtakePanel } from '../../panel/components/longtake-panel.ts';
import type { PanelEngine } from '../../panel/services.ts';
import { StudioHost } from '../../panel/hosts/studio.ts';
import { commands } from '../commands/commands.ts';
import { matchesKeys } from '../commands/keys.ts';
import type { PanelRequest } from '../store/state.ts';
import { shownProject } from '../store/state.ts';
import { StudioTimeline as TimelineOfHost } from '../timeline-document.ts';
import { projectLength } from '../timeline/project.ts';
import './batch-dialog.ts';
import { leavesKeysAlone } from './key-owner.ts';
import { studioStyles } from './longtake-studio.css.ts';
import './missing-media.ts';
import './spectrum.ts';
import './region-editor.ts';
import './studio-bar.ts';
import type { StudioBar } from './studio-bar.ts';
import { StudioPart } from './studio-part.ts';
import './studio-timeline.ts';
import type { StudioTimeline } from './studio-timeline.ts';
import './studio-transport.ts';
import './studio-viewer.ts';

/** What the panel's heading says. */
const PANEL_TITLES = {
  extend: 'Extend clip',
  gap: 'Fill gap',
  loop: 'Make loop',
  region: 'Repaint region',
} as const;

/** The whole window of Studio. */
@customElement('longtake-studio')
export class LongtakeStudio extends StudioPart {
  static override styles = studioStyles;

  @query('studio-timeline') private readonly timeline!: StudioTimeline;
  @query('longtake-panel') private readonly panel!: LongtakePanel | null;
  @query('aside h2') private readonly panelTitle!: HTMLElement | null;
  @query('studio-bar') private readonly bar!: StudioBar;
  @internal() private dropping = false;
  private host!: StudioHost;
  private served: PanelRequest | null = null;
  private panelUsed = false;
  private readonly connections = new Subscription();

  override connectedCallback(): void {
    this.host = new StudioHost(new TimelineOfHost(this.studio));
    this.studio.batch.engine = () => this.engineOfPanel();
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
      <div class="studio ${panel ? 'open' : ''} ${panel?.region ? 'painting' : ''}" data-theme=${theme}>
        <studio-bar role="banner" .studio=${this.studio}></studio-bar>
        <main class="stage ${empty || panel?.region ? 'busy' : ''}" aria-label="Viewer">
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
          ${panel?.region ? html`<region-editor .studio=${this.studio}></region-editor>` : nothing}
          <studio-transport .studio=${this.studio}></studio-transport>
        </main>
        ${this.renderPanel(panel)}
        <studio-timeline role="region" aria-label="Timeline" .studio=${this.studio}></studio-timeline>
        <batch-dialog .studio=${this.studio}></batch-dialog>
        ${this.dropping ? html`<div class="dropping">Drop to add to the timeline</div>` : nothing}
        <missing-media .studio=${this.studio}></missing-media>
      </div>
    </sp-theme>`;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    const { panel } = this.state;
    const { served } = this;
    if (panel === served) return;
    this.served = panel;
    if (!panel) return;
    if (panel.recall) {
      if (panel.recall !== served?.recall) void this.panel?.recall(panel.recall.recordId, panel.recall.go);
      return;
    }
    // Repainted frames were inserted: the panel goes on showing them.
    if (panel.purpose === 'region' && !panel.region) return;
    // While a mask is painted the focus stays with it.
    const painting = panel.region !== null && served?.region && served.clipId === panel.clipId;
    void this.startPanel(panel, !painting);
  }

  private renderEmpty() {
    return html`<div class="empty">
      <h2>Drop a clip to begin</h2>
      <p>
        MP4, MOV, WebM, MKV or MPEG-TS. Right-click a clip on the timeline and choose “Extend clip…” to make
        the shot longer. Nothing leaves this computer.
      </p>
      <sp-button variant="accent" size="m" @click=${() => this.bar.openClips()}>Choose clips…</sp-button>
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
      <div class="panel">
        <longtake-panel .host=${this.host} @done=${() => this.closePanel()}></longtake-panel>
      </div>
    </aside>`;
  }

  private async startPanel({ purpose, direction, seconds }: PanelRequest, focus: boolean): Promise<void> {
    const { panel } = this;
    if (!panel) return;
    // From here Tab goes on into the panel.
    if (focus) this.panelTitle?.focus();
    await panel.start(
      { kind: purpose === 'gap' || purpose === 'region' ? purpose : 'selection' },
      {
        direction,
        purpose: purpose === 'loop' ? 'loop' : 'extend',
        ...(seconds === null ? {} : { seconds }),
      },
    );
  }

  /** The engine of the panel, which is put into the page for it where it was not opened yet. */
  private async engineOfPanel(): Promise<PanelEngine> {
    this.panelUsed = true;
    this.requestUpdate();
    await this.updateComplete;
    return this.panel!.engine();
  }

  private closePanel(): void {
    // What was inserted is selected; otherwise the focus goes back to the clip that the panel was opened for.
    const [selected] = this.state.selection;
    const clipId = selected ?? this.state.panel?.clipId;
    this.studio.store.dispatch({ type: 'panel-close' });
    if (clipId) void this.updateComplete.then(() => this.timeline.focusClip(clipId));
  }

  private readonly key = (event: KeyboardEvent): void => {
    // While the editor is asked something, keys are for the answer.
    if (event.defaultPrevented || this.state.missing || leavesKeysAlone(event)) return;
    if (event.key === 'Escape' && this.timeline.cancelDrag()) return;
    if (matchesKeys(event, 'ContextMenu') || matchesKeys(event, 'Shift+F10')) {
      if (this.timeline.openMenuByKey()) event.preventDefault();
      return;
    }
    if (matchesKeys(event, '\\')) this.timeline.fit();
    if (this.bar.takesKey(event)) return event.preventDefault();
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
