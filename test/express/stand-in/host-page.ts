/** The stand-in for Adobe Express: a page with a document, and the add-on's iframe at its side. */
import type { HostSettings, RecordedCall, ToAddOn, ToHost } from './protocol.ts';

class StandIn {
  readonly settings: HostSettings = {
    theme: 'light',
    locale: 'en-US',
    exportAllowed: true,
    refuseVideo: null,
    renditionDelay: 200,
  };
  readonly calls: RecordedCall[] = [];
  readonly #storage = new Map<string, unknown>();
  readonly #page = document.querySelector('#page')!;
  readonly #frame: HTMLIFrameElement;
  readonly #addOn: string;

  constructor() {
    this.#addOn = document.documentElement.dataset['addOn']!;
    const locale = new URLSearchParams(location.search).get('locale');
    const theme = new URLSearchParams(location.search).get('theme');
    if (locale) this.settings.locale = locale;
    if (theme === 'dark') this.settings.theme = theme;
    this.#paint();
    addEventListener('message', (event: MessageEvent<ToHost>) => {
      if (event.origin === new URL(this.#addOn).origin && event.data?.standIn) void this.#receive(event.data);
    });
    this.#frame = document.querySelector('iframe')!;
    this.#frame.src = this.#addOn;
  }

  setTheme(theme: HostSettings['theme']): void {
    this.settings.theme = theme;
    this.#paint();
    this.#send({ standIn: 'event', name: 'themechange', data: { theme } });
  }

  setLocale(locale: string): void {
    this.settings.locale = locale;
    this.#send({ standIn: 'event', name: 'localechange', data: { locale } });
  }

  /** The blob of a recorded argument, as base64. */
  async bytes(blob: Blob): Promise<string> {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    let text = '';
    for (let i = 0; i < bytes.length; i += 0x8000)
      text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
    return btoa(text);
  }

  async #receive(message: ToHost): Promise<void> {
    if (message.standIn === 'hello') {
      this.#send({ standIn: 'welcome', settings: { ...this.settings } });
      return;
    }
    const { id, name, args } = message;
    this.calls.push({ name, args });
    try {
      this.#send({ standIn: 'answer', id, value: await this.#answer(name, args) });
    } catch (error) {
      this.#send({ standIn: 'answer', id, error: (error as Error).message });
    }
  }

  async #answer(name: string, args: unknown[]): Promise<unknown> {
    const [key, value] = args as [string, unknown];
    switch (name) {
      case 'clientStorage.getItem':
        return this.#storage.get(key);
      case 'clientStorage.setItem':
        return void this.#storage.set(key, value);
      case 'clientStorage.removeItem':
        return void this.#storage.delete(key);
      case 'clientStorage.keys':
        return [...this.#storage.keys()];
      case 'clientStorage.clear':
        return this.#storage.clear();
      case 'exportAllowed':
        return this.settings.exportAllowed;
      case 'createRenditions':
        return this.#render();
      case 'addVideo':
        return this.#addVideo(args[0] as Blob);
      case 'dropped':
        return this.#addVideo((args[1] as { blob: Blob }[])[0]!.blob);
      default:
        throw new Error(`The stand-in does not offer ${name}.`);
    }
  }

  async #render(): Promise<unknown> {
    await new Promise((resolve) => setTimeout(resolve, this.settings.renditionDelay));
    const blob = await (await fetch('/page.mp4')).blob();
    return [{ type: 'page', title: 'Page 1', blob, metadata: {} }];
  }

  async #addVideo(blob: Blob): Promise<void> {
    if (this.settings.refuseVideo !== null) throw new Error(this.settings.refuseVideo);
    // The rules of the real one that are known.
    if (!(blob instanceof Blob) || blob.size === 0) throw new Error('Invalid blob.');
    if (blob.type !== 'video/mp4') throw new Error(`Unsupported mime type : ${blob.type}`);
    const video = document.createElement('video');
    video.src = URL.createObjectURL(blob);
    video.muted = true;
    video.controls = false;
    this.#page.replaceChildren(video);
  }

  #paint(): void {
    document.documentElement.dataset['theme'] = this.settings.theme;
  }

  #send(message: ToAddOn): void {
    this.#frame.contentWindow?.postMessage(message, new URL(this.#addOn).origin);
  }
}

(globalThis as unknown as { standIn: StandIn }).standIn = new StandIn();
