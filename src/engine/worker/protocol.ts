import type { ModelJson } from '../package/model-json.ts';
import type { PackageProgress } from '../package/world-package.ts';
import type { FrameCost } from '../scheduler/frame-cost.ts';
import type { Speed } from '../scheduler/speed.ts';
import type { ExtendEvent, ExtendRequest, PrimedPrefix } from '../tasks/extend-request.ts';
import type { GapEvent, GapRequest, LoopRequest } from '../tasks/gap-request.ts';
import type {
  MaskPicture,
  RectangleKeyframe,
  RepaintEvent,
  RepaintRequest,
} from '../tasks/region-request.ts';
import type { LongtakeErrorCode, RgbaFrame } from '../types.ts';
import type { BackendChoice } from '../world/backend.ts';
import type { BackendName } from '../world/world-model.ts';

/** Events a rollout may be ahead of its consumer. */
export const EVENTS_AHEAD = 16;
/** Frames of a feed asked for before the first of them has come. */
export const FRAMES_AHEAD = 4;

/** Handle of a primed prefix that lives in the worker. */
export interface RemotePrimed extends PrimedPrefix {
  readonly primedId: number;
}

/** What comes frame by frame, because the page decodes it as it is needed. */
export type FeedName = 'prefix' | 'before' | 'after' | 'frames' | 'masks';
export type FeedItem = RgbaFrame | MaskPicture;

/** A task with its request, without what can not be sent: frames come through feeds, cancelling is a message. */
export type SentJob =
  | {
      task: 'extend';
      request: Omit<ExtendRequest, 'prefix' | 'signal' | 'primed'> & { primedId?: number };
    }
  | { task: 'gap'; request: Omit<GapRequest, 'before' | 'after' | 'signal'> }
  | { task: 'loop'; request: Omit<LoopRequest, 'prefix' | 'signal'> }
  | {
      task: 'region';
      /** Without keyframes the masks come through their feed. */
      request: Omit<RepaintRequest, 'prefix' | 'frames' | 'mask' | 'signal'> & {
        keyframes?: readonly RectangleKeyframe[];
      };
    };

/** Page → worker. `id` names a call; further messages of the call carry the same one. */
export type ToWorker =
  | { id: number; kind: 'open'; url: string }
  | { id: number; kind: 'load'; packageId: number; backend: BackendChoice }
  /** Measures the machine; what is known already is not measured again. */
  | { id: number; kind: 'measure'; modelId: number; size: { width: number; height: number } }
  | { id: number; kind: 'run'; modelId: number; job: SentJob }
  /** One frame or mask, or null when there are no more. */
  | { id: number; kind: 'item'; feed: FeedName; item: FeedItem | null }
  /** A feed could not be read. */
  | { id: number; kind: 'feed-failed'; feed: FeedName; error: SentError }
  /** One event was consumed. */
  | { id: number; kind: 'consumed' }
  | { id: number; kind: 'cancel' }
  | { id: number; kind: 'release'; what: 'package' | 'model' | 'primed'; handle: number };

/** Worker → page. Every call ends with exactly one `result` or `error`. */
export type FromWorker =
  | { id: number; kind: 'progress'; progress: PackageProgress }
  | { id: number; kind: 'event'; event: SentEvent }
  /** Asks for one more item of a feed. */
  | { id: number; kind: 'pull'; feed: FeedName }
  | { id: number; kind: 'result'; value: CallResult }
  | { id: number; kind: 'error'; error: SentError };

export type SentEvent =
  | Exclude<ExtendEvent, { kind: 'primed' }>
  | { kind: 'primed'; primed: RemotePrimed }
  | GapEvent
  | RepaintEvent;

export type CallResult =
  | { of: 'open'; packageId: number; model: ModelJson }
  | { of: 'load'; modelId: number; backend: BackendName }
  | { of: 'measure'; speed: Speed; frames: FrameCost; backend: BackendName }
  | { of: 'done' };

export interface SentError {
  code: LongtakeErrorCode;
  message: string;
  /** What the cause said, for the console. */
  detail?: string;
}
