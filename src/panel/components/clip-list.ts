import { css, html, nothing } from 'lit';
import { customElement, query, state as internal } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { ClipRecord } from '../clips/clip-record.ts';
import { isInserted } from '../state/panel-state.ts';
import './clip-poster.ts';
import { PanelPart } from './panel-part.ts';
import { sectionStyles } from './panel.css.ts';

/** Clips generated here and not yet discarded; a right-click or the menu button lists what can be done with one. */
@customElement('longtake-clip-list')
export class ClipList extends PanelPart {
  static override styles = [
    sectionStyles,
    css`
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
        display: flex;
        flex-direction: column;
        gap: 8px;
      }
      li {
        display: flex;
        align-items: center;
        gap: 4px;
        border-radius: 10px;
        border: 1px solid var(--spectrum-gray-300);
        background: var(--spectrum-background-layer-1-color);
        padding: 6px;
      }
      li.open {
        border-color: var(--spectrum-accent-visual-color);
      }
      button.clip {
        all: unset;
        flex: 1;
        min-width: 0;
        display: flex;
        gap: 10px;
        align-items: center;
        cursor: pointer;
        border-radius: 6px;
      }
      button.clip:focus-visible {
        outline: 2px solid var(--spectrum-focus-indicator-color);
        outline-offset: 2px;
      }
      longtake-clip-poster {
        flex: none;
        inline-size: 72px;
        block-size: 44px;
      }
      .name {
        font-weight: 700;
      }
      [popover] {
        position: fixed;
        margin: 0;
        padding: 4px;
        border: 1px solid var(--spectrum-gray-300);
        border-radius: 10px;
        background: var(--spectrum-background-layer-2-color);
        color: inherit;
        min-inline-size: 160px;
        box-shadow: 0 4px 16px rgb(0 0 0 / 25%);
      }
      .clear {
        margin-top: 4px;
      }
    `,
  ];

  @internal() private _menuFor: ClipRecord | null = null;
  @internal() private _confirming = false;
  @query('[popover]') private _menu!: HTMLElement;
  #opener: HTMLElement | null = null;

  protected override render() {
    const { text } = this.language;
    const { clips, rollouts } = this.state;
    return html`<section class="stack" aria-labelledby="clips-title">
      <h2 id="clips-title">${text.clips}</h2>
      ${
        clips.length === 0
          ? html`<p class="quiet">${text.noClips}</p>`
          : html`<ul>
              ${repeat(
                clips,
                (clip) => clip.id,
                (clip) => this._item(clip),
              )}
            </ul>`
      }
      ${this.controller.services.clips.persistent ? nothing : html`<p class="quiet">${text.notKept}</p>`}
      ${clips.length > 0 && rollouts.length === 0 ? this._clear() : nothing}
      <div popover="auto" @toggle=${this._toggled} @keydown=${this._menuKey}>
        <sp-menu label=${text.clipMenu(this._menuFor ? this._label(this._menuFor) : '')}>
          ${this._actions(this._menuFor).map(
            ([value, label]) =>
              html`<sp-menu-item value=${value} @click=${() => this._act(value)}>${label}</sp-menu-item>`,
          )}
        </sp-menu>
      </div>
    </section>`;
  }

  private _item(clip: ClipRecord) {
    const { text, number } = this.language;
    const { rollouts } = this.state;
    const rollout = rollouts.find(({ clipId }) => clipId === clip.id);
    const running = rollout !== undefined && clip.state === 'running';
    const label = this._label(clip);
    const facts = running
      ? text.clipStates.running
      : clip.state === 'interrupted'
        ? text.interruptedFacts(number(clip.framesMade), number(clip.frameCount))
        : text.clipFacts(number(clip.seconds, 1), text.profiles[clip.profile], number(clip.seed));
    return html`<li
      class=${this.state.openClipId === clip.id ? 'open' : ''}
      data-clip=${clip.id}
      @contextmenu=${(event: MouseEvent) => {
        if (running) return;
        event.preventDefault();
        this._openMenu(clip, event.currentTarget as HTMLElement, event.clientX, event.clientY);
      }}
    >
      <button
        class="clip"
        ?disabled=${rollouts.length > 0}
        aria-current=${this.state.openClipId === clip.id ? 'true' : 'false'}
        @click=${() => this.controller.show(clip)}
      >
        <longtake-clip-poster
          .clips=${this.controller.services.clips}
          .clipId=${clip.id}
          .ready=${clip.framesMade > 0 || (running && rollout.framesMade > 0)}
        ></longtake-clip-poster>
        <span class="tight" style="min-width:0">
          <span class="name ellipsis">${label}</span>
          <span class="quiet"
            >${facts}${isInserted(this.state, clip) ? html` · ${text.insertedMark}` : nothing}</span
          >
        </span>
      </button>
      ${
        running
          ? nothing
          : html`<sp-action-button
              quiet
              size="s"
              label=${text.clipMenu(label)}
              aria-haspopup="menu"
              @click=${(event: MouseEvent) => {
                const button = event.currentTarget as HTMLElement;
                const box = button.getBoundingClientRect();
                this._openMenu(clip, button, box.right, box.bottom);
              }}
            >
              <sp-icon-more slot="icon"></sp-icon-more>
            </sp-action-button>`
      }
    </li>`;
  }

  private _clear() {
    const { text } = this.language;
    if (!this._confirming) {
      return html`<sp-action-button
        class="clear"
        id="clear-data"
        quiet
        @click=${() => (this._confirming = true)}
      >
        <sp-icon-delete slot="icon"></sp-icon-delete>${text.clearData}
      </sp-action-button>`;
    }
    return html`<div class="card stack" role="group" aria-label=${text.clearData}>
      <p>${text.clearConfirm}</p>
      <div class="row">
        <sp-button variant="secondary" treatment="outline" @click=${() => (this._confirming = false)}
          >${text.keep}</sp-button
        >
        <sp-button
          variant="negative"
          id="clear-confirm"
          @click=${() => {
            this._confirming = false;
            void this.controller.clearData();
          }}
          >${text.discard}</sp-button
        >
      </div>
    </div>`;
  }

  private _label(clip: ClipRecord): string {
    const { text } = this.language;
    if (clip.prefix.kind === 'none') return text.startEmpty;
    return clip.prefix.flattened ? text.fromPage : clip.prefix.label;
  }

  private _actions(clip: ClipRecord | null): [string, string][] {
    if (!clip) return [];
    const { text } = this.language;
    const page = this.controller.host.capabilities.placement === 'page';
    return clip.state === 'finished'
      ? [
          ['open', text.openClip],
          ...(this.state.abilities?.h264 === false
            ? []
            : [['insert', page ? text.insertPage : text.insert] as [string, string]]),
          ['retry', text.retry],
          ['discard', isInserted(this.state, clip) ? text.discardInserted : text.discard],
        ]
      : [
          ['open', text.openClip],
          ['resume', text.resume],
          ['restart', text.restart],
          ['discard', text.discard],
        ];
  }

  private async _openMenu(clip: ClipRecord, opener: HTMLElement, x: number, y: number) {
    this._menuFor = clip;
    this.#opener = opener;
    await this.updateComplete;
    this._menu.showPopover();
    const box = this._menu.getBoundingClientRect();
    this._menu.style.left = `${Math.max(4, Math.min(x, innerWidth - box.width - 4))}px`;
    this._menu.style.top = `${Math.max(4, Math.min(y, innerHeight - box.height - 4))}px`;
    // The menu knows its items only after they are laid out; before that it takes no focus.
    const menu = this._menu.querySelector<HTMLElement & { updateComplete: Promise<unknown> }>('sp-menu');
    await menu?.updateComplete;
    await new Promise(requestAnimationFrame);
    menu?.focus();
  }

  private _toggled(event: ToggleEvent) {
    if (event.newState === 'closed') this.#opener?.focus();
  }

  /** Spectrum's menu keeps Escape for itself. */
  private _menuKey(event: KeyboardEvent) {
    if (event.key === 'Escape' || event.key === 'Tab') this._menu.hidePopover();
  }

  private _act(value: string) {
    const clip = this._menuFor;
    this._menu.hidePopover();
    if (!clip) return;
    const { controller } = this;
    if (value === 'open') void controller.show(clip);
    else if (value === 'insert') void controller.insert(clip);
    else if (value === 'retry') void controller.retry(clip);
    else if (value === 'resume') void controller.resume(clip);
    else if (value === 'restart') void controller.restart(clip);
    else if (value === 'discard') void controller.discard(clip);
  }
}
