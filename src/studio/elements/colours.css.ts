import { css } from 'lit';

/** Studio's own surfaces, on top of Spectrum's tokens; both themes. Set on the root, inherited everywhere. */
export const colours = css`
  .studio[data-theme='dark'] {
    --bar: #1b1b1d;
    --stage: #0f0f11;
    --surface: #19191b;
    --lane: #222225;
    --line: #34343a;
    --text: #ececef;
    --quiet: #a9a9b3;
    --accent: #8f8bff;
    --focus: #b4b1ff;
    --playhead: #ff6b57;
    --clip: #2c4a5e;
    --clip-edge: #5d93b5;
    --made: #46407f;
    --made-edge: #8f8bff;
    --handle: #ffffff;
    color-scheme: dark;
  }
  .studio[data-theme='light'] {
    --bar: #ffffff;
    --stage: #e9e9ee;
    --surface: #f6f6f8;
    --lane: #ebebf0;
    --line: #d2d2da;
    --text: #1c1c21;
    --quiet: #5a5a66;
    --accent: #4a45d1;
    --focus: #4a45d1;
    --playhead: #d4351f;
    --clip: #cfe3f0;
    --clip-edge: #3c7ba3;
    --made: #dddbff;
    --made-edge: #5852e0;
    --handle: #1c1c21;
    color-scheme: light;
  }
`;

/** The focus ring of Studio's own controls. */
export const focusRing = css`
  :focus-visible {
    outline: 2px solid var(--focus);
    outline-offset: 2px;
  }
`;
