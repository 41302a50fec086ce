import { css } from 'lit';
import { focusRing } from './colours.css.ts';

export const timelineStyles = [
  focusRing,
  css`
    :host {
      display: grid;
      grid-template-rows: auto 1fr;
      min-block-size: 0;
      min-inline-size: 0;
      background: var(--surface);
      border-block-start: 1px solid var(--line);
    }
    .tools {
      display: flex;
      align-items: center;
      gap: 2px;
      padding: 4px 12px;
      min-inline-size: 0;
      border-block-end: 1px solid var(--line);
    }
    .tools .space {
      flex: 1;
    }
    .tools .gap {
      inline-size: 1px;
      block-size: 20px;
      margin-inline: 8px;
      background: var(--line);
    }
    .tools input {
      inline-size: 120px;
      accent-color: var(--accent);
    }
    @media (max-width: 560px) {
      .tools {
        padding-inline: 4px;
      }
      .tools .gap,
      .tools input {
        display: none;
      }
      /* The icon stays, and the name for those who hear it. */
      .words {
        position: absolute;
        inline-size: 1px;
        block-size: 1px;
        overflow: hidden;
        clip-path: inset(50%);
      }
    }
    .area {
      display: grid;
      grid-template-columns: 44px 1fr;
      min-block-size: 0;
    }
    .headers {
      padding-block-start: 26px;
      border-inline-end: 1px solid var(--line);
      display: flex;
      flex-direction: column;
    }
    .headers span {
      block-size: 84px;
      margin-block-end: 4px;
      display: grid;
      place-items: center;
      font-size: 12px;
      font-weight: 600;
      color: var(--quiet);
      background: var(--lane);
    }
    .scroller {
      overflow-x: auto;
      scrollbar-width: thin;
      scrollbar-color: var(--line) transparent;
      overflow-y: hidden;
      min-inline-size: 0;
      position: relative;
    }
    .content {
      position: relative;
      block-size: 100%;
      min-block-size: 130px;
    }
    timeline-ruler {
      position: sticky;
      inset-inline-start: 0;
    }
    .lane {
      position: relative;
      block-size: 84px;
      margin-block-end: 4px;
      background: var(--lane);
      touch-action: none;
    }
    .playhead {
      position: absolute;
      inset-block: 0;
      inline-size: 15px;
      margin-inline-start: -7px;
      z-index: 3;
      /* Presses go through to the ruler and to the clips below. */
      pointer-events: none;
    }
    .playhead::before {
      content: '';
      position: absolute;
      inset: 8px 2px auto;
      block-size: 12px;
      background: var(--playhead);
      clip-path: polygon(0 0, 100% 0, 100% 55%, 50% 100%, 0 55%);
    }
    .playhead::after {
      content: '';
      position: absolute;
      inset-block: 10px 0;
      inset-inline-start: 7px;
      inline-size: 1px;
      background: var(--playhead);
    }
    .playhead:focus-visible {
      outline: none;
    }
    .playhead:focus-visible::before {
      box-shadow: 0 0 0 2px var(--focus);
      background: var(--focus);
      inset-block-start: 4px;
      block-size: 16px;
    }
    .empty {
      position: absolute;
      inset-block: 4px;
      border-radius: 5px;
    }
    .empty:hover {
      background: color-mix(in srgb, var(--made-edge) 14%, transparent);
    }
    .empty:focus-visible {
      outline: 2px solid var(--focus);
      outline-offset: -2px;
    }
    /* What the panel is about to fill. */
    .empty.chosen {
      border: 2px dashed var(--made-edge);
      box-sizing: border-box;
    }
    .note {
      position: absolute;
      inset-block-start: 44px;
      margin-inline: 10px;
      padding: 2px 8px;
      border-radius: 4px;
      background: rgb(0 0 0 / 85%);
      color: #fff;
      font-size: 12px;
      font-variant-numeric: tabular-nums;
      white-space: nowrap;
      pointer-events: none;
      z-index: 4;
    }
    .note.before {
      translate: calc(-100% - 20px) 0;
    }
    .stretch {
      position: absolute;
      inset-block: 4px;
      box-sizing: border-box;
      display: grid;
      place-items: center;
      overflow: hidden;
      border: 2px dashed var(--made-edge);
      border-radius: 5px;
      background: color-mix(in srgb, var(--made-edge) 22%, transparent);
      color: var(--text);
      font-size: 13px;
      font-weight: 700;
      white-space: nowrap;
      pointer-events: none;
      z-index: 2;
    }
    .guide {
      position: absolute;
      inset-block: 26px 0;
      inline-size: 1px;
      background: var(--accent);
      z-index: 2;
      pointer-events: none;
    }
  `,
];
