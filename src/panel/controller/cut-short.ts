import type { ClipRecord } from '../clips/clip-record.ts';
import { frameFile, holderOfSource, sourceFile, type ClipStore } from '../clips/clip-store.ts';
import { OpfsClipStore } from '../clips/opfs-clip-store.ts';
import { liveRollouts } from './rollout-lock.ts';

/** Kept clips as a panel finds them when it opens. */
export interface FoundClips {
  /** All but those that another panel is making. */
  records: ClipRecord[];
  /** Ids of those that were being made when their page went away. */
  cutShort: ReadonlySet<string>;
}

/** Reads the kept clips. A rollout that nobody works on was cut short: what it made is counted by its files. */
export async function findClips(clips: ClipStore): Promise<FoundClips> {
  const [kept, live] = await Promise.all([clips.list(), liveRollouts()]);
  const records: ClipRecord[] = [];
  const cutShort = new Set<string>();
  for (const record of kept) {
    if (record.discarded) continue;
    if (record.state !== 'running') {
      records.push(record);
    } else if (!live.has(record.id)) {
      cutShort.add(record.id);
      records.push({ ...record, state: 'interrupted', framesMade: await framesThere(clips, record) });
    }
  }
  return { records, cutShort };
}

/** Removes what was thrown away before the last page went away. */
export async function removeDiscarded(clips: ClipStore): Promise<void> {
  const discarded = (await clips.list()).filter((record) => record.discarded);
  await Promise.all(discarded.map(({ id }) => clips.remove(id)));
}

/** A rollout that was under way when its page went away. */
export interface CutShort {
  record: ClipRecord;
  /** Frames made of it, and of those that were made at the same time. */
  framesMade: number;
}

/**
 * The rollout that was under way when the last page of this origin went away, if there was one and it can go on.
 * @returns null too where the browser keeps no clips
 */
export async function rolloutCutShort(): Promise<CutShort | null> {
  try {
    const clips = await OpfsClipStore.open();
    const { records, cutShort } = await findClips(clips);
    const newest = records
      .filter(({ id }) => cutShort.has(id))
      .sort((a, b) => b.created - a.created)
      .at(0);
    if (!newest) return null;
    const holder = await holderOfSource(clips, newest);
    const startable = newest.prefix.kind === 'none' || (await clips.read(holder, sourceFile)) !== undefined;
    if (!startable) return null;
    const together = records.filter(
      ({ id }) => cutShort.has(id) && (newest.set?.ids ?? [newest.id]).includes(id),
    );
    return { record: newest, framesMade: together.reduce((sum, each) => sum + each.framesMade, 0) };
  } catch {
    return null;
  }
}

async function framesThere(clips: ClipStore, { id, frameCount }: ClipRecord): Promise<number> {
  let count = 0;
  while (count < frameCount && (await clips.read(id, frameFile(count)))) count++;
  return count;
}
