import { LongtakeError } from '../../types.ts';

/** What we ask of a device where the adapter has more than the default. */
const WANTED_LIMITS: Record<string, number> = {
  maxBufferSize: 2 ** 30,
  maxStorageBufferBindingSize: 2 ** 30,
  maxComputeWorkgroupStorageSize: 49152,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
  maxStorageBuffersPerShaderStage: 16,
};

const WANTED_FEATURES = [
  'shader-f16',
  'subgroups',
  'timestamp-query',
  // Matrix units; browsers have them behind a flag so far.
  'chromium-experimental-subgroup-matrix',
] as GPUFeatureName[];

export interface DeviceRequest {
  /** Ask for nothing beyond the default limits. */
  defaultLimits?: boolean;
  /** Take a software adapter where the browser offers one beside the real one. */
  software?: boolean;
  /** Features to ask for beside those that our kernels can use, where the adapter has them. */
  features?: readonly string[];
}

/**
 * A device of our own, with every limit at min(adapter, wanted) and the features our kernels can use.
 * @param gpu `navigator.gpu`, or what `openGpu()` of the platform file gives; undefined where there is no WebGPU
 * @throws LongtakeError `backend` when there is no adapter
 */
export async function requestWebGpuDevice(
  gpu: GPU | undefined,
  request: DeviceRequest = {},
): Promise<GPUDevice> {
  const adapter = await gpu?.requestAdapter(
    request.software ? { forceFallbackAdapter: true } : { powerPreference: 'high-performance' },
  );
  if (!adapter) {
    throw new LongtakeError('backend', 'No graphics device with WebGPU was found on this computer.');
  }
  const requiredLimits: Record<string, number> = {};
  if (!request.defaultLimits) {
    const offered = adapter.limits as unknown as Record<string, number | undefined>;
    for (const [name, wanted] of Object.entries(WANTED_LIMITS)) {
      const limit = offered[name];
      if (limit !== undefined) requiredLimits[name] = Math.min(limit, wanted);
    }
  }
  const wanted = [...WANTED_FEATURES, ...(request.features ?? [])] as GPUFeatureName[];
  const requiredFeatures = wanted.filter((feature) => adapter.features.has(feature));
  try {
    const device = await adapter.requestDevice({ requiredLimits, requiredFeatures });
    adapterInfos.set(device, adapter.info);
    return device;
  } catch (cause) {
    throw new LongtakeError('backend', 'The graphics device could not be opened.', { cause });
  }
}

const adapterInfos = new WeakMap<GPUDevice, GPUAdapterInfo>();

/** What is known of an adapter, with what Chromium adds where matrix units can be used. */
export type AdapterInfo = GPUAdapterInfo & {
  subgroupMatrixConfigs?: Iterable<MatrixConfig>;
  subgroupMaxSize?: number;
};

/** One product that a device's matrix units make: M × K numbers by K × N. */
export interface MatrixConfig {
  componentType: string;
  resultComponentType: string;
  M: number;
  N: number;
  K: number;
}

/**
 * What is known of a device's adapter. The list of matrix units is the adapter's own where the device has none: Dawn's node
 * binding leaves it out there.
 */
export function adapterInfoOf(device: GPUDevice): AdapterInfo {
  const info: AdapterInfo = device.adapterInfo;
  return [...(info.subgroupMatrixConfigs ?? [])].length > 0 ? info : (adapterInfos.get(device) ?? info);
}
