import type { OrtRuntime } from './ort-module.ts';
import { SESSION_OPTIONS } from './session-options.ts';

/**
 * onnxruntime's WebAssembly build, from the page's own origin (the bundler places the .wasm file). One thread, or
 * where the page is cross-origin isolated half as many as there are processor cores, up to 4: with one a core they get in
 * each other's way (measured on 2 cores).
 */
export async function browserRuntime(): Promise<OrtRuntime> {
  const module = await import('onnxruntime-web/wasm');
  module.env.wasm.numThreads = globalThis.crossOriginIsolated
    ? Math.min(4, Math.ceil(navigator.hardwareConcurrency / 2))
    : 1;
  module.env.logLevel = 'error';
  return { module, sessionOptions: { ...SESSION_OPTIONS, executionProviders: ['wasm'] }, commitBatch: 2 };
}
