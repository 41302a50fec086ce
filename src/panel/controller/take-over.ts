import type { ClipRecord } from '../clips/clip-record.ts';
import { afterFile, edgeFile, frameFile, maskFile, posterFile, sourceFile } from '../clips/clip-store.ts';
import type { PanelServices } from '../services.ts';
import { withoutSet } from './rollout-set.ts';
import { madeFrameFile } from './run-rollout.ts';

/**
 * A clip that is yet to be made and begins with the first frames of another.
 * @param kept how many, in the order of making
 */
export function againFrom(record: ClipRecord, kept: number, seed: number): ClipRecord {
  return {
    ...withoutSet(record),
    id: crypto.randomUUID(),
    created: Date.now(),
    state: 'running',
    framesMade: kept,
    seed,
    report: null,
    keptSeam: record.report?.seam ?? null,
    inserted: false,
  };
}

/**
 * Begins a clip with the first frames of another: copies what the clip needs to go on from there.
 * @param from the clip that has the frames
 * @param to the new clip: `framesMade` of its frames are taken over
 * @throws LongtakeError `input` where a frame is no longer kept, `output` where there is no room; nothing of the new clip is
 *   left then
 */
export async function takeOverFrames(
  services: PanelServices,
  from: ClipRecord,
  to: ClipRecord,
): Promise<void> {
  const { clips } = services;
  const copy = async (name: string): Promise<boolean> => {
    const blob = await clips.read(from.id, name);
    if (blob) await clips.write(to.id, name, blob);
    return blob !== undefined;
  };
  try {
    for (const name of [sourceFile, afterFile, maskFile, posterFile]) await copy(name);
    let edge = 0;
    while (await copy(edgeFile(edge))) edge++;
    for (let frame = 0; frame < to.framesMade; frame++) {
      await clips.write(to.id, frameFile(frame), await madeFrameFile(services, from.id, frame));
    }
  } catch (error) {
    await clips.remove(to.id);
    throw error;
  }
}
