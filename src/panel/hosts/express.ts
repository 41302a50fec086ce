import type {
  AddOnSDKAPI,
  AppEvent,
  ImportAddOnData,
} from 'https://new.express.adobe.com/static/add-on-sdk/sdk.js';
import { BehaviorSubject, of, type Observable } from 'rxjs';
import { LongtakeError, type RgbaFrame } from '../../engine/types.ts';
import { FrameReader } from '../reading/frame-reader.ts';
import { clipPrefix, emptyPrefix, prefixFrames } from './clip-prefix.ts';
import type {
  GeneratedClip,
  HostAdapter,
  HostAnchor,
  HostCapabilities,
  HostTheme,
  InsertReceipt,
  KeyValueStore,
  PrefixRequest,
  PrefixSource,
} from './host-adapter.ts';

const AUTHOR = 'Longtake';

/**
 * The panel inside Adobe Express. Express gives no access to the selected clip, to the playhead or to a time: a shot
 * comes from a file or as a rendition of the page, and a finished clip goes onto the current page, where the editor
 * places it.
 */
export class ExpressHost implements HostAdapter {
  readonly capabilities: HostCapabilities = {
    host: 'express',
    readSelection: 'page-rendition',
    placement: 'page',
    dragOut: true,
  };
  readonly selection$: Observable<{ label: string } | null> = of(null);
  readonly storage: KeyValueStore;
  readonly #reader = new FrameReader();
  readonly #sdk: AddOnSDKAPI;
  readonly #theme = new BehaviorSubject<HostTheme>('light');
  readonly #locale = new BehaviorSubject('en-US');

  constructor(sdk: AddOnSDKAPI) {
    this.#sdk = sdk;
    this.storage = clientStorage(sdk);
  }

  get theme$(): Observable<HostTheme> {
    return this.#theme.asObservable();
  }

  get locale$(): Observable<string> {
    return this.#locale.asObservable();
  }

  async ready(): Promise<void> {
    await this.#sdk.ready;
    const { app } = this.#sdk;
    this.#theme.next(themeOf(app.ui.theme));
    this.#locale.next(app.ui.locale);
    app.on('themechange' as AppEvent.themechange, this.#onTheme);
    app.on('localechange' as AppEvent.localechange, this.#onLocale);
  }

  async acquirePrefix(
    request: PrefixRequest,
    signal: AbortSignal,
    onProgress: (fraction: number) => void,
  ): Promise<PrefixSource> {
    switch (request.kind) {
      case 'file':
        return clipPrefix(request.file, request.file.name, false, signal);
      case 'page': {
        const { blob, title } = await this.#renderPage(signal);
        onProgress(0.9);
        return clipPrefix(blob, title, true, signal);
      }
      case 'none':
        return emptyPrefix(request.size, request.rate);
      case 'gap':
        throw new LongtakeError(
          'usage',
          'Adobe Express does not say where a gap is: drop the clip before it here, and extend that one.',
        );
      case 'region':
        throw new LongtakeError(
          'usage',
          'A part of the picture can be repainted in Longtake Studio; Adobe Express has no place to paint it.',
        );
      case 'selection':
        throw new LongtakeError(
          'usage',
          'Adobe Express does not hand out the selected clip: drop its file here, or use the current page.',
        );
    }
  }

  openFrames(prefix: PrefixSource, signal: AbortSignal): AsyncIterable<RgbaFrame> {
    return prefixFrames(this.#reader, prefix, signal);
  }

  async insert(
    clip: GeneratedClip,
    _anchor: HostAnchor | undefined,
    signal: AbortSignal,
  ): Promise<InsertReceipt> {
    signal.throwIfAborted();
    try {
      await this.#sdk.app.document.addVideo(
        clip.blob,
        { title: clip.title, author: AUTHOR },
        addOnData(clip),
      );
    } catch (cause) {
      throw new LongtakeError(
        'output',
        `Adobe Express did not take the clip (${reason(cause)}); it is kept under My clips, so you can try again.`,
        { cause },
      );
    }
    return { id: clip.data['longtake.clip'] ?? '' };
  }

  enableDragOut(element: HTMLElement, clip: () => Promise<GeneratedClip>, picture: () => string): () => void {
    return this.#sdk.app.enableDragToDocument(element, {
      previewCallback: () => new URL(picture()),
      completionCallback: async () => {
        const { blob, title, ...rest } = await clip();
        return [
          {
            blob,
            attributes: { title, author: AUTHOR },
            importAddOnData: addOnData({ blob, title, ...rest }),
          },
        ];
      },
    });
  }

  dispose(): void {
    this.#sdk.app.off('themechange' as AppEvent.themechange, this.#onTheme);
    this.#sdk.app.off('localechange' as AppEvent.localechange, this.#onLocale);
    this.#reader.dispose();
  }

  async #renderPage(signal: AbortSignal): Promise<{ blob: Blob; title: string }> {
    const { app, constants } = this.#sdk;
    if (!(await app.document.exportAllowed())) {
      throw new LongtakeError(
        'input',
        'This document may not be exported until it is approved, so its page cannot be read; drop a clip file instead.',
      );
    }
    signal.throwIfAborted();
    try {
      // Express offers no way to stop a rendition: after an abort its late answer is dropped.
      const [rendition] = await unlessAborted(
        app.document.createRenditions({
          range: constants.Range.currentPage,
          format: constants.RenditionFormat.mp4,
          resolution: constants.VideoResolution.fhd1080p,
        } as Parameters<typeof app.document.createRenditions>[0]),
        signal,
      );
      if (!rendition) throw new Error('no rendition came back');
      const title = 'title' in rendition ? String(rendition.title ?? '') : '';
      return { blob: rendition.blob, title };
    } catch (cause) {
      signal.throwIfAborted();
      throw new LongtakeError(
        'input',
        `Adobe Express could not render the page (${reason(cause)}); try again, or drop a clip file.`,
        { cause },
      );
    }
  }

  readonly #onTheme = ({ theme }: { theme: string }) => this.#theme.next(themeOf(theme));
  readonly #onLocale = ({ locale }: { locale: string }) => this.#locale.next(locale);
}

const themeOf = (theme: string): HostTheme => (theme.startsWith('dark') ? 'dark' : 'light');

const addOnData = (clip: GeneratedClip): ImportAddOnData => ({
  nodeAddOnData: { ...clip.data },
  mediaAddOnData: { ...clip.data },
});

function clientStorage(sdk: AddOnSDKAPI): KeyValueStore {
  const storage = () => sdk.instance.clientStorage;
  return {
    get: (key) => storage().getItem(key),
    set: (key, value) => storage().setItem(key, value),
    remove: (key) => storage().removeItem(key),
  };
}

function reason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.replace(/[.\s]+$/, '') || 'no reason given';
}

/** Settles as `promise` does, or rejects at once when the signal fires; a later result is ignored. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new DOMException('Cancelled.', 'AbortError'));
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
