import type { SeamReading } from '../state/seam.ts';
import type { Language } from './catalogue.ts';

/** A judged seam in one or two sentences for an editor. */
export function seamWords(reading: SeamReading, { text, number }: Language): string {
  const levels = number(reading.colour, 1);
  const percent = reading.softTo === null ? null : number(reading.softTo, 0);
  const words: string[] = [];
  if (reading.verdict === 'invisible') words.push(text.seams.invisible);
  else if (reading.decibels > 1) words.push(text.seams[reading.verdict](number(reading.decibels, 1)));
  else if (reading.colour > 1.5) words.push(text.seams.byColour(levels));
  else if (percent !== null) words.push(text.seams.onlySoft(percent));
  if (reading.decibels > 1 && reading.colour > 1.5) words.push(text.seams.colour(levels));
  if (percent !== null && (reading.decibels > 1 || reading.colour > 1.5))
    words.push(text.seams.soft(percent));
  return words.join(' ');
}
