import type { InferenceSession } from 'onnxruntime-web';

/** Options that hold wherever onnxruntime runs. */
export const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  graphOptimizationLevel: 'all',
  // Error: warnings about our contrib operators are of no use to anyone.
  logSeverityLevel: 3,
  // Without the passes for quantised models the 8-bit weights become floats once, at load, and can be packed for Gemm.
  extra: { session: { disable_quant_qdq: '1' } },
};
