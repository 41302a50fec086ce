import type { WorldBackend } from '../backend.ts';
import type { WorldModel } from '../world-model.ts';
import { OutOfGpuMemoryError } from './errors.ts';
import { createWebGpuWorldModel } from './index.ts';
import type { Arithmetic } from './kernel-choice.ts';
import type { KernelSources } from './preprocess.ts';
import { isSoftware } from './software-adapter.ts';
import { tuningOf, type TilesStore } from './tune.ts';

/** What differs between browsers and Node: `platform.browser.ts` and `platform.node.ts`. */
export interface WebGpuPlatform {
  /** @param options.software take a software device where there is no other */
  openGpu(options: { software?: boolean }): Promise<GPU | undefined>;
  loadKernelSources(): Promise<KernelSources>;
  /** Where tiles that were found fastest are kept. */
  tilesStore(): TilesStore;
}

export interface WebGpuBackendOptions {
  /** Accept a software adapter (slower than onnxruntime, good for tests). Not unless given. */
  software?: boolean;
  /** f32 unless given. */
  arithmetic?: Arithmetic | undefined;
  /** Called as the pipelines of a model become ready. */
  onProgress?: (progress: { done: number; total: number }) => void;
}

/** World models on the graphics device, with our own kernels. */
export function webGpuBackend(platform: WebGpuPlatform, options: WebGpuBackendOptions = {}): WorldBackend {
  const software = options.software ?? false;
  return {
    name: 'webgpu',
    async unavailable() {
      let gpu: GPU | undefined;
      try {
        gpu = await platform.openGpu({ software });
      } catch (error) {
        return `WebGPU can not be loaded (${error instanceof Error ? error.message : String(error)})`;
      }
      if (!gpu) return 'there is no WebGPU here';
      const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
      if (!adapter) return 'no graphics device was found';
      if (isSoftware(adapter) && !software) {
        return 'the only graphics device is a software one, slower than the processor backend';
      }
      return null;
    },
    async load(pkg, { signal }) {
      const { world } = pkg.model;
      const kernels = await platform.loadKernelSources();
      const gpu = await platform.openGpu({ software });
      const tuning = tuningOf(pkg, platform.tilesStore());
      const create = (primingChunks?: number): Promise<WorldModel> =>
        createWebGpuWorldModel(world, pkg.file(world.weights), kernels, {
          ...{ gpu, signal, onProgress: options.onProgress, primingChunks },
          ...{ arithmetic: options.arithmetic, tuning },
        });
      try {
        return await create();
      } catch (error) {
        if (!(error instanceof OutOfGpuMemoryError)) throw error;
        // Reading a prefix chunk by chunk is slower and needs about half the memory.
        return create(1);
      }
    },
  };
}
