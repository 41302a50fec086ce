/**
 * Takes the place of Adobe's SDK module at its import URL. Every call goes to the host page, which records and answers
 * it. TypeScript holds each part against Adobe's own types; what the add-on has no use for is left out, so that using it
 * fails loudly.
 */
import type {
  AddOn,
  AddOnSDKAPI,
  Application,
  ClientStorage,
  Constants,
  Document,
  DragCallbacks,
  UI,
} from '@adobe/ccweb-add-on-sdk-types/iframe-ui';
import type { HostSettings, ToAddOn, ToHost } from './protocol.ts';

/** The values of an enum that exists only as a type. */
type Values<E> = { readonly [K in keyof E]: E[K] extends string ? `${E[K]}` : E[K] };

type OfferedDocument = Pick<
  Document,
  'addVideo' | 'createRenditions' | 'exportAllowed' | 'title' | 'id' | 'getSelectedPageIds' | 'isPresentation'
>;
type OfferedUI = Pick<UI, 'theme' | 'locale' | 'format' | 'locales'>;
type OfferedApplication = Pick<Application, 'on' | 'off' | 'enableDragToDocument'> & {
  document: OfferedDocument;
  ui: OfferedUI;
};
type OfferedAddOn = Pick<AddOn, 'clientStorage' | 'manifest'>;
interface OfferedSdk extends Pick<AddOnSDKAPI, 'apiVersion' | 'ready'> {
  app: OfferedApplication;
  instance: OfferedAddOn;
  constants: {
    Range: Values<typeof Constants.Range>;
    RenditionFormat: Pick<Values<typeof Constants.RenditionFormat>, 'mp4'>;
    VideoResolution: Values<typeof Constants.VideoResolution>;
  };
}

let settings: HostSettings | null = null;
let welcome: () => void;
const ready = new Promise<void>((resolve) => (welcome = resolve));
const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
const listeners = new Map<string, Set<(data: Record<string, string>) => void>>();
let lastId = 0;

const post = (message: ToHost) => parent.postMessage(message, '*');

addEventListener('message', (event: MessageEvent<ToAddOn>) => {
  if (event.source !== parent || !event.data?.standIn) return;
  const message = event.data;
  if (message.standIn === 'welcome') {
    settings = message.settings;
    welcome();
  } else if (message.standIn === 'answer') {
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error === undefined) call?.resolve(message.value);
    else call?.reject(new Error(message.error));
  } else {
    if (settings) Object.assign(settings, message.data);
    for (const listener of listeners.get(message.name) ?? []) listener(message.data);
  }
});

function ask<T>(name: string, ...args: unknown[]): Promise<T> {
  const id = ++lastId;
  return new Promise<T>((resolve, reject) => {
    waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
    post({ standIn: 'call', id, name, args });
  });
}

function present(): HostSettings {
  if (!settings) throw new Error('The SDK is not ready: await addOnUISdk.ready first.');
  return settings;
}

const document_: OfferedDocument = {
  addVideo: (blob, attributes, importAddOnData) => ask('addVideo', blob, attributes, importAddOnData),
  createRenditions: (options, intent) => ask('createRenditions', options, intent),
  exportAllowed: () => ask('exportAllowed'),
  title: () => ask('title'),
  id: () => ask('id'),
  getSelectedPageIds: () => ask('getSelectedPageIds'),
  isPresentation: () => ask('isPresentation'),
};

const ui: OfferedUI = {
  get theme() {
    return present().theme;
  },
  get locale() {
    return present().locale;
  },
  get format() {
    return present().locale;
  },
  locales: ['en-US', 'de-DE', 'pt-BR'],
};

const clientStorage: ClientStorage = {
  getItem: (key) => ask('clientStorage.getItem', key),
  setItem: (key, value) => ask('clientStorage.setItem', key, value),
  removeItem: (key) => ask('clientStorage.removeItem', key),
  keys: () => ask('clientStorage.keys'),
  clear: () => ask('clientStorage.clear'),
};

/** Elements made draggable; the test finishes a drag by the event `standin-drop`. */
const enableDragToDocument = (element: HTMLElement, callbacks: DragCallbacks) => {
  const drop = async () => {
    const preview = callbacks.previewCallback(element).href;
    const items = await callbacks.completionCallback(element);
    await ask('dropped', preview, items);
  };
  element.addEventListener('standin-drop', drop);
  return () => element.removeEventListener('standin-drop', drop);
};

const sdk: OfferedSdk = {
  apiVersion: '1.40.0',
  ready,
  app: {
    on: (name, handler) => {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(handler as (data: unknown) => void));
    },
    off: (name, handler) => listeners.get(name)?.delete(handler as (data: unknown) => void),
    enableDragToDocument,
    document: document_,
    ui,
  },
  instance: { clientStorage, manifest: {} },
  constants: {
    Range: {
      currentPage: 'currentPage',
      entireDocument: 'entireDocument',
      specificPages: 'specificPages',
    },
    RenditionFormat: { mp4: 'video/mp4' },
    VideoResolution: {
      sd480p: '480p',
      hd720p: '720p',
      fhd1080p: '1080p',
      qhd1440p: '1440p',
      uhd2160p: '2160p',
      custom: 'custom',
    },
  },
};

post({ standIn: 'hello' });

export default sdk;
