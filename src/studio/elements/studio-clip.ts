import { css, html, LitElement, nothing } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import type { Rational } from '../../engine/types.ts';
import type { Thumbnails, ThumbnailWish } from '../media/thumbnails.ts';
import { sourceFrame } from '../timeline/conform.ts';
import type { Clip, MediaItem } from '../timeline/project.ts';
import { clipLength } from '../timeline/project.ts';
import { tilesInSight } from './geometry.ts';
import { provenanceBadge, provenanceLine } from './provenance.ts';

/** Height of the thumbnails on screen, px. */
const TILE_HEIGHT = 52;
/** Narrowest clip that still has room for words, px. */
const ROOM_FOR_WORDS = 34;

/** One clip on a track: name, badge, thumbnails, trim handles. It draws; the timeline handles what happens to it. */
@customElement('studio-clip')
export class StudioClip extends LitElement {
  static override styles = css`
    :host {
      position: absolute;
      inset-block: 4px;
      box-sizing: border-box;
      border-radius: 5px;
      overflow: hidden;
      background: var(--clip);
      border: 1px solid var(--clip-edge);
      cursor: grab;
      touch-action: none;
      user-select: none;
      -webkit-user-select: none;
      container-type: inline-size;
    }
    :host([made]) {
      background: var(--made);
      border-color: var(--made-edge);
    }
    :host([selected]) {
      box-shadow: 0 0 0 2px var(--handle);
      z-index: 1;
    }
    :host(:focus-visible) {
      outline: 3px solid var(--focus);
      outline-offset: 1px;
      z-index: 2;
    }
    .title {
      position: absolute;
      inset: 0 0 auto;
      block-size: 22px;
      padding-inline: 8px 4px;
      display: flex;
      align-items: center;
      gap: 6px;
      font-size: 12px;
      line-height: 22px;
      color: var(--text);
      white-space: nowrap;
    }
    .name {
      overflow: hidden;
      text-overflow: ellipsis;
      min-inline-size: 0;
    }
    .badge {
      flex: none;
      max-inline-size: 62%;
      overflow: hidden;
      text-overflow: ellipsis;
      padding-inline: 6px;
      border-radius: 8px;
      font-size: 11px;
      line-height: 16px;
      font-weight: 600;
      background: var(--made-edge);
      color: var(--stage);
      margin-inline-start: auto;
    }
    /* A short generated clip has room for one of the two: where it comes from says more. */
    @container (max-width: 190px) {
      .badge {
        max-inline-size: 100%;
        margin-inline-start: -4px;
      }
      .name:has(+ .badge) {
        display: none;
      }
    }
    canvas {
      position: absolute;
      inset-block-start: 22px;
      block-size: ${TILE_HEIGHT}px;
    }
    .handle {
      position: absolute;
      inset-block: 0;
      inline-size: 8px;
      cursor: ew-resize;
      z-index: 2;
    }
    .handle::after {
      content: '';
      position: absolute;
      inset-block: 30%;
      inset-inline: 3px;
      border-radius: 1px;
      background: var(--handle);
      opacity: 0;
    }
    :host(:hover) .handle::after,
    :host([selected]) .handle::after {
      opacity: 0.9;
    }
    .in {
      inset-inline-start: 0;
    }
    .out {
      inset-inline-end: 0;
    }
  `;

  @property({ attribute: false }) clip!: Clip;
  @property({ attribute: false }) media!: MediaItem;
  @property({ attribute: false }) projectRate!: Rational;
  @property({ attribute: false }) thumbnails!: Thumbnails;
  @property({ type: Number }) pixelsPerFrame = 1;
  /** Pixels in sight, from the clip's left edge. */
  @property({ type: Number }) from = 0;
  @property({ type: Number }) to = 0;
  /** Counts arrivals of this clip's thumbnails. */
  @property({ type: Number }) pictures = 0;
  @property({ type: Boolean, reflect: true }) selected = false;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;

  /** The thumbnails that this clip would draw now. */
  get wishes(): ThumbnailWish[] {
    return this.tiles().map(({ wish }) => wish);
  }

  protected override render() {
    const { provenance } = this.media;
    this.toggleAttribute('made', provenance !== undefined);
    const wide = clipLength(this.clip) * this.pixelsPerFrame > ROOM_FOR_WORDS;
    return html`
      ${
        wide
          ? html`<div class="title" title=${provenance ? provenanceLine(provenance) : this.clip.label}>
              <span class="name">${this.clip.label}</span>
              ${provenance ? html`<span class="badge">${provenanceBadge(provenance)}</span>` : nothing}
            </div>`
          : nothing
      }
      <canvas aria-hidden="true"></canvas>
      <span class="handle in" data-edge="in"></span>
      <span class="handle out" data-edge="out"></span>
    `;
  }

  protected override updated(): void {
    this.draw();
  }

  private tiles(): { x: number; wish: ThumbnailWish }[] {
    const { clip, media, pixelsPerFrame } = this;
    const tileWidth = this.tileWidth();
    return tilesInSight(clip, pixelsPerFrame, tileWidth, this.from, this.to).map(({ x, index, span }) => {
      const frame = Math.min(media.frameCount - 1, sourceFrame(index, media.rate, this.projectRate));
      const last = Math.min(
        media.frameCount - 1,
        sourceFrame(index + span - 1, media.rate, this.projectRate),
      );
      return { x, wish: { mediaId: media.id, rate: media.rate, frame, span: last - frame + 1 } };
    });
  }

  private tileWidth(): number {
    return Math.min(160, Math.max(24, Math.round((TILE_HEIGHT * this.media.width) / this.media.height)));
  }

  private draw(): void {
    const { canvas } = this;
    const tiles = this.tiles();
    const tileWidth = this.tileWidth();
    const left = tiles[0]?.x ?? 0;
    const density = Math.min(2, window.devicePixelRatio || 1);
    canvas.style.insetInlineStart = `${left}px`;
    canvas.style.inlineSize = `${tiles.length * tileWidth}px`;
    canvas.width = Math.max(1, Math.round(tiles.length * tileWidth * density));
    canvas.height = TILE_HEIGHT * density;
    const context = canvas.getContext('2d')!;
    context.scale(density, density);
    context.imageSmoothingQuality = 'high';
    let drawn = 0;
    for (const { x, wish } of tiles) {
      const bitmap = this.thumbnails.ready(wish) ?? this.thumbnails.nearest(wish)?.bitmap;
      if (!bitmap) continue;
      if (this.thumbnails.ready(wish)) drawn += 1;
      // Filled like `object-fit: cover`: the middle of the picture at the tile's shape.
      const scale = Math.max(tileWidth / bitmap.width, TILE_HEIGHT / bitmap.height);
      const width = tileWidth / scale;
      const height = TILE_HEIGHT / scale;
      const from = { x: (bitmap.width - width) / 2, y: (bitmap.height - height) / 2 };
      context.drawImage(bitmap, from.x, from.y, width, height, x - left, 0, tileWidth, TILE_HEIGHT);
    }
    canvas.dataset['thumbnails'] = `${drawn}/${tiles.length}`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'studio-clip': StudioClip;
  }
}
