import type { Gpu } from './gpu.ts';
import type { PackedMatrix } from './pack.ts';
import type { WeightFormats } from './hand-over.ts';
import type { WorldWeights } from './world-weights.ts';

/** The weights on the device, by the names that operations.ts uses. */
export interface DeviceWeights {
  buffers: ReadonlyMap<string, GPUBuffer>;
  formats: WeightFormats;
  bytes: number;
}

/** Uploads the weights. @throws OutOfGpuMemoryError */
export async function uploadWeights(gpu: Gpu, weights: WorldWeights): Promise<DeviceWeights> {
  const arrays: [string, Float32Array | Uint32Array][] = [
    ['places', weights.places],
    ['rayFrequencies', weights.rayFrequencies],
    ['points', weights.points],
  ];
  const formats = new Map<string, PackedMatrix['format']>();
  const addMatrix = (name: string, matrix: PackedMatrix): void => {
    formats.set(name, matrix.format);
    arrays.push([name, matrix.weights], [`${name}.columns`, matrix.columns]);
    if (matrix.tail) arrays.push([`${name}.tail`, matrix.tail]);
  };
  for (const name of MATRICES) addMatrix(name, weights[name]);
  weights.layers.forEach((layer, index) => {
    for (const name of LAYER_MATRICES) addMatrix(`layers.${index}.${name}`, layer[name]);
    if (layer.pose) addMatrix(`layers.${index}.pose`, layer.pose);
  });
  const buffers = await gpu.allocate(
    () => new Map(arrays.map(([name, data]) => [name, gpu.upload(name, data)] as const)),
  );
  return {
    buffers,
    formats: (name) => formats.get(name)!,
    bytes: arrays.reduce((sum, [, data]) => sum + data.byteLength, 0),
  };
}

const MATRICES = ['embed', 'camera', 'levelFirst', 'levelSecond', 'finalModulation', 'finalProj'] as const;

const LAYER_MATRICES = [
  'modulation',
  'projection',
  'scanOut',
  'qkv',
  'attentionOut',
  'mlpUp',
  'mlpDown',
] as const;
