import { LongtakeError, type LongtakeErrorCode } from '../engine/types.ts';

/** Exit codes, documented in docs/cli.md. */
export const EXIT: Readonly<Record<LongtakeErrorCode, number>> = {
  usage: 2,
  input: 3,
  backend: 4,
  package: 5,
  output: 1,
  internal: 1,
  cancelled: 130,
};

/** Any error as one that has a code and a sentence. */
export function asLongtakeError(error: unknown): LongtakeError {
  if (error instanceof LongtakeError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new LongtakeError('internal', `Something went wrong inside Longtake: ${reason}`, { cause: error });
}
