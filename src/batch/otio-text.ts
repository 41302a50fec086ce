import { LongtakeError } from '../engine/types.ts';
import { isObject } from './otio-time.ts';

/** Strings (to be kept) and the number words that JSON lacks. */
const TOKENS = /"(?:[^"\\]|\\[^])*"|-?\bInfinity\b|\bNaN\b/g;

/**
 * The outermost object of an OpenTimelineIO file. Bare `NaN` and `Infinity`, which OTIO writes and JSON does not know,
 * become null.
 * @param name what the user calls the file; used in messages
 * @throws LongtakeError 'input'
 */
export function parseOtio(text: string, name: string): Record<string, unknown> {
  let root: unknown;
  try {
    root = JSON.parse(
      text.replace(/^\uFEFF/, '').replace(TOKENS, (token) => (token.startsWith('"') ? token : 'null')),
    );
  } catch (cause) {
    throw new LongtakeError('input', `“${name}” is no OpenTimelineIO file: it is not valid JSON.`, { cause });
  }
  if (!isObject(root) || typeof root['OTIO_SCHEMA'] !== 'string') {
    throw new LongtakeError('input', `“${name}” is no OpenTimelineIO file: it names no schema.`);
  }
  return root;
}
