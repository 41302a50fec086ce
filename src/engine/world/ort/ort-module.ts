import type { InferenceSession, InferenceSessionFactory, TensorConstructor } from 'onnxruntime-web';

/** The part of onnxruntime that the engine uses; onnxruntime-node and onnxruntime-web both have it. */
export interface OrtModule {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

export interface OrtRuntime {
  module: OrtModule;
  /** Execution provider, threads and the like. */
  sessionOptions: InferenceSession.SessionOptions;
  /** Most chunks committed in one run: more is faster and takes more memory. */
  commitBatch: number;
}

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs one onnxruntime call after all earlier ones: onnxruntime-web corrupts memory when calls overlap, whichever sessions
 * they belong to.
 */
export function inOrtQueue<T>(call: () => Promise<T>): Promise<T> {
  const result = last.then(call);
  last = result.catch(() => undefined);
  return result;
}
