import type { WorldSpec } from '../../package/model-json.ts';
import { throwIfCancelled } from '../../cancel.ts';
import { requestWebGpuDevice } from './device.ts';
import { Gpu } from './gpu.ts';
import type { KernelSources } from './preprocess.ts';
import { WebGpuWorldModel } from './webgpu-world.ts';
import { checkSpec, readWorldWeights } from './world-weights.ts';

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
  const laidOut = readWorldWeights(spec, bytes);
  throwIfCancelled(options.signal);
  const device = options.device ?? (await requestWebGpuDevice(options.gpu ?? navigator.gpu));
  try {
    return await WebGpuWorldModel.create(new Gpu(device, kernels), spec, laidOut, {
      primingChunks: options.primingChunks ?? 8,
      onProgress: options.onProgress,
      signal: options.signal,
      ownsDevice: !options.device,
    });
  } catch (error) {
    if (!options.device) device.destroy();
    throw error;
  }
}
