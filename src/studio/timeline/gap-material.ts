import type { MediaItem } from './project.ts';
import { rateLabel } from './timecode.ts';

/**
 * Why the gap between clips of two files cannot be filled, in words; null where it can. New frames have one size and one
 * rate, and both cuts are judged pixel by pixel.
 */
export function differenceAcross(before: MediaItem, after: MediaItem): string | null {
  if (before.width !== after.width || before.height !== after.height) {
    const sizes = `${before.width} × ${before.height} and ${after.width} × ${after.height}`;
    return `The clips on both sides of a gap must have the same picture size; these have ${sizes}.`;
  }
  if (before.rate.num * after.rate.den !== after.rate.num * before.rate.den) {
    const rates = `${rateLabel(before.rate)} and ${rateLabel(after.rate)} fps`;
    return `The clips on both sides of a gap must have the same frame rate; these have ${rates}.`;
  }
  return null;
}
