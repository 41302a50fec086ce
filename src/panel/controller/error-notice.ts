import { LongtakeError } from '../../engine/types.ts';
import type { Notice } from '../state/panel-state.ts';

/** Whether an error only says that something was cancelled. */
export function isAbort(error: unknown): boolean {
  return (
    (error instanceof DOMException && error.name === 'AbortError') ||
    (error instanceof LongtakeError && error.code === 'cancelled')
  );
}

/** What the editor reads of an error. An error that is not ours is a fault of the program, and says so. */
export function errorNotice(error: unknown): Notice {
  if (error instanceof LongtakeError) {
    return { kind: 'error', code: error.code, text: { sentence: error.message } };
  }
  const detail = error instanceof Error ? error.message : String(error);
  return {
    kind: 'error',
    code: 'internal',
    text: { sentence: `Something unexpected went wrong, and your clips are kept (${detail}).` },
  };
}
