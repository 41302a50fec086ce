import { moveTrack } from '../../engine/camera/moves.ts';
import type { CameraTrack } from '../../engine/types.ts';
import type { ClipRecord } from '../clips/clip-record.ts';

/**
 * The camera track that a clip is made with: the chosen file's, the chosen move's, the move from the file's poses at the
 * cut, or none. It covers the whole clip, so a rollout that goes on takes the same one.
 * @param verticalFov what the model assumes, degrees
 */
export function clipCamera(record: ClipRecord, verticalFov: number): CameraTrack | null {
  const { camera, move, prefix, frameCount, direction, size } = record;
  if (!move) return camera?.track ?? null;
  return moveTrack(move, {
    prefixFrames: prefix.range.frameCount,
    frameCount,
    direction,
    known: camera?.track,
    verticalFov: camera?.track.verticalFov ?? verticalFov,
    aspect: size.width / size.height,
  });
}

/** What the model is told of the camera over the prefix alone: clips for which it is the same share the state after it. */
export function prefixCamera({ camera, move }: ClipRecord): string {
  return JSON.stringify([camera?.track ?? null, move ? 'from the cut' : 'as it comes']);
}
