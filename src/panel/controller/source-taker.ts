import { LongtakeError } from '../../engine/types.ts';
import { restoredPrefix, type ClipRecord } from '../clips/clip-record.ts';
import { afterFile, holderOfSource, maskFile, sourceFile } from '../clips/clip-store.ts';
import type { PrefixRequest, PrefixSource } from '../hosts/host-adapter.ts';
import { tellError, type PanelContext } from './panel-context.ts';
import { pictureAtCut } from './picture-at-cut.ts';

/** Gets hold of what is to be continued: from the host, or from the files of a kept clip. */
export class SourceTaker {
  #acquiring: AbortController | null = null;
  /** The kept clip whose source file is the present source: it must not outlive that clip. */
  #borrowed: string | null = null;

  constructor(private readonly context: PanelContext) {}

  /** Takes a prefix. A request while another is under way replaces it. */
  async take(request: PrefixRequest): Promise<void> {
    const { store, host } = this.context;
    this.cancel();
    const abort = new AbortController();
    this.#acquiring = abort;
    if (request.kind !== 'none') store.dispatch({ type: 'acquire', what: request.kind });
    else store.dispatch({ type: 'notice', notice: null });
    try {
      const prefix = await host.acquirePrefix(request, abort.signal, (fraction) => {
        if (!abort.signal.aborted) store.dispatch({ type: 'acquireProgress', fraction });
      });
      if (abort.signal.aborted) return;
      this.#borrowed = null;
      store.dispatch({ type: 'source', prefix });
      store.dispatch({ type: 'variations', ids: [] });
      this.context.variations.clear();
      void this.#pictureOf(prefix, abort.signal);
    } catch (error) {
      if (abort.signal.aborted) return;
      store.dispatch({ type: 'source', prefix: null });
      tellError(this.context, error);
    } finally {
      if (this.#acquiring === abort) this.#acquiring = null;
    }
  }

  /** Stops a request for a prefix. */
  cancel(): void {
    if (!this.#acquiring) return;
    this.#acquiring.abort();
    this.#acquiring = null;
    this.context.store.dispatch({ type: 'source', prefix: null });
  }

  /** Lets go of the source. */
  clear(): void {
    this.#borrowed = null;
    this.context.store.dispatch({ type: 'settings', change: { purpose: 'extend' } });
    this.context.store.dispatch({ type: 'source', prefix: null });
  }

  /** Whether the present source is a file of this clip. */
  borrows(clipId: string): boolean {
    return this.#borrowed === clipId;
  }

  /** What a kept clip continues; null, with a word to the editor, where its files are gone. */
  async prefixOf(record: ClipRecord): Promise<PrefixSource | null> {
    const { clips } = this.context.services;
    const owner = await holderOfSource(clips, record);
    const blob = await clips.read(owner, sourceFile);
    const after = await clips.read(owner, afterFile);
    const mask = await clips.read(owner, maskFile);
    const { kind, gap, region } = record.prefix;
    if ((!blob && kind !== 'none') || (!after && gap) || (!mask && region)) {
      tellError(
        this.context,
        new LongtakeError('input', 'The clip this one continues is no longer kept: choose it again above.'),
      );
      return null;
    }
    this.#borrowed = owner;
    return restoredPrefix(record, blob, after, mask && new Uint8Array(await mask.arrayBuffer()));
  }

  dispose(): void {
    this.#acquiring?.abort();
  }

  /** Shows the frame that will be continued. */
  async #pictureOf(prefix: PrefixSource, signal: AbortSignal): Promise<void> {
    // A region is shown by the host, where it is painted.
    if (prefix.region) return;
    const picture = await pictureAtCut(this.context.host, prefix, 'forward', signal);
    if (picture) this.context.store.dispatch({ type: 'sourcePicture', prefix, picture });
  }
}
