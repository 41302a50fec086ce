import type { InferenceSession } from 'onnxruntime-web';
import { throwIfCancelled } from '../../cancel.ts';
import { LongtakeError } from '../../types.ts';
import type { WorldPackage } from '../../package/world-package.ts';
import type { WorldBackend } from '../backend.ts';
import { inOrtQueue } from './ort-module.ts';
import type { OrtRuntime } from './ort-module.ts';
import { OrtWorldModel } from './ort-world.ts';

/**
 * World models through onnxruntime on the processor.
 * @param runtime loads onnxruntime on first use; rejects where it can not run
 * @param options exact: all in float32, as other backends and PyTorch are compared with it. Otherwise 8-bit products where
 *   the package has graphs for them: about 1.6 times as fast, and no difference that can be seen (docs/performance.md)
 */
export function ortBackend(
  runtime: () => Promise<OrtRuntime>,
  options: { exact?: boolean } = {},
): WorldBackend {
  let loading: Promise<OrtRuntime> | null = null;
  const load = (): Promise<OrtRuntime> => (loading ??= runtime());
  return {
    name: 'ort',
    async unavailable() {
      try {
        await load();
        return null;
      } catch (error) {
        loading = null;
        return `onnxruntime can not be loaded (${error instanceof Error ? error.message : String(error)})`;
      }
    },
    async load(pkg, { signal }) {
      const { module, sessionOptions, commitBatch } = await load();
      const { world } = pkg.model;
      const create = async (graph: string): Promise<InferenceSession> => {
        throwIfCancelled(signal);
        try {
          return await inOrtQueue(() =>
            module.InferenceSession.create(pkg.file(graph), {
              ...sessionOptions,
              externalData: weightsOf(pkg),
            }),
          );
        } catch (cause) {
          throw new LongtakeError('backend', `onnxruntime can not load ${graph} of the world model.`, {
            cause,
          });
        }
      };
      const graphs = options.exact ? world.graphs : (world.graphs.int8 ?? world.graphs);
      const denoise = await create(graphs.denoise);
      try {
        const commit = await create(graphs.commit);
        return new OrtWorldModel(world, module, denoise, commit, commitBatch);
      } catch (error) {
        await inOrtQueue(() => denoise.release());
        throw error;
      }
    },
  };
}

function weightsOf(pkg: WorldPackage): { path: string; data: Uint8Array }[] {
  const path = pkg.model.world.weights;
  return [{ path, data: pkg.file(path) }];
}
