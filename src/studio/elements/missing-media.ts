import { css, html, nothing } from 'lit';
import { customElement, query } from 'lit/decorators.js';
import { openModal } from './modal.ts';
import { StudioPart } from './studio-part.ts';

/** Asks for the media of a timeline that were not chosen with it. */
@customElement('missing-media')
export class MissingMedia extends StudioPart {
  static override styles = css`
    dialog {
      box-sizing: border-box;
      inline-size: min(480px, 100vw - 32px);
      max-block-size: calc(100vh - 32px);
      padding: 24px;
      border: 1px solid var(--line);
      border-radius: 12px;
      background: var(--bar);
      color: var(--text);
    }
    dialog::backdrop {
      background: rgb(0 0 0 / 55%);
    }
    h2 {
      margin: 0 0 8px;
      font-size: 18px;
    }
    p {
      margin: 0 0 20px;
      line-height: 1.5;
      overflow-wrap: anywhere;
    }
    div {
      display: flex;
      flex-wrap: wrap;
      justify-content: flex-end;
      gap: 8px;
    }
  `;

  @query('dialog') private readonly dialog!: HTMLDialogElement;
  @query('input') private readonly picker!: HTMLInputElement;

  protected override render() {
    const { missing } = this.state;
    const { opener } = this.studio;
    return html`<dialog aria-labelledby="title" @cancel=${this.cancel}>
      ${
        missing
          ? html`<h2 id="title">Media of “${missing.name}” are missing</h2>
              <p>Not among the files you chose: ${missing.files.join(', ')}.</p>
              <div>
                <sp-button variant="secondary" treatment="outline" @click=${this.cancel}>Cancel</sp-button>
                <sp-button variant="secondary" @click=${() => opener.finish()}>Open without them</sp-button>
                <sp-button variant="accent" @click=${() => this.picker.click()}>Choose the files…</sp-button>
              </div>
              <input
                type="file"
                hidden
                multiple
                accept="video/*,.mp4,.m4v,.mov,.webm,.mkv,.ts"
                aria-label="Missing media"
                @change=${() => {
                  const files = [...(this.picker.files ?? [])];
                  this.picker.value = '';
                  void opener.relink(files);
                }}
              />`
          : nothing
      }
    </dialog>`;
  }

  protected override updated(): void {
    const open = this.state.missing !== null;
    if (open && !this.dialog.open) {
      openModal(this.dialog, this.cancel);
      this.shadowRoot!.querySelector<HTMLElement>('sp-button[variant="accent"]')?.focus();
    }
    if (!open && this.dialog.open) this.dialog.close();
  }

  private readonly cancel = (): void => this.studio.opener.cancel();
}

declare global {
  interface HTMLElementTagNameMap {
    'missing-media': MissingMedia;
  }
}
