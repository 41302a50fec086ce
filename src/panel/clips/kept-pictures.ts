import type { ClipRecord } from './clip-record.ts';
import { edgeFile, frameFile, type ClipStore } from './clip-store.ts';
import { decodePicture } from './frame-images.ts';
import type { FrameReel } from './frame-reel.ts';

/** What is kept of a clip to look at: the pictures beside the cut, in time order, and the new frames, in the order of making. */
export interface KeptPictures {
  edge: ImageBitmap[];
  made: ImageBitmap[];
}

/** Reads the pictures of a kept clip; one that is missing is left out. */
export async function keptPictures(clips: ClipStore, record: ClipRecord): Promise<KeptPictures> {
  const edge: ImageBitmap[] = [];
  const made: ImageBitmap[] = [];
  for (let i = 0; ; i++) {
    const blob = await clips.read(record.id, edgeFile(i));
    if (!blob) break;
    edge.push(await decodePicture(blob));
  }
  for (let i = 0; i < record.framesMade; i++) {
    const blob = await clips.read(record.id, frameFile(i));
    if (blob) made.push(await decodePicture(blob));
  }
  return { edge, made };
}

/** Shows the pictures of a clip in place of what the reel held. */
export function fillReel(reel: FrameReel, record: ClipRecord, { edge, made }: KeptPictures): void {
  reel.reset(record.direction);
  reel.setEdge(edge);
  for (const picture of made) reel.add(picture);
}
