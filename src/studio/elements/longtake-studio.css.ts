import { css } from 'lit';
import { colours, focusRing } from './colours.css.ts';

export const studioStyles = [
  colours,
  focusRing,
  css`
    :host {
      display: block;
      block-size: 100dvh;
    }
    sp-theme {
      display: block;
      block-size: 100%;
    }
    .studio {
      block-size: 100%;
      display: grid;
      grid-template: auto minmax(0, 1fr) 216px / minmax(0, 1fr) auto;
      background: var(--surface);
      color: var(--text);
      font-family: var(--spectrum-sans-font-family-stack, system-ui, sans-serif);
      font-size: 14px;
    }
    studio-bar {
      grid-column: 1 / -1;
    }
    .stage {
      grid-area: 2 / 1;
      display: grid;
      grid-template: minmax(0, 1fr) auto auto auto / minmax(0, 1fr);
      min-block-size: 0;
      min-inline-size: 0;
      background: var(--stage);
    }
    studio-viewer {
      grid-area: 1 / 1;
    }
    studio-transport {
      grid-area: 4 / 1;
    }
    studio-timeline {
      grid-area: 3 / 1;
    }
    aside {
      grid-area: 2 / 2 / -1 / -1;
      inline-size: 344px;
      display: grid;
      grid-template-rows: auto minmax(0, 1fr);
      min-block-size: 0;
      background: var(--bar);
      --longtake-panel-background: var(--bar);
      border-inline-start: 1px solid var(--line);
    }
    /* Out of sight, but laid out: a rollout goes on drawing its frames. */
    aside[hidden] {
      display: grid;
      visibility: hidden;
      position: fixed;
      inset: 48px -400px 0 auto;
    }
    aside header {
      display: flex;
      align-items: center;
      justify-content: space-between;
      padding: 4px 8px 4px 24px;
      border-block-end: 1px solid var(--line);
    }
    aside h2 {
      font-size: 14px;
      font-weight: 600;
      margin: 0;
    }
    .panel {
      min-block-size: 0;
    }
    longtake-panel {
      block-size: 100%;
    }
    .empty {
      grid-area: 1 / 1;
      z-index: 1;
      margin: 24px;
      display: grid;
      place-content: safe center;
      justify-items: center;
      min-block-size: 0;
      overflow: auto;
      gap: 12px;
      border: 2px dashed var(--line);
      border-radius: 12px;
      text-align: center;
      padding: 16px;
    }
    .empty h2 {
      margin: 0;
      font-size: 20px;
      font-weight: 700;
    }
    .empty p {
      margin: 0;
      max-inline-size: 46ch;
      color: var(--quiet);
      line-height: 1.5;
    }
    .dropping {
      position: fixed;
      inset: 8px;
      border: 3px solid var(--accent);
      border-radius: 12px;
      background: color-mix(in srgb, var(--accent) 12%, transparent);
      display: grid;
      place-items: center;
      font-size: 20px;
      font-weight: 700;
      pointer-events: none;
      z-index: 20;
    }
    .notice {
      grid-area: 1 / 1;
      align-self: end;
      justify-self: center;
      margin: 0 8px 16px;
      /* On the box that is centred: a long sentence would make it wider than the toast. */
      max-inline-size: min(560px, calc(100% - 16px));
      pointer-events: none;
      z-index: 10;
    }
    .notice sp-toast {
      pointer-events: auto;
      min-inline-size: 0;
      max-inline-size: 100%;
    }
    /* Over the picture it covers no control; where there are some it has a row of its own. */
    .busy .notice {
      grid-area: 2 / 1;
      margin: 0 8px;
    }
    @media (max-height: 560px) {
      .empty {
        margin: 8px;
      }
      .studio {
        grid-template-rows: auto minmax(0, 1fr) 172px;
      }
      .notice {
        grid-area: 2 / 1;
        margin: 0 8px;
      }
    }
    /* A window of 1280 × 1024 at a zoom of 400 %: the parts keep their height and are scrolled to. */
    @media (max-height: 360px) {
      :host {
        overflow: hidden auto;
        position: relative;
      }
      .studio:not(.open),
      .studio.painting {
        block-size: auto;
        min-block-size: 100%;
        grid-template-rows: auto minmax(176px, auto) 184px;
      }
      .studio.painting {
        grid-template-rows: auto 208px 208px;
      }
    }
    @media (max-width: 800px) {
      .open aside {
        grid-area: 2 / 1 / -1 / -1;
        z-index: 4;
      }
      /* The picture has to be in sight while it is painted on. */
      .painting {
        grid-template-rows: auto minmax(0, 1fr) 132px;
      }
      .painting aside {
        grid-area: 3 / 1;
        border-block-start: 1px solid var(--line);
      }
      .painting studio-transport {
        display: none;
      }
      .painting studio-timeline {
        visibility: hidden;
        min-block-size: 0;
        overflow: hidden;
      }
      /* What the panel lies over must not be reached by Tab. */
      .open:not(.painting) .stage > *,
      .open:not(.painting) studio-timeline {
        visibility: hidden;
      }
      aside {
        inline-size: 100%;
        border-inline-start: none;
      }
      .wide {
        display: none;
      }
    }
  `,
];
