import type { Observable } from 'rxjs';
import type { Rational, RgbaFrame } from '../../engine/types.ts';

export interface HostCapabilities {
  host: 'studio' | 'express';
  /** How the panel can get at what the editor is looking at. */
  readSelection: 'none' | 'page-rendition' | 'timeline-clip';
  placement: 'page' | 'timeline';
  /** Whether finished clips can be dragged from the panel onto the document. */
  dragOut: boolean;
}

/** Where a prefix came from, so that the continuation can be put back beside it. Opaque to the panel. */
export type HostAnchor = Readonly<Record<string, string | number>>;

/** What a gap between two clips is filled towards. Its size and rate are those of the clip before the gap. */
export interface GapToFill {
  /** Frames that are missing, at the rate of the clip before the gap. At least 1. */
  frameCount: number;
  /** The clip after the gap. */
  after: { blob: Blob; label: string; range: { startFrame: number; frameCount: number } };
}

/** A part of the picture that is made anew in some frames of a clip; what lies outside the mask stays. */
export interface RegionToRepaint {
  /** The frames, in the clip's own. */
  range: { startFrame: number; frameCount: number };
  /** Frames of the clip after them, at their right: 0 where the clip ends with the range. */
  framesAfter: number;
  /** Of the clip's size, for every frame the same; from 128 on a pixel is made anew. */
  mask: { width: number; height: number; data: Uint8Array };
  /** Share of the picture that the mask covers, 0…1; 0 = nothing is painted yet. */
  share: number;
}

export interface PrefixSource {
  /** `none` = cold start, a normal answer. */
  kind: 'none' | 'blob';
  blob?: Blob;
  rate: Rational;
  range: { startFrame: number; frameCount: number };
  size: { width: number; height: number };
  /** True for a rendition of a page: text and other layers are burnt in. */
  flattened: boolean;
  label: string;
  /** Set where the frames lead to another clip: the prefix is the clip before the gap. */
  gap?: GapToFill;
  /** Set where a part of the picture is made anew: the prefix is what comes before in the same clip. */
  region?: RegionToRepaint;
  anchor?: HostAnchor;
}

export interface GeneratedClip {
  blob: Blob;
  title: string;
  rate: Rational;
  frameCount: number;
  /** `continuation`: new frames only; `extended`: prefix and continuation in one file. */
  content: 'continuation' | 'extended';
  /** Model, seed, profile and the like: kept with the clip as add-on data or clip metadata. */
  data: Readonly<Record<string, string>>;
}

export interface InsertReceipt {
  id: string;
}

export type PrefixRequest =
  | { kind: 'file'; file: File }
  | { kind: 'page' }
  | { kind: 'selection' }
  /** The gap that the editor chose in the host, with the clips around it. */
  | { kind: 'gap' }
  /** The part of the picture that the editor painted over in the host. */
  | { kind: 'region' }
  | { kind: 'none'; size: { width: number; height: number }; rate: Rational };

export type HostTheme = 'light' | 'dark';

/** A small store of JSON values that outlives the page. */
export interface KeyValueStore {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
  remove(key: string): Promise<void>;
}

/** What the panel needs of the program it lives in. One implementation a host; docs/architecture.md. */
export interface HostAdapter {
  readonly capabilities: HostCapabilities;
  ready(): Promise<void>;
  readonly theme$: Observable<HostTheme>;
  readonly locale$: Observable<string>;
  /** The host's selected clip, where it has such a thing; null otherwise. */
  readonly selection$: Observable<{ label: string } | null>;
  /**
   * Ids (`longtake.clip`) of the generated clips that are in the document now. Left out by a host that does not know: there a
   * clip counts as inserted from then on.
   */
  readonly placed$?: Observable<ReadonlySet<string>>;
  acquirePrefix(
    request: PrefixRequest,
    signal: AbortSignal,
    onProgress: (fraction: number) => void,
  ): Promise<PrefixSource>;
  openFrames(prefix: PrefixSource, signal: AbortSignal): AsyncIterable<RgbaFrame>;
  /** Puts the clip into the document. The file is H.264 `video/mp4`. */
  insert(clip: GeneratedClip, anchor: HostAnchor | undefined, signal: AbortSignal): Promise<InsertReceipt>;
  /**
   * Makes an element a drag source for a finished clip; returns the undo. Only where `capabilities.dragOut`.
   * @param picture URL of a picture that follows the pointer
   */
  enableDragOut?(element: HTMLElement, clip: () => Promise<GeneratedClip>, picture: () => string): () => void;
  /** The host's own store for small values; without one the panel uses the browser's. */
  readonly storage?: KeyValueStore;
  dispose(): void;
}
