import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state as internal } from 'lit/decorators.js';
import type { Subscription } from 'rxjs';
import { browserServices } from '../browser-services.ts';
import { PanelController } from '../controller/panel-controller.ts';
import type { HostAdapter, PrefixRequest } from '../hosts/host-adapter.ts';
import { languageFor } from '../messages/catalogue.ts';
import type { PanelEngine, PanelServices } from '../services.ts';
import { initialState, type PanelState, type Settings } from '../state/panel-state.ts';
import './clip-list.ts';
import './notice-view.ts';
import { sectionStyles } from './panel.css.ts';
import './result-view.ts';
import './rollout-view.ts';
import './settings-view.ts';
import './source-view.ts';
import './variations-view.ts';
import './spectrum.ts';

/**
 * The side panel. Set `host` before it is connected; `services` only to replace engine, media or storage. 320 px wide
 * and up, of a height that the page gives it: it scrolls inside.
 */
@customElement('longtake-panel')
export class LongtakePanel extends LitElement {
  static override styles = [
    sectionStyles,
    css`
      :host {
        min-inline-size: 280px;
        min-block-size: 0;
        container-type: size;
      }
      sp-theme {
        display: flex;
        flex-direction: column;
        block-size: 100%;
        background: var(--longtake-panel-background, var(--spectrum-background-layer-2-color));
        color: var(--spectrum-neutral-content-color-default);
      }
      .main {
        display: flex;
        flex-direction: column;
        gap: 16px;
        padding: 24px;
        font-size: var(--spectrum-font-size-75);
        max-inline-size: 560px;
        margin-inline: auto;
      }
      .scroller {
        position: relative;
        flex: 1;
        min-block-size: 0;
        overflow-y: auto;
        scrollbar-width: thin;
        scrollbar-color: var(--spectrum-gray-400) transparent;
      }
      /* What the keyboard reaches comes to rest above what is stuck to the lower edge. */
      @container (min-height: 300px) {
        .scroller {
          scroll-padding-block-end: 112px;
        }
      }
      /* Beside what scrolls, never over it: a notice must not cover what it speaks of. */
      longtake-notice {
        flex: none;
        max-block-size: 45%;
        overflow-y: auto;
        border-block-start: 1px solid var(--spectrum-gray-300);
        padding: 8px 16px;
      }
      /* It stays in the page for screen readers; while it is empty it takes no room. */
      longtake-notice.empty {
        padding: 0;
        border: none;
      }
      .slow {
        display: flex;
        gap: 8px;
      }
      .slow sp-icon-info {
        flex: none;
        margin-top: 1px;
      }
      summary {
        cursor: pointer;
        border-radius: 4px;
      }
      summary:focus-visible {
        outline: 2px solid var(--spectrum-focus-indicator-color);
        outline-offset: 2px;
      }
      h1 {
        position: absolute;
        inline-size: 1px;
        block-size: 1px;
        overflow: hidden;
        clip-path: inset(50%);
      }
    `,
  ];

  @property({ attribute: false }) host!: HostAdapter;
  @property({ attribute: false }) services: PanelServices | null = null;
  @internal() private _state: PanelState = initialState;
  #controller: PanelController | null = null;
  #subscription: Subscription | null = null;
  /** Null while there is no host, or the panel is not in the page. */
  #opened: Promise<void> | null = null;

  /** The panel's commands and state; null before the panel is connected. */
  get controller(): PanelController | null {
    return this.#controller;
  }

  /**
   * Starts a task from outside, e.g. from a host's "Extend clip…": takes the prefix and applies settings.
   * Resolves when the prefix is there or was refused (the panel then shows why).
   */
  async start(request: PrefixRequest, settings: Partial<Settings> = {}): Promise<void> {
    await this.updateComplete;
    await this.#opened;
    this.#controller?.change(settings);
    await this.#controller?.take(request);
  }

  /**
   * Shows a kept clip that is not finished.
   * @param go whether its rollout goes on at once from the frames that are there; otherwise that is offered
   */
  async recall(clipId: string, go: boolean): Promise<void> {
    await this.updateComplete;
    await this.#opened;
    const controller = this.#controller;
    const record = controller?.store.state.clips.find(({ id }) => id === clipId);
    if (record) await (go ? controller!.resume(record) : controller!.show(record));
  }

  /** The panel's engine, for other work of the host: one loaded model serves both. The panel must be connected. */
  async engine(): Promise<PanelEngine> {
    await this.updateComplete;
    await this.#opened;
    return this.#controller!.services.engine;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.host) this.#open();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#subscription?.unsubscribe();
    this.#controller?.dispose();
    this.#controller = null;
    this.#opened = null;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('host') && this.host) this.#open();
  }

  protected override render() {
    const controller = this.#controller;
    if (!controller) return nothing;
    const state = this._state;
    const language = languageFor(state.locale);
    const { text } = language;
    const view = viewOf(state);
    const { abilities } = state;
    return html`<sp-theme
      system="express"
      scale="medium"
      color=${state.theme}
      lang=${language.tag}
      data-view=${view}
    >
      <div class="scroller">
        <div class="main" role=${this.host.capabilities.host === 'express' ? 'main' : nothing}>
          <h1>${text.panel}</h1>
          ${
            view === 'compose'
              ? html`${
                    abilities && !abilities.webgpu
                      ? html`<details class="quiet" id="no-webgpu">
                          <summary>${text.noWebGpu}</summary>
                          <p>${text.noWebGpuDetail}</p>
                        </details>`
                      : nothing
                  }
                  ${
                    abilities && !abilities.h264
                      ? html`<p class="slow quiet" id="no-h264">
                          <sp-icon-info size="s"></sp-icon-info><span>${text.noH264}</span>
                        </p>`
                      : nothing
                  }
                  <longtake-source
                    .controller=${controller}
                    .state=${state}
                    .language=${language}
                  ></longtake-source>
                  <longtake-settings
                    .controller=${controller}
                    .state=${state}
                    .language=${language}
                  ></longtake-settings>`
              : nothing
          }
          ${
            view === 'rollout'
              ? html`<longtake-rollout
                  .controller=${controller}
                  .state=${state}
                  .language=${language}
                ></longtake-rollout>`
              : nothing
          }
          ${
            view === 'variations'
              ? html`<longtake-variations
                  .controller=${controller}
                  .state=${state}
                  .language=${language}
                ></longtake-variations>`
              : nothing
          }
          ${
            view === 'result'
              ? html`<longtake-result
                  .controller=${controller}
                  .state=${state}
                  .language=${language}
                ></longtake-result>`
              : nothing
          }
          <longtake-clip-list
            .controller=${controller}
            .state=${state}
            .language=${language}
          ></longtake-clip-list>
        </div>
      </div>
      <longtake-notice
        class=${state.notice ? '' : 'empty'}
        .controller=${controller}
        .state=${state}
        .language=${language}
      ></longtake-notice>
    </sp-theme>`;
  }

  #open() {
    if (this.#opened) return;
    const starting = this.services ? Promise.resolve(this.services) : browserServices(this.host);
    const opened = starting.then(async (services) => {
      // The panel may have left the page meanwhile, and come back.
      if (this.#opened !== opened) return;
      this.#controller = new PanelController(this.host, services);
      this.#subscription = this.#controller.store.state$.subscribe((state) => (this._state = state));
      await this.#controller.open();
    });
    this.#opened = opened;
  }
}

function viewOf({ rollouts, variations, openClipId }: PanelState) {
  if (variations && !openClipId) return 'variations';
  if (rollouts.length > 0) return 'rollout';
  return openClipId ? 'result' : 'compose';
}
