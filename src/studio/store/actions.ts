import type { TaskName } from '../../engine/package/model-json.ts';
import type { PlaceCut, PlaceSide } from '../../panel/hosts/studio.ts';
import type { RegionRange } from '../timeline/region.ts';
import type { Clip, MediaItem, Project } from '../timeline/project.ts';
import type { MissingMedia, Notice, PanelPurpose, Recall, Stretch, Task } from './state.ts';

/** Everything that can happen to Studio's state. New ids come with the action, so that reducers stay pure. */
export type Action =
  | { type: 'restore'; project: Project | null }
  | { type: 'open-project'; project: Project; label: string }
  | { type: 'import'; items: readonly { media: MediaItem; clipId: string }[] }
  | {
      type: 'place';
      media: MediaItem;
      clip: Pick<Clip, 'id' | 'label'>;
      anchorId: string | null;
      side: PlaceSide;
      /** Cuts the clip; `over` replaces these frames of the anchor, and what is left after them gets `restId`. */
      cut?: PlaceCut | undefined;
      restId?: string;
    }
  | { type: 'move'; clipId: string; start: number; final: boolean; guide: number | null }
  | {
      type: 'trim';
      clipId: string;
      edge: 'in' | 'out';
      delta: number;
      final: boolean;
      guide: number | null;
      ripple?: boolean;
    }
  | { type: 'stretch'; stretch: Stretch | null }
  | { type: 'drag-cancel' }
  | { type: 'split'; clipId: string; frame: number; newId: string }
  | { type: 'remove'; clipIds: readonly string[]; ripple: boolean }
  | { type: 'undo' }
  | { type: 'redo' }
  | { type: 'select'; clipIds: readonly string[] }
  | { type: 'toggle-select'; clipId: string }
  | { type: 'seek'; frame: number; keepPlaying?: boolean }
  | { type: 'shuttle'; speed: number }
  | { type: 'zoom'; pixelsPerFrame: number }
  | { type: 'snapping'; on: boolean }
  | { type: 'theme'; theme: 'dark' | 'light' }
  | {
      type: 'panel-open';
      clipId: string;
      direction: 'forward' | 'backward';
      seconds?: number;
      /** `extend` where it is left out. */
      purpose?: PanelPurpose;
      /** Purpose `region`: the frames. */
      region?: RegionRange;
      recall?: Recall;
    }
  /** Other frames, or another mask: the panel looks again. */
  | { type: 'region'; region: RegionRange }
  | { type: 'panel-close' }
  | { type: 'task'; task: Task | null }
  | { type: 'notice'; tone: Notice['tone']; text: string }
  | { type: 'notice-close' }
  | { type: 'missing'; missing: MissingMedia | null }
  | { type: 'trained-for'; tasks: readonly TaskName[] };
