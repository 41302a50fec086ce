import { throwIfCancelled } from '../cancel.ts';
import { frameStep } from '../seam.ts';
import type { FrameStep } from '../seam.ts';
import { LongtakeError } from '../types.ts';
import type { RgbaFrame } from '../types.ts';
import type { Frames, RolloutProgress } from './extend-request.ts';

/** Steps between neighbouring frames that a seam is judged against, counted from the cut. */
const STEPS_AT_A_CUT = 8;

/** What a task keeps of the user's frames on one side of a cut. */
export interface ReadClip {
  /** Every frame at the model's size, RGB, in time order. */
  pictures: Uint8ClampedArray[];
  /** The outermost frames, at the clip's size; null for an empty clip. */
  first: RgbaFrame | null;
  last: RgbaFrame | null;
  /** Steps between neighbouring frames nearest the first frame, and nearest the last one. */
  stepsAtStart: FrameStep[];
  stepsAtEnd: FrameStep[];
}

/**
 * Reads a clip frame by frame and shrinks each at once, so that a long one needs little memory.
 * @param toModel shrinks a frame to the model's size
 * @param limit frames to read at most; the rest stays unread
 * @param already frames that were read of other clips, for progress
 * @throws LongtakeError `input` for a frame of another size; `cancelled`
 */
export async function* readClip(
  frames: Frames,
  size: { width: number; height: number },
  toModel: (frame: RgbaFrame) => Uint8ClampedArray,
  {
    signal,
    limit = Infinity,
    already = 0,
  }: { signal: AbortSignal | undefined; limit?: number; already?: number },
): AsyncGenerator<RolloutProgress, ReadClip, void> {
  const read: ReadClip = { pictures: [], first: null, last: null, stepsAtStart: [], stepsAtEnd: [] };
  const { pictures } = read;
  if (limit <= 0) return read;
  for await (const frame of frames) {
    throwIfCancelled(signal);
    checkFrame(frame, size, pictures.length);
    pictures.push(toModel(frame));
    if (read.last) {
      const step = frameStep(read.last, frame);
      if (read.stepsAtStart.length < STEPS_AT_A_CUT) read.stepsAtStart.push(step);
      read.stepsAtEnd = [...read.stepsAtEnd, step].slice(-STEPS_AT_A_CUT);
    }
    read.first ??= frame;
    read.last = frame;
    yield { kind: 'reading', framesRead: already + pictures.length };
    if (pictures.length >= limit) break;
  }
  return read;
}

/**
 * @param index of the frame, from 0; for the message
 * @throws LongtakeError `input` for a frame of another size than the request names
 */
export function checkFrame(
  { width, height, data }: RgbaFrame,
  size: { width: number; height: number },
  index: number,
): void {
  if (width === size.width && height === size.height && data.length === width * height * 4) return;
  throw new LongtakeError(
    'input',
    `Frame ${index + 1} of the clip is ${width} × ${height} instead of ${size.width} × ${size.height}.`,
  );
}
