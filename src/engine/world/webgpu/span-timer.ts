import type { Gpu } from './gpu.ts';
import type { BoundOperation } from './plan.ts';
import { timePasses } from './timings.ts';

/** One candidate, used so many times between two looks at the clock. */
export interface Span<T> {
  candidate: T;
  uses: number;
}

/**
 * Microseconds of spans: [batch][span]. Spans of a batch follow each other closely, and the device goes from one batch to the
 * next without a pause, as far as it can be made to.
 */
export type SpanTimer<T> = (batches: readonly (readonly Span<T>[])[]) => Promise<number[][]>;

/** An operation on buffers of its own. */
export interface Candidate {
  bound: BoundOperation;
  /** Sets the launch values of a pass. */
  begin: (pass: GPUComputePassEncoder) => void;
}

/** Microseconds that a span needs: by timestamps, and by the processor's clock, which sees what is around it too. */
const [SPAN, WALL_SPAN] = [200, 2000];

/** Microseconds that a span should take at least on a device. */
export function spanOn({ device }: Gpu): number {
  return device.features.has('timestamp-query') ? SPAN : WALL_SPAN;
}

/**
 * Times candidates on a device: by timestamps where it has them, else by the processor's clock, with a pause after every span.
 * The timer throws DeviceLostError, OutOfGpuMemoryError. At most 2,048 spans a batch.
 */
export function spanTimer(gpu: Gpu): SpanTimer<Candidate> {
  if (!gpu.device.features.has('timestamp-query')) return (batches) => wallTimes(gpu, batches);
  return (batches) =>
    timePasses(
      gpu,
      batches.map((spans) => spans.map((span) => (pass: GPUComputePassEncoder) => recordUses(pass, span))),
    );
}

function recordUses(pass: GPUComputePassEncoder, { candidate, uses }: Span<Candidate>): void {
  const { operation, pipeline, bindGroup } = candidate.bound;
  candidate.begin(pass);
  pass.setPipeline(pipeline);
  pass.setBindGroup(1, bindGroup);
  for (let use = 0; use < uses; use++) pass.dispatchWorkgroups(...operation.workgroups);
}

async function wallTimes(gpu: Gpu, batches: readonly (readonly Span<Candidate>[])[]): Promise<number[][]> {
  const { queue } = gpu.device;
  const times: number[][] = [];
  for (const spans of batches) {
    const own: number[] = [];
    for (const span of spans) {
      const encoder = gpu.device.createCommandEncoder({ label: 'tuning' });
      const pass = encoder.beginComputePass();
      recordUses(pass, span);
      pass.end();
      const commands = encoder.finish();
      const start = performance.now();
      queue.submit([commands]);
      await gpu.guard(queue.onSubmittedWorkDone());
      own.push(1000 * (performance.now() - start));
    }
    times.push(own);
  }
  return times;
}
