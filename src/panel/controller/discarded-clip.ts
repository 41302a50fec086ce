import { map, type Subscription } from 'rxjs';
import type { ClipRecord } from '../clips/clip-record.ts';
import type { ClipStore } from '../clips/clip-store.ts';
import type { PanelStore } from '../state/store.ts';

/**
 * The clip that was thrown away last: its files stay as long as the notice that offers it back, since its frames took long
 * to make. A page that goes away in the meantime leaves it marked, and the next one removes it.
 */
export class DiscardedClip {
  readonly #store: PanelStore;
  readonly #clips: ClipStore;
  readonly #subscription: Subscription;
  #last: { record: ClipRecord; wasOpen: boolean } | null = null;

  constructor(store: PanelStore, clips: ClipStore, fail: (error: unknown) => void) {
    this.#store = store;
    this.#clips = clips;
    this.#subscription = store.state$
      .pipe(map(({ notice }) => notice?.undo === true))
      .subscribe((offered) => {
        if (!offered) this.#remove().catch(fail);
      });
  }

  /** Takes a clip out of the list and offers it back. */
  async hide(record: ClipRecord): Promise<void> {
    await this.#remove();
    const wasOpen = this.#store.state.openClipId === record.id;
    try {
      await this.#clips.saveRecord({ ...record, discarded: true });
    } catch {
      // No room even for the mark: then room is what it is thrown away for.
      await this.#clips.remove(record.id);
      this.#store.dispatch({ type: 'clipGone', id: record.id });
      return;
    }
    this.#store.dispatch({ type: 'clipGone', id: record.id });
    this.#store.dispatch({
      type: 'notice',
      notice: { kind: 'info', text: { key: 'discarded' }, undo: true },
    });
    this.#last = { record, wasOpen };
  }

  /**
   * Puts the clip back into the list.
   * @returns the clip where it was the one on show
   */
  async bringBack(): Promise<ClipRecord | null> {
    const last = this.#last;
    if (!last) return null;
    this.#last = null;
    await this.#clips.saveRecord(last.record);
    this.#store.dispatch({ type: 'notice', notice: null });
    this.#store.dispatch({ type: 'clip', record: last.record });
    return last.wasOpen ? last.record : null;
  }

  dispose(): void {
    this.#subscription.unsubscribe();
  }

  async #remove(): Promise<void> {
    const last = this.#last;
    this.#last = null;
    if (last) await this.#clips.remove(last.record.id);
  }
}
