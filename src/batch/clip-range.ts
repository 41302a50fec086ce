import { LongtakeError, type Rational } from '../engine/types.ts';
import { rationalRate } from '../media/rational.ts';
import type { OtioRange, OtioTime } from './otio-time.ts';

/**
 * Frames of a media file that a project's range means. OTIO counts in the media's own time, which begins at the
 * available range's start (a camera's time code, for instance one hour).
 * @param rate the file's frame rate
 * @param frameCount frames in the file
 * @throws LongtakeError 'input' when no frame of the file lies in the range
 */
export function framesOfRange(
  range: OtioRange | null,
  available: OtioRange | null,
  rate: Rational,
  frameCount: number,
): { start: number; count: number; notices: string[] } {
  if (range === null) return { start: 0, count: frameCount, notices: [] };
  const origin = available === null ? 0 : framesAt(available.start, rate);
  const wantedStart = Math.round(framesAt(range.start, rate) - origin);
  const wantedEnd = Math.round(framesAt(range.start, rate) - origin + framesAt(range.duration, rate));
  const start = Math.max(0, wantedStart);
  const end = Math.min(frameCount, wantedEnd);
  if (end <= start) {
    throw new LongtakeError('input', 'The part of this clip that the project uses is not in its media file.');
  }
  const cut = start !== wantedStart || end !== wantedEnd;
  const notices = cut
    ? ['The project uses frames that the media file does not have; the rest was taken.']
    : [];
  return { start, count: end - start, notices };
}

/** A time in frames of `rate`, exact where both rates are what they stand for (23.976 = 24000/1001). */
export function framesAt(time: OtioTime, rate: Rational): number {
  const own = rationalRate(time.rate);
  return (time.value * own.den * rate.num) / (own.num * rate.den);
}
