import { BlobSource } from 'mediabunny';
import type { BatchItem } from '../../batch/preview.ts';
import { openClip } from '../../media/open-clip.ts';
import type { MediaLibrary } from '../media/library.ts';
import { sourceRange } from '../timeline/conform.ts';
import { allClips, type Clip, type Project } from '../timeline/project.ts';
import type { BatchPlan, PlannedClip } from './batch-folder.ts';

/** The clips a batch is made of: the chosen ones, or all where none is chosen, in time order. */
export function clipsForBatch(project: Project, chosen: ReadonlySet<string>): Clip[] {
  const clips = allClips(project);
  return chosen.size === 0 ? clips : clips.filter(({ id }) => chosen.has(id));
}

/** Clips as they are on the timeline now, numbered in time order over the whole project. */
export function planClips(project: Project, clips: readonly Clip[]): PlannedClip[] {
  const order = allClips(project).map(({ id }) => id);
  return clips.map((clip) => ({
    index: order.indexOf(clip.id) + 1,
    name: clip.label,
    mediaId: clip.mediaId,
    ...sourceRange(clip, project.media[clip.mediaId]!, project.format!.rate),
  }));
}

/** The planned clips as work for a batch. */
export function plannedItems({ clips, settings }: BatchPlan, library: MediaLibrary): BatchItem[] {
  return clips.map(({ index, name, mediaId, startFrame, frameCount }) => ({
    index,
    name,
    settings: { ...settings, steps: null, camera: null },
    open: async (signal) => {
      // Readers of the library are shared; the batch disposes its own.
      const clip = await openClip(new BlobSource(library.blob(mediaId)), name, signal);
      return { clip, start: startFrame, count: frameCount, notices: [] };
    },
  }));
}
