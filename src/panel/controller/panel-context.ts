import type { FrameReel } from '../clips/frame-reel.ts';
import type { HostAdapter } from '../hosts/host-adapter.ts';
import type { PanelServices } from '../services.ts';
import type { PanelStore } from '../state/store.ts';
import { errorNotice } from './error-notice.ts';
import type { VariationReels } from './variations.ts';

/** What the parts of the controller share. */
export interface PanelContext {
  host: HostAdapter;
  services: PanelServices;
  store: PanelStore;
  /** The pictures of the clip on show. */
  reel: FrameReel;
  variations: VariationReels;
}

/** Tells the editor of an error. */
export function tellError({ store }: Pick<PanelContext, 'store'>, error: unknown): void {
  store.dispatch({ type: 'notice', notice: errorNotice(error) });
}
