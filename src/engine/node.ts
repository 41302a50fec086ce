/** The engine for Node programs: command line, batch, tests. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadedModel } from './loaded-model.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { ModelJson } from './package/model-json.ts';
import { nodeFolder } from './package/node-folder.ts';
import { parseModelJson } from './package/validate.ts';
import type { WorldPackage } from './package/world-package.ts';
import { measureParity, recordedRollout } from './parity/parity.ts';
import type { ParityRow } from './parity/parity.ts';
import { Recording } from './parity/recording.ts';
import type { ParityCandidate, ParitySubject } from './parity/rollout.ts';
import { wanderingRollout } from './parity/wandering.ts';
import { LongtakeError } from './types.ts';
import { loadDurably, loadOnBackend } from './world/backend.ts';
import type { BackendChoice, WorldBackend } from './world/backend.ts';
import { nodeRuntime } from './world/ort/node-runtime.ts';
import { ortBackend } from './world/ort/ort-backend.ts';
import * as platform from './world/webgpu/platform.node.ts';
import { webGpuBackend } from './world/webgpu/webgpu-backend.ts';
import { WebGpuWorldModel } from './world/webgpu/webgpu-world.ts';

export * from './index.ts';
export { nodeFolder } from './package/node-folder.ts';
export { formatParity } from './parity/parity.ts';
export type { ParityRow } from './parity/parity.ts';

/** The checkout's own world-model packages. */
export const DEFAULT_MODELS = fileURLToPath(new URL('../../models/', import.meta.url));

const quickProcessor = ortBackend(nodeRuntime);
const exactProcessor = ortBackend(nodeRuntime, { exact: true });

/**
 * Backends of this machine, best first. WebGPU on a software device is slower than onnxruntime, so it takes part only when
 * WebGPU is asked for by name.
 */
export function backendsFor(choice: BackendChoice): readonly WorldBackend[] {
  const arithmetic = platform.arithmeticAskedFor();
  const processor = arithmetic === 'f32' ? exactProcessor : quickProcessor;
  if (choice === 'webgpu') return [webGpuBackend(platform, { software: true, arithmetic })];
  return hasGraphicsDevice() ? [webGpuBackend(platform, { arithmetic }), processor] : [processor];
}

/**
 * Whether there may be a graphics device at all. Without its node under Linux (graphics card, NVIDIA driver, Windows
 * subsystem) only software devices could be found; not looking for them saves time and the drivers' complaints.
 */
function hasGraphicsDevice(): boolean {
  return (
    process.platform !== 'linux' ||
    ['/dev/dri', '/dev/nvidiactl', '/dev/dxg'].some((path) => existsSync(path))
  );
}

/**
 * Loads a package on this machine.
 * @param options backend `auto` (default) takes WebGPU where it works, else onnxruntime
 * @throws LongtakeError `backend` when none works, or the one asked for does not; `cancelled`
 */
export async function loadWorldModel(
  pkg: WorldPackage,
  options: { backend?: BackendChoice; signal?: AbortSignal } = {},
): Promise<LoadedModel> {
  return loadedModel(pkg, await loadDurably(pkg, backendsFor(options.backend ?? 'auto'), options));
}

/** One folder that holds, or should hold, a world-model package. */
export interface PackageListing {
  name: string;
  folder: string;
  /** Contents of its model.json; the other files are not checked. */
  model?: ModelJson;
  /** Why it can not be used. */
  error?: LongtakeError;
}

/**
 * Lists the packages in a folder such as `models/`, by name; [] when the folder is not there.
 * Only model.json is read: openPackage verifies the rest.
 */
export async function listPackages(modelsFolder: string = DEFAULT_MODELS): Promise<PackageListing[]> {
  const root = resolve(modelsFolder);
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    folders.sort().map(async (name): Promise<PackageListing> => {
      const folder = join(root, name);
      try {
        return { name, folder, model: parseModelJson(await nodeFolder(folder).read('model.json', {})) };
      } catch (error) {
        if (error instanceof LongtakeError) return { name, folder, error };
        throw error;
      }
    }),
  );
}

function parityBackend(subject: ParitySubject): WorldBackend {
  if (subject === 'webgpu') return backendsFor('webgpu')[0]!;
  return subject === 'ort' ? exactProcessor : quickProcessor;
}

/**
 * Runs one rollout on every subject named and compares the numbers (`longtake models parity`); WebGPU's kernels are also
 * compared one by one with double precision.
 * @param recording a rollout of this very package recorded from PyTorch (training/longtake_training/record.py); without it
 *   the subjects are judged by the first one
 * @throws LongtakeError `backend` when one of them can not run here, `package` for a recording of something else
 */
export async function packageParity(
  pkg: WorldPackage,
  subjects: readonly ParitySubject[],
  options: { recording?: string; signal?: AbortSignal } = {},
): Promise<ParityRow[]> {
  const { recording, signal } = options;
  const layers = pkg.model.world.layers.length;
  const file =
    recording === undefined ? null : await nodeFolder(dirname(recording)).read(basename(recording), {});
  const recorded = file && recordedRollout(new Recording(file as Uint8Array<ArrayBuffer>), layers);
  const input = recorded?.input ?? wanderingRollout(pkg.model);
  const { kernelParity } = await import('./world/webgpu/parity/kernel-parity.ts');
  const candidates: ParityCandidate[] = [];
  try {
    for (const by of subjects) {
      const backend = parityBackend(by);
      const only = { backend: backend.name, ...(signal && { signal }) };
      candidates.push({ by, world: await loadOnBackend(pkg, [backend], only) });
    }
    const kernels: ParityRow[] = [];
    for (const { world } of candidates) {
      if (world instanceof WebGpuWorldModel) kernels.push(...(await kernelParity(world, input, signal)));
    }
    return [...kernels, ...(await measureParity(candidates, input, recorded?.trace ?? null, signal))];
  } finally {
    for (const { world } of candidates) world.dispose();
  }
}
