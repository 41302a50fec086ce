import type { Gpu } from './gpu.ts';
import { type BoundOperation, record } from './plan.ts';
import { timeSpans } from './timings.ts';

/** Uses of a kernel between two timestamps, and measurements of which the shortest counts. */
const REPEATS = 8;
const ROUNDS = 3;
/**
 * A card that was idle runs at a fifth of its speed for some milliseconds (an H100: all small kernels alike slow), so nothing
 * counts before it has worked for so many.
 */
const WARM_UP = 30;

/** Microseconds of every candidate, by timestamps where the device has them. @param begin sets the launch values of a pass */
export async function timeCandidates(
  gpu: Gpu,
  candidates: readonly BoundOperation[],
  begin: (pass: GPUComputePassEncoder) => void,
): Promise<number[]> {
  const spans = candidates.map((candidate) => Array.from({ length: REPEATS }, () => candidate));
  const measure = (): Promise<number[]> =>
    gpu.device.features.has('timestamp-query') ? timeSpans(gpu, spans, begin) : wallTimes(gpu, spans, begin);
  const start = performance.now();
  do await measure();
  while (performance.now() - start < WARM_UP);
  const shortest = candidates.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    const times = await measure();
    times.forEach((microseconds, i) => {
      shortest[i] = Math.min(shortest[i]!, microseconds);
    });
  }
  return shortest;
}

async function wallTimes(
  { device }: Gpu,
  spans: readonly (readonly BoundOperation[])[],
  begin: (pass: GPUComputePassEncoder) => void,
): Promise<number[]> {
  const times: number[] = [];
  for (const span of spans) {
    const start = performance.now();
    const encoder = device.createCommandEncoder({ label: 'tuning' });
    const pass = encoder.beginComputePass();
    begin(pass);
    record(pass, span);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    times.push(1000 * (performance.now() - start));
  }
  return times;
}
