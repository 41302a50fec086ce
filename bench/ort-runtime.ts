import type { InferenceSession } from 'onnxruntime-web';
import type { OrtModule, OrtRuntime } from '../src/engine/world/ort/ort-module.ts';
import { SESSION_OPTIONS } from '../src/engine/world/ort/session-options.ts';

type OrtWeb = OrtModule & { env: { wasm: { numThreads?: number }; logLevel?: string } };

/**
 * onnxruntime-web with both of its providers (one wasm file for WebGPU and processor).
 * @returns null where this JavaScript engine cannot suspend WebAssembly calls (Node below 24)
 */
export async function ortWeb(): Promise<OrtWeb | null> {
  if (!('Suspending' in WebAssembly)) return null;
  const module = (await import('onnxruntime-web/jspi')) as unknown as OrtWeb;
  // For more threads it fetches its own script from a file address, which Node refuses.
  module.env.wasm.numThreads = 1;
  return module;
}

/** onnxruntime-web on one thread of the processor, as most pages without WebGPU have it. */
export async function wasmRuntime(): Promise<OrtRuntime> {
  const module = await ortWeb();
  if (!module) throw new Error('it needs Node 24');
  module.env.logLevel = 'error';
  return { module, sessionOptions: { ...SESSION_OPTIONS, executionProviders: ['wasm'] }, commitBatch: 2 };
}

/** Options of a session on a device of ours. */
export function webGpuOptions(
  device: GPUDevice,
  graphCapture: boolean,
  freeDimensions: Record<string, number>,
): InferenceSession.SessionOptions {
  return {
    ...SESSION_OPTIONS,
    executionProviders: [{ name: 'webgpu', device } as InferenceSession.WebGpuExecutionProviderOption],
    preferredOutputLocation: 'gpu-buffer',
    enableGraphCapture: graphCapture,
    freeDimensionOverrides: freeDimensions,
  };
}
