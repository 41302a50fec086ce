import { BlobSource } from 'mediabunny';
import type { ClipSettings } from '../../batch/clip-settings.ts';
import type { BatchItem } from '../../batch/preview.ts';
import { openClip } from '../../media/open-clip.ts';
import type { MediaLibrary } from '../media/library.ts';
import { sourceRange } from '../timeline/conform.ts';
import { allClips, type Clip, type Project } from '../timeline/project.ts';

/** The clips a batch is made of: the chosen ones, or all where none is chosen, in time order. */
export function clipsForBatch(project: Project, chosen: ReadonlySet<string>): Clip[] {
  const clips = allClips(project);
  return chosen.size === 0 ? clips : clips.filter(({ id }) => chosen.has(id));
}

/** Clips of the timeline as work for a batch, numbered in time order over the whole project. */
export function timelineItems(
  project: Project,
  clips: readonly Clip[],
  library: MediaLibrary,
  settings: ClipSettings,
): BatchItem[] {
  const order = allClips(project).map(({ id }) => id);
  return clips.map((clip) => ({
    index: order.indexOf(clip.id) + 1,
    name: clip.label,
    settings,
    open: async (signal) => {
      // Readers of the library are shared; the batch disposes its own.
      const opened = await openClip(new BlobSource(library.blob(clip.mediaId)), clip.label, signal);
      const { startFrame, frameCount } = sourceRange(
        clip,
        project.media[clip.mediaId]!,
        project.format!.rate,
      );
      return { clip: opened, start: startFrame, count: frameCount, notices: [] };
    },
  }));
}
