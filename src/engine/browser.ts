/** The engine for browsers, to be used inside a worker; pages use ./worker/client.ts. */
import { loadedModel } from './loaded-model.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { WorldPackage } from './package/world-package.ts';
import { loadDurably } from './world/backend.ts';
import type { BackendChoice, WorldBackend } from './world/backend.ts';
import { browserRuntime } from './world/ort/browser-runtime.ts';
import { ortBackend } from './world/ort/ort-backend.ts';
import * as platform from './world/webgpu/platform.browser.ts';
import { webGpuBackend } from './world/webgpu/webgpu-backend.ts';

export * from './index.ts';
export { httpFolder } from './package/http-folder.ts';

const processor = ortBackend(browserRuntime);

/**
 * Backends of this browser, best first. WebGPU on a software device is slower than onnxruntime, so it takes part only when
 * WebGPU is asked for by name.
 */
export function backendsFor(choice: BackendChoice): readonly WorldBackend[] {
  return [webGpuBackend(platform, { software: choice === 'webgpu' }), processor];
}

/**
 * Loads a package in this browser.
 * @param options backend `auto` (default) takes WebGPU where it works, else onnxruntime's WebAssembly
 * @throws LongtakeError `backend` when none works, or the one asked for does not; `cancelled`
 */
export async function loadWorldModel(
  pkg: WorldPackage,
  options: { backend?: BackendChoice; signal?: AbortSignal } = {},
): Promise<LoadedModel> {
  return loadedModel(pkg, await loadDurably(pkg, backendsFor(options.backend ?? 'auto'), options));
}
