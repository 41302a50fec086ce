/** What the stand-in's SDK module (in the add-on's iframe) and its host page say to each other. */

export interface HostSettings {
  theme: 'light' | 'dark';
  locale: string;
  exportAllowed: boolean;
  /** Message with which `addVideo` is refused; null = it is taken. */
  refuseVideo: string | null;
  /** Milliseconds that a rendition takes. */
  renditionDelay: number;
}

/** One call of the add-on, as the host page records it. */
export interface RecordedCall {
  name: string;
  args: unknown[];
}

export type ToHost = { standIn: 'hello' } | { standIn: 'call'; id: number; name: string; args: unknown[] };

export type ToAddOn =
  | { standIn: 'welcome'; settings: HostSettings }
  | { standIn: 'answer'; id: number; value?: unknown; error?: string }
  | { standIn: 'event'; name: 'themechange' | 'localechange'; data: Record<string, string> };
