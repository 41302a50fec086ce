import { LongtakeError } from '../../types.ts';
import type { Gpu } from './gpu.ts';
import { type BoundOperation, record } from './plan.ts';

/** How long an operation takes on the device. */
export interface OperationTime {
  name: string;
  /** Kernel file. */
  file: string;
  microseconds: number;
}

/** Operations timed between two read-backs: two timestamps each, 4,096 in the largest query set. */
const BATCH = 1024;

/**
 * Times operations one by one with timestamp queries; each runs `repeats` times in a pass of its own, because browsers
 * round timestamps to 100 µs. What the operations compute meanwhile is worthless.
 * @param begin sets the launch values of a pass
 * @throws LongtakeError `backend` on devices without timestamp queries
 */
export async function timeOperations(
  gpu: Gpu,
  operations: readonly BoundOperation[],
  begin: (pass: GPUComputePassEncoder) => void,
  repeats: number,
): Promise<OperationTime[]> {
  const times: OperationTime[] = [];
  for (let start = 0; start < operations.length; start += BATCH) {
    const batch = operations.slice(start, start + BATCH);
    const spans = batch.map((operation) => Array.from({ length: repeats }, () => operation));
    const microseconds = await timeSpans(gpu, spans, begin);
    batch.forEach(({ operation }, i) => {
      const { name, program } = operation;
      times.push({ name, file: program.file, microseconds: microseconds[i]! / repeats });
    });
  }
  return times;
}

/**
 * Times spans of operations, each in a pass of its own: [span] in microseconds.
 * @param begin sets the launch values of a pass
 * @throws LongtakeError `backend` on devices without timestamp queries
 */
export async function timeSpans(
  gpu: Gpu,
  spans: readonly (readonly BoundOperation[])[],
  begin: (pass: GPUComputePassEncoder) => void,
): Promise<number[]> {
  const { device } = gpu;
  if (!device.features.has('timestamp-query')) {
    throw new LongtakeError('backend', 'This graphics device cannot measure time.');
  }
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 * spans.length });
  const resolved = await gpu.allocate(() =>
    device.createBuffer({
      size: 16 * spans.length,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    }),
  );
  try {
    const encoder = device.createCommandEncoder({ label: 'timing' });
    spans.forEach((span, i) => {
      const pass = encoder.beginComputePass({
        timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 },
      });
      begin(pass);
      record(pass, span);
      pass.end();
    });
    encoder.resolveQuerySet(querySet, 0, 2 * spans.length, resolved, 0);
    device.queue.submit([encoder.finish()]);
    const stamps = new BigUint64Array(await gpu.read([{ buffer: resolved, bytes: 16 * spans.length }]));
    return spans.map((_, i) => Number(stamps[2 * i + 1]! - stamps[2 * i]!) / 1000);
  } finally {
    querySet.destroy();
    resolved.destroy();
  }
}
