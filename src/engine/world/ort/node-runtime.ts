import { availableParallelism } from 'node:os';
import type { OrtRuntime } from './ort-module.ts';
import { SESSION_OPTIONS } from './session-options.ts';

/** onnxruntime's native library under Node, on all processor cores (at most 4 threads a run). */
export async function nodeRuntime(): Promise<OrtRuntime> {
  const module = await import('onnxruntime-node');
  return {
    module,
    sessionOptions: {
      ...SESSION_OPTIONS,
      executionProviders: ['cpu'],
      intraOpNumThreads: Math.min(4, availableParallelism()),
    },
    commitBatch: 4,
  };
}
