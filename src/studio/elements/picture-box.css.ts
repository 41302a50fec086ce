import { css } from 'lit';

/**
 * Width of the project's picture in the stage: all of it in sight, with a margin. Inside an element with
 * `container-type: size`; `--aspect` is width over height.
 */
export const pictureWidth = css`min(100cqi - 48px, (100cqb - 40px) * var(--aspect, 1.7778))`;
