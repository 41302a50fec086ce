import { describe, expect, it } from 'vitest';
import { compareCandidates } from '../../src/engine/world/webgpu/candidate-times.ts';
import { uploadWeights } from '../../src/engine/world/webgpu/device-weights.ts';
import { requestWebGpuDevice } from '../../src/engine/world/webgpu/device.ts';
import { Gpu } from '../../src/engine/world/webgpu/gpu.ts';
import { DeviceLostError } from '../../src/engine/world/webgpu/index.ts';
import { PLAIN_KERNELS } from '../../src/engine/world/webgpu/kernel-choice.ts';
import { packMatrix } from '../../src/engine/world/webgpu/pack.ts';
import { loadKernelSources, openGpu } from '../../src/engine/world/webgpu/platform.node.ts';
import { ProductTrial } from '../../src/engine/world/webgpu/product-trial.ts';
import { spanOn, spanTimer } from '../../src/engine/world/webgpu/span-timer.ts';
import { makePlans } from '../../src/engine/world/webgpu/world-plans.ts';
import { readWorldWeights } from '../../src/engine/world/webgpu/world-weights.ts';
import { readTiny } from './tiny-package.ts';

const tiny = await readTiny();

/** A product of the tiny model, with its default tile and one more. */
async function openTrial(gpu: Gpu): Promise<ProductTrial> {
  const packed = readWorldWeights(tiny.spec, tiny.weights, (_, parts) => packMatrix(parts));
  const weights = await uploadWeights(gpu, packed);
  const plans = makePlans(tiny.spec, weights.formats, 1, PLAIN_KERNELS);
  const operation = plans.denoise.sections.step.find(({ product }) => product?.matrix.endsWith('.mlpUp'))!;
  const tile = { m: 16, n: 32, k: 16, slices: 2 };
  return ProductTrial.make(gpu, operation, weights.buffers, PLAIN_KERNELS, [tile, tile]);
}

async function withoutTimestamps(): Promise<GPUDevice> {
  const adapter = await (await openGpu({ software: true }))!.requestAdapter();
  return adapter!.requestDevice();
}

const devices: Record<string, () => Promise<GPUDevice>> = {
  'by timestamps': async () => requestWebGpuDevice(await openGpu({ software: true })),
  "by the processor's clock": withoutTimestamps,
};

describe.each(Object.entries(devices))('timing candidates %s', (name, open) => {
  it('gives every span of every batch its time, compares, and says when the device is lost', async () => {
    const gpu = new Gpu(await open(), await loadKernelSources());
    expect(gpu.device.features.has('timestamp-query')).toBe(name === 'by timestamps');
    const trial = await openTrial(gpu);
    expect(trial.asked).toBe(2);
    expect(trial.made.map(({ tile }) => tile && 'k' in tile)).toEqual([null, true]);
    const [first, second] = trial.made.map(({ candidate }) => candidate);
    const time = spanTimer(gpu);
    const batches = [
      [
        { candidate: first!, uses: 1 },
        { candidate: second!, uses: 2 },
        { candidate: first!, uses: 40 },
      ],
      [{ candidate: second!, uses: 1 }],
      // More timestamps than one place for them in a buffer has.
      Array.from({ length: 20 }, () => ({ candidate: first!, uses: 1 })),
    ];
    const times = await time(batches);
    expect(times.map(({ length }) => length)).toEqual([3, 1, 20]);
    for (const microseconds of times.flat()) expect(microseconds).toBeGreaterThan(0);
    expect(times[0]![2]).toBeGreaterThan(3 * Math.min(...times[2]!));
    expect(spanOn(gpu)).toBeGreaterThanOrEqual(200);

    const limits = { span: spanOn(gpu), budget: 300, now: () => performance.now() };
    const [comparison] = await compareCandidates(time, [[first!, second!]], limits);
    expect(comparison!.microseconds).toBeGreaterThan(0);
    expect(comparison!.microseconds).toBeLessThan(1e6);
    expect(comparison!.standings).toHaveLength(1);

    gpu.device.destroy();
    await expect(time(batches)).rejects.toBeInstanceOf(DeviceLostError);
    trial.free();
  });
});
