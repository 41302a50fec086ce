import { rolloutCutShort } from '../panel/controller/cut-short.ts';
import { mayGoOn } from './go-on.ts';
import { projectOf } from './store/state.ts';
import type { StudioStore } from './store/store.ts';
import { findClip } from './timeline/project.ts';

/**
 * Opens the panel on the rollout that was under way when the page went away, and lets it go on. One that was taken up before
 * and made no frame since is only offered: what ended the page may do so again. Nothing happens where there is none, or where
 * its clip is no longer on the timeline; the panel's list has it then.
 */
export async function recallRollout(store: StudioStore): Promise<void> {
  const found = await rolloutCutShort();
  const clipId = found?.record.prefix.anchor?.['clipId'];
  if (!found || typeof clipId !== 'string' || !findClip(projectOf(store.state), clipId)) return;
  const { framesMade } = found;
  const { id: recordId, direction, purpose = 'extend' } = found.record;
  const go = mayGoOn('studio.recalled', `${recordId} ${framesMade}`);
  store.dispatch({ type: 'panel-open', clipId, direction, purpose, recall: { recordId, go } });
}
