import { css } from 'lit';

/** What every section of the panel shares. Colours and type come from Spectrum's tokens, so both themes fit. */
export const sectionStyles = css`
  :host {
    display: block;
    box-sizing: border-box;
    color: var(--spectrum-neutral-content-color-default);
    font-family: var(--spectrum-sans-font-family-stack, sans-serif);
    font-size: var(--spectrum-font-size-75);
    line-height: 1.4;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
  h2 {
    margin: 0;
    font-size: var(--spectrum-font-size-100);
    font-weight: 700;
    line-height: 1.3;
  }
  p {
    margin: 0;
  }
  .quiet {
    color: var(--spectrum-neutral-subdued-content-color-default);
  }
  .stack {
    display: flex;
    flex-direction: column;
    gap: 16px;
  }
  .tight {
    display: flex;
    flex-direction: column;
    gap: 4px;
  }
  .row {
    display: flex;
    align-items: center;
    gap: 8px;
  }
  .row > .grow {
    flex: 1;
    min-width: 0;
  }
  .ellipsis {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .card {
    padding: 12px;
    border-radius: 10px;
    background: var(--spectrum-background-layer-1-color);
    border: 1px solid var(--spectrum-gray-300);
  }
  sp-button,
  sp-picker,
  sp-number-field {
    inline-size: 100%;
  }
  sp-field-label {
    padding-top: 0;
  }
`;

/** A row of buttons of which one is chosen. */
export const choiceStyles = css`
  sp-action-group {
    inline-size: 100%;
  }
  /* Room by need, not in equal parts: a long word in one language is not cut off beside short ones. */
  sp-action-group sp-action-button {
    flex: 1 1 auto;
    --mod-actionbutton-edge-to-text: 6px;
  }
`;

/**
 * Keeps what a section comes down to at the lower edge of what is scrolled, over the rest, until its own place comes into
 * sight. Put it where the panel is high enough to leave room for the rest: `@container (min-height: 300px)`.
 */
export const stuck = css`
  position: sticky;
  inset-block-end: 0;
  z-index: 2;
  /* Across the panel's whole width, whose inner margin it keeps. */
  margin-inline: -24px;
  padding: 12px 24px;
  background: var(--longtake-panel-background, var(--spectrum-background-layer-2-color));
  border-block-start: 1px solid var(--spectrum-gray-300);
`;
