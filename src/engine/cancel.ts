import { LongtakeError } from './types.ts';

/** @throws LongtakeError `cancelled` when the signal has fired */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new LongtakeError('cancelled', 'Cancelled.');
}
