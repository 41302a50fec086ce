import { html } from 'lit';

/** Spectrum has no magnet, which is what every editor draws for snapping. */
export const magnet = html`<svg slot="icon" width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
  <path
    d="M3 2.5h3.6v6.2a2.4 2.4 0 0 0 4.8 0V2.5H15v6.2a6 6 0 0 1-12 0zM3 5.6h3.6M11.4 5.6H15"
    fill="none"
    stroke="currentColor"
    stroke-width="1.5"
  ></path>
</svg>`;
