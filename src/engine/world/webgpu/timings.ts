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
  const passes = spans.map((span) => (pass: GPUComputePassEncoder): void => {
    begin(pass);
    record(pass, span);
  });
  const [times] = await timePasses(gpu, [passes]);
  return times!;
}

/** Where a buffer may take timestamps, in bytes. */
const RESOLVE_ALIGNMENT = 256;

/**
 * Times passes: [batch][pass] in microseconds. A batch is one command buffer; the device goes from one to the next without a
 * pause.
 * @param batches what is recorded into the passes; at most 2,048 passes a batch, as many as a query set holds
 * @throws LongtakeError `backend` on devices without timestamp queries, DeviceLostError, OutOfGpuMemoryError
 */
export async function timePasses(
  gpu: Gpu,
  batches: readonly (readonly ((pass: GPUComputePassEncoder) => void)[])[],
): Promise<number[][]> {
  const { device } = gpu;
  if (!device.features.has('timestamp-query')) {
    throw new LongtakeError('backend', 'This graphics device cannot measure time.');
  }
  const places: { offset: number; bytes: number }[] = [];
  let size = 0;
  for (const { length } of batches) {
    places.push({ offset: size, bytes: 16 * length });
    size += RESOLVE_ALIGNMENT * Math.ceil((16 * length) / RESOLVE_ALIGNMENT);
  }
  const resolved = await gpu.allocate(() => gpu.timestamps('timestamps', size));
  const querySets: GPUQuerySet[] = [];
  try {
    for (const [i, passes] of batches.entries()) {
      const querySet = device.createQuerySet({ type: 'timestamp', count: 2 * passes.length });
      querySets.push(querySet);
      const encoder = device.createCommandEncoder({ label: 'timing' });
      passes.forEach((recordInto, at) => {
        const pass = encoder.beginComputePass({
          timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * at, endOfPassWriteIndex: 2 * at + 1 },
        });
        recordInto(pass);
        pass.end();
      });
      encoder.resolveQuerySet(querySet, 0, 2 * passes.length, resolved, places[i]!.offset);
      // Submitted while the next batch is recorded: a card that waits lowers its clock.
      device.queue.submit([encoder.finish()]);
    }
    const stamps = new BigUint64Array(
      await gpu.read(places.map((place) => ({ buffer: resolved, ...place }))),
    );
    let at = 0;
    return batches.map((passes) =>
      passes.map(() => {
        const [start, end] = [stamps[at++]!, stamps[at++]!];
        return Number(end - start) / 1000;
      }),
    );
  } finally {
    for (const querySet of querySets) querySet.destroy();
    resolved.destroy();
  }
}
