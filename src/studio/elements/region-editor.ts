import { css, html, nothing } from 'lit';
import { customElement, state as internal } from 'lit/decorators.js';
import { framesIn } from '../../media/rational.ts';
import { SECONDS_RANGE } from '../../panel/state/panel-state.ts';
import { projectOf } from '../store/state.ts';
import { findClip } from '../timeline/project.ts';
import { moveRegionEdge, regionWithin } from '../timeline/region.ts';
import { focusRing } from './colours.css.ts';
import './mask-brush.ts';
import { StudioPart } from './studio-part.ts';

/** The mask over the viewer and, under it, the tools: brush, size, and which frames. It lies in the stage's grid. */
@customElement('region-editor')
export class RegionEditor extends StudioPart {
  static override styles = [
    focusRing,
    css`
      :host {
        display: contents;
      }
      mask-brush {
        grid-area: 1 / 1;
        z-index: 1;
      }
      .tools {
        grid-area: 3 / 1;
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px 16px;
        padding: 6px 16px;
        background: var(--bar);
        color: var(--text);
        border-block-start: 1px solid var(--line);
        font-size: 13px;
      }
      .group {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px;
      }
      label {
        white-space: nowrap;
        display: flex;
        align-items: center;
        gap: 6px;
      }
      input[type='range'] {
        inline-size: 96px;
        accent-color: var(--accent);
      }
      input[type='number'] {
        inline-size: 64px;
        box-sizing: border-box;
        padding: 4px 6px;
        border: 1px solid var(--quiet);
        border-radius: 6px;
        background: var(--surface);
        color: var(--text);
        font: inherit;
      }
      .quiet {
        color: var(--quiet);
      }
    `,
  ];

  @internal() private erasing = false;
  @internal() private size = 20;
  @internal() private revision = 0;

  protected override render() {
    const { panel, playhead } = this.state;
    const project = projectOf(this.state);
    const { mask } = this.studio;
    const clip = panel && findClip(project, panel.clipId)?.clip;
    const region = clip && panel.region && regionWithin(clip, panel.region);
    const { format } = project;
    if (!clip || !region || !mask || !format) return nothing;
    const first = clip.start + region.from - clip.in;
    const last = first + region.length - 1;
    const inside = playhead >= first && playhead <= last;
    const move = (edge: 'first' | 'last', frame: number): void => {
      const limit = framesIn(SECONDS_RANGE.max, format.rate);
      if (!Number.isFinite(frame)) return this.requestUpdate();
      this.studio.store.dispatch({
        type: 'region',
        region: moveRegionEdge(clip, region, edge, frame, limit),
      });
    };
    const field = (edge: 'first' | 'last', label: string, value: number) =>
      html`<label>
        ${label}
        <input
          type="number"
          min=${clip.start}
          .value=${String(value)}
          @change=${(event: Event) => move(edge, (event.target as HTMLInputElement).valueAsNumber)}
        />
      </label>`;
    return html`${
        inside
          ? html`<mask-brush
              .mask=${mask}
              .revision=${this.revision}
              .aspect=${format.width / format.height}
              .erasing=${this.erasing}
              .size=${this.size / 100}
              @mask-change=${() => this.studio.store.dispatch({ type: 'region', region: { ...region } })}
            ></mask-brush>`
          : nothing
      }
      <div class="tools" role="toolbar" aria-label="Region to repaint">
        <sp-action-group
          compact
          selects="single"
          label="Brush"
          .selected=${[this.erasing ? 'erase' : 'paint']}
          @change=${this.choose}
        >
          <sp-action-button value="paint">Paint</sp-action-button>
          <sp-action-button value="erase">Erase</sp-action-button>
        </sp-action-group>
        <label>
          Brush size
          <input
            type="range"
            min="2"
            max="100"
            .value=${String(this.size)}
            @input=${(event: Event) => (this.size = (event.target as HTMLInputElement).valueAsNumber)}
          />
        </label>
        <sp-action-button ?disabled=${mask.share === 0} @click=${() => this.clear(region)}
          >Clear</sp-action-button
        >
        <div class="group" role="group" aria-label="Frames to repaint">
          ${field('first', 'From frame', first)} ${field('last', 'to frame', last)}
          <sp-action-button quiet @click=${() => move('first', playhead)}>From here</sp-action-button>
          <sp-action-button quiet @click=${() => move('last', playhead)}>To here</sp-action-button>
        </div>
        ${inside ? nothing : html`<span class="quiet">The playhead stands outside these frames.</span>`}
      </div>`;
  }

  private readonly choose = (event: Event): void => {
    const [tool] = (event.currentTarget as HTMLElement & { selected: string[] }).selected;
    if (tool) this.erasing = tool === 'erase';
    else this.requestUpdate();
  };

  private clear(region: { from: number; length: number }): void {
    this.studio.mask?.clear();
    this.revision += 1;
    this.studio.store.dispatch({ type: 'region', region: { ...region } });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'region-editor': RegionEditor;
  }
}
