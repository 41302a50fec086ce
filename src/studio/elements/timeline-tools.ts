import { html } from 'lit';
import { commands } from '../commands/commands.ts';
import { ZOOM } from '../store/state.ts';
import type { Studio } from '../studio.ts';
import { commandButton } from './command-button.ts';
import { magnet } from './magnet.ts';

/** The tools above the timeline. @param view how the timeline is zoomed; `fit` shows all of it */
export function timelineTools(
  studio: Studio,
  view: { zoom: (pixelsPerFrame: number) => void; fit: () => void },
) {
  const { pixelsPerFrame, snapping } = studio.store.state;
  return html`<div class="tools" role="toolbar" aria-label="Timeline tools">
    ${commandButton(studio, commands.extend, html`<sp-icon-magic-wand slot="icon"></sp-icon-magic-wand>`, {
      text: true,
    })}
    <span class="gap"></span>
    ${commandButton(studio, commands.split, html`<sp-icon-cut slot="icon"></sp-icon-cut>`)}
    ${commandButton(studio, commands.rippleDelete, html`<sp-icon-delete slot="icon"></sp-icon-delete>`)}
    <span class="gap"></span>
    ${commandButton(studio, commands.snapping, magnet, {
      label: 'Snapping',
      on: snapping,
    })}
    <span class="space"></span>
    ${commandButton(studio, commands.zoomOut, html`<sp-icon-zoom-out slot="icon"></sp-icon-zoom-out>`)}
    <input
      type="range"
      aria-label="Zoom"
      min=${Math.log2(ZOOM.min)}
      max=${Math.log2(ZOOM.max)}
      step="0.01"
      .value=${String(Math.log2(pixelsPerFrame))}
      aria-valuetext="${Number(pixelsPerFrame.toFixed(2))} pixels a frame"
      @input=${(event: InputEvent) => view.zoom(2 ** Number((event.target as HTMLInputElement).value))}
    />
    ${commandButton(studio, commands.zoomIn, html`<sp-icon-zoom-in slot="icon"></sp-icon-zoom-in>`)}
    <sp-action-button quiet label="Show the whole timeline" @click=${view.fit}>
      <sp-icon-full-screen slot="icon"></sp-icon-full-screen>
      <sp-tooltip self-managed placement="top">Show the whole timeline (\\)</sp-tooltip>
    </sp-action-button>
  </div>`;
}
