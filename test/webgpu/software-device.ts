import { requestWebGpuDevice } from '../../src/engine/world/webgpu/device.ts';
import { Gpu } from '../../src/engine/world/webgpu/gpu.ts';
import { loadKernelSources, openGpu } from '../../src/engine/world/webgpu/platform.node.ts';

/** A device (Chromium's software rasteriser where there is no GPU) with the default limits only, and the kernels. */
export async function openSoftwareGpu(): Promise<Gpu> {
  const device = await requestWebGpuDevice(await openGpu({ software: true }), { defaultLimits: true });
  return new Gpu(device, await loadKernelSources());
}
