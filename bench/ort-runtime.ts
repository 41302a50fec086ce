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
  return (await import('onnxruntime-web/jspi')) as unknown as OrtWeb;
}

/** onnxruntime-web on the processor, as a browser without WebGPU has it. */
export async function wasmRuntime(threads: number): Promise<OrtRuntime> {
  const module = await ortWeb();
  if (!module) throw new Error('it needs Node 24');
  module.env.wasm.numThreads = threads;
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
