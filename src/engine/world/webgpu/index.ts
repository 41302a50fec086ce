import type { WorldSpec } from '../../package/model-json.ts';
import { LongtakeError } from '../../types.ts';
import { throwIfCancelled } from '../../cancel.ts';
import { requestWebGpuDevice } from './device.ts';
import { DeviceLostError } from './errors.ts';
import { Gpu } from './gpu.ts';
import { type Arithmetic, chooseKernels, fallbacks, fitsUnits, type KernelChoice } from './kernel-choice.ts';
import { packMatrix } from './pack.ts';
import { packForUnits } from './pack-units.ts';
import type { KernelSources } from './preprocess.ts';
import { WebGpuWorldModel } from './webgpu-world.ts';
import type { Tuning } from './tune.ts';
import { checkSpec, type Packer, readWorldWeights } from './world-weights.ts';

export { requestWebGpuDevice, type DeviceRequest } from './device.ts';
export { DeviceLostError, OutOfGpuMemoryError } from './errors.ts';
export type { KernelSources } from './preprocess.ts';
export { WebGpuWorldModel } from './webgpu-world.ts';

export interface CreateOptions {
  /** The device to use; the caller keeps it. Without it one is requested, and destroyed with the model. */
  device?: GPUDevice | undefined;
  /** Where to look for a device; `navigator.gpu` unless given. */
  gpu?: GPU | undefined;
  /** Called as the pipelines of the model become ready. */
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** Most chunks of one commit pass: more is faster on long prefixes and takes more memory. 8 unless given. */
  primingChunks?: number | undefined;
  /** What the large matrix products are made with; where the device cannot, the next that it can. f32 unless given. */
  arithmetic?: Arithmetic | undefined;
  /** Tries tiles for this device, or uses those remembered. Without it every device gets the same. */
  tuning?: Tuning | undefined;
}

/**
 * Loads a world model onto a WebGPU device.
 * @param weights contents of the package's weights.safetensors
 * @param kernels texts of kernels/, from `loadKernelSources()` of the platform file
 * @throws LongtakeError `backend` (no device, unsupported shapes, OutOfGpuMemoryError, DeviceLostError), `package`,
 * `cancelled`
 */
export async function createWebGpuWorldModel(
  spec: WorldSpec,
  weights: Uint8Array<ArrayBuffer> | { arrayBuffer(): Promise<ArrayBuffer> },
  kernels: KernelSources,
  options: CreateOptions = {},
): Promise<WebGpuWorldModel> {
  checkSpec(spec);
  const bytes = weights instanceof Uint8Array ? weights : new Uint8Array(await weights.arrayBuffer());
  throwIfCancelled(options.signal);
  const device = options.device ?? (await requestWebGpuDevice(options.gpu ?? navigator.gpu));
  try {
    const gpu = new Gpu(device, kernels);
    let failure: unknown;
    for (const arithmetic of fallbacks(options.arithmetic ?? 'f32')) {
      const choice = chooseKernels(device, arithmetic);
      if (!choice) continue;
      try {
        return await createWith(choice, gpu, spec, bytes, options);
      } catch (error) {
        // A driver may list what its compiler then refuses; and f16 weights take more memory than int8.
        const final = !(error instanceof LongtakeError) || error.code !== 'backend';
        if (final || error instanceof DeviceLostError) throw error;
        failure = error;
      }
    }
    throw failure;
  } catch (error) {
    if (!options.device) device.destroy();
    throw error;
  }
}

/** @param choice kernels that are used as they are, for instance in tests */
export function createWith(
  choice: KernelChoice,
  gpu: Gpu,
  spec: WorldSpec,
  weights: Uint8Array<ArrayBuffer>,
  options: CreateOptions,
): Promise<WebGpuWorldModel> {
  const { units } = choice;
  const headLength = spec.width / spec.attention.heads;
  const pack: Packer = (name, parts) =>
    units && fitsUnits(units, headLength, name)
      ? packForUnits(parts, units.unit, units.number)
      : packMatrix(parts);
  return WebGpuWorldModel.create(gpu, spec, readWorldWeights(spec, weights, pack), {
    ...{ choice, primingChunks: options.primingChunks ?? 8 },
    ...{ onProgress: options.onProgress, signal: options.signal, tuning: options.tuning },
    ownsDevice: !options.device,
  });
}
