import { LongtakeError } from '../types.ts';
import type { SentError } from './protocol.ts';

/** An error as it travels between page and worker. */
export function packError(error: unknown): SentError {
  if (!(error instanceof LongtakeError)) {
    return {
      code: 'internal',
      message: 'The engine failed in a way it did not expect.',
      detail: String(error),
    };
  }
  const { code, message, cause } = error;
  return cause === undefined ? { code, message } : { code, message, detail: String(cause) };
}

export function unpackError({ code, message, detail }: SentError): LongtakeError {
  return new LongtakeError(code, message, detail === undefined ? {} : { cause: new Error(detail) });
}
