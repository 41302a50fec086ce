import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state as internal } from 'lit/decorators.js';
import { posterFile, type ClipStore } from '../clips/clip-store.ts';

/** The small picture of a kept clip. */
@customElement('longtake-clip-poster')
export class ClipPoster extends LitElement {
  static override styles = css`
    :host {
      display: block;
      border-radius: 6px;
      overflow: hidden;
      background: var(--spectrum-gray-300);
    }
    img {
      display: block;
      inline-size: 100%;
      block-size: 100%;
      object-fit: cover;
    }
  `;

  @property({ attribute: false }) clips!: ClipStore;
  @property({ attribute: false }) clipId = '';
  /** Whether the clip has a first frame yet. */
  @property({ type: Boolean }) ready = false;
  @internal() private _url: string | null = null;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#revoke();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) void this.#load();
  }

  protected override render() {
    return this._url ? html`<img src=${this._url} alt="" />` : nothing;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('clipId') || changed.has('ready')) void this.#load();
  }

  async #load() {
    if (!this.ready) return;
    const id = this.clipId;
    // A picture that cannot be read is only missing: the clip itself says what is wrong when it is opened.
    const blob = await this.clips.read(id, posterFile).catch(() => undefined);
    if (!blob || id !== this.clipId || !this.isConnected) return;
    this.#revoke();
    this._url = URL.createObjectURL(blob);
  }

  #revoke() {
    if (this._url) URL.revokeObjectURL(this._url);
    this._url = null;
  }
}
