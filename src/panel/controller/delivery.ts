import type { ClipRecord } from '../clips/clip-record.ts';
import type { GeneratedClip } from '../hosts/host-adapter.ts';
import { isNewPartOnly, type Settings } from '../state/panel-state.ts';
import { encodeClip } from './encode-clip.ts';
import { isAbort } from './error-notice.ts';
import { tellError, type PanelContext } from './panel-context.ts';

/** Brings finished clips into the document. */
export class Delivery {
  #delivering: AbortController | null = null;

  constructor(private readonly context: PanelContext) {}

  /** The finished clip as a file. Also what a drag onto the document delivers. */
  async deliver(record: ClipRecord, content: Settings['content']): Promise<GeneratedClip> {
    const { services, store } = this.context;
    const abort = new AbortController();
    this.#delivering = abort;
    const task = (fraction: number) =>
      store.dispatch({ type: 'clipTask', task: { clipId: record.id, kind: 'encoding', fraction } });
    task(0);
    try {
      const usable = isNewPartOnly(record) ? 'continuation' : content;
      return await encodeClip(services, record, usable, abort.signal, task);
    } finally {
      if (this.#delivering === abort) this.#delivering = null;
      store.dispatch({ type: 'clipTask', task: null });
    }
  }

  /** Puts a finished clip into the document. */
  async insert(record: ClipRecord): Promise<void> {
    const { services, store, host } = this.context;
    if (store.state.clipTask) return;
    store.dispatch({ type: 'notice', notice: null });
    try {
      const clip = await this.deliver(record, store.state.settings.content);
      const abort = new AbortController();
      this.#delivering = abort;
      store.dispatch({ type: 'clipTask', task: { clipId: record.id, kind: 'inserting', fraction: 1 } });
      await host.insert(clip, record.prefix.anchor ?? undefined, abort.signal);
      const inserted = { ...record, inserted: true };
      store.dispatch({ type: 'clip', record: inserted });
      store.dispatch({ type: 'notice', notice: { kind: 'done', text: { key: 'inserted' } } });
      await services.clips.saveRecord(inserted);
    } catch (error) {
      if (!isAbort(error)) tellError(this.context, error);
    } finally {
      this.#delivering = null;
      store.dispatch({ type: 'clipTask', task: null });
    }
  }

  /** Stops writing or inserting a clip. */
  cancel(): void {
    this.#delivering?.abort();
  }
}
