import { css } from 'lit';

export const batchDialogStyles = css`
  dialog {
    inline-size: min(560px, calc(100vw - 16px));
    max-block-size: calc(100dvh - 16px);
    box-sizing: border-box;
    padding: 0;
    border: 1px solid var(--line);
    border-radius: 12px;
    background: var(--bar);
    color: var(--text);
    overflow: hidden;
  }
  dialog::backdrop {
    background: rgb(0 0 0 / 50%);
  }
  sp-dialog {
    inline-size: 100%;
    min-inline-size: 0;
    max-inline-size: none;
    max-block-size: calc(100dvh - 18px);
  }
  h2 {
    margin: 0;
    font-size: 18px;
  }
  /* It takes the focus when the dialog opens, but there is nothing to do on it. */
  h2:focus-visible {
    outline: none;
  }
  .stack {
    display: grid;
    gap: 16px;
    font-size: 14px;
  }
  p {
    margin: 0;
  }
  .quiet {
    color: var(--quiet);
  }
  .fault {
    border-inline-start: 4px solid #d1372b;
    padding-inline-start: 12px;
  }
  .pair {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(180px, 100%), 1fr));
    gap: 16px;
  }
  sp-number-field {
    inline-size: 100%;
  }
  sp-progress-bar {
    inline-size: 100%;
  }
  ol {
    margin: 0;
    padding: 0;
    list-style: none;
    display: grid;
    gap: 8px;
  }
  li {
    display: grid;
    gap: 2px;
    padding-inline-start: 12px;
    border-inline-start: 4px solid var(--line);
    overflow-wrap: anywhere;
  }
  li[data-status='making'] {
    border-color: var(--accent);
  }
  li[data-status='done'] {
    border-color: #2d9d78;
  }
  li[data-status='failed'] {
    border-color: #d1372b;
  }
  /* Where heading and buttons would leave nothing between them, all of it is scrolled. */
  @media (max-height: 360px) {
    dialog {
      overflow-y: auto;
    }
    sp-dialog {
      max-block-size: none;
    }
  }
`;
