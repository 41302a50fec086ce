import { LongtakeError } from '../../types.ts';
import type { Gpu } from './gpu.ts';
import type { Extent, Operation, Place } from './operation.ts';
import { type Lifetime, shareBuffers, type Workspace } from './workspace.ts';

/** Names of the parts of a plan, in the order in which they run; the last one runs once a step. */
export type Section = 'before' | 'step';

/**
 * The dispatches of one kind of pass of a fixed extent, with the buffers they share. `before` runs once a call, `step` once
 * a denoise step (or once, in a commit).
 */
export interface Plan {
  extent: Extent;
  sections: Readonly<Record<Section, readonly Operation[]>>;
  workspace: Workspace;
}

const MAX_WORKGROUPS = 65535;

/**
 * Fixes a plan.
 * @throws LongtakeError `backend` when a pass would need a larger grid than WebGPU allows
 */
export function makePlan(extent: Extent, before: readonly Operation[], step: readonly Operation[]): Plan {
  const operations = [...before, ...step];
  for (const operation of operations) {
    if (operation.workgroups.some((count) => count > MAX_WORKGROUPS)) {
      throw new LongtakeError('backend', 'The picture is too large for the WebGPU backend.');
    }
  }
  return {
    extent,
    sections: { before, step },
    workspace: shareBuffers(lifetimes(before.length, operations)),
  };
}

/** Work tensors that `before` makes and `step` reads stay alive for all steps. */
function lifetimes(firstOfStep: number, operations: readonly Operation[]): Lifetime[] {
  const tensors = new Map<string, Lifetime>();
  operations.forEach((operation, at) => {
    for (const place of Object.values(operation.places)) {
      if (place.kind !== 'work') continue;
      const tensor = tensors.get(place.name) ?? { name: place.name, bytes: 0, first: at, last: at };
      tensor.bytes = Math.max(tensor.bytes, place.floats * 4);
      tensor.last = tensor.first < firstOfStep && at >= firstOfStep ? operations.length : at;
      tensors.set(place.name, tensor);
    }
  });
  return [...tensors.values()];
}

/** An operation ready to be recorded. */
export interface BoundOperation {
  operation: Operation;
  pipeline: GPUComputePipeline;
  bindGroup: GPUBindGroup;
}

/** Gives operations their pipelines and buffers. Pipelines of equal programs are made once. */
export async function bindOperations(
  gpu: Gpu,
  operations: readonly Operation[],
  resolve: (place: Place) => { buffer: GPUBuffer; offset?: number; size?: number },
): Promise<BoundOperation[]> {
  const pipelines = await Promise.all(operations.map((operation) => gpu.pipeline(operation.program)));
  return gpu.allocate(() =>
    operations.map((operation, i) => ({
      operation,
      pipeline: pipelines[i]!,
      bindGroup: gpu.bindGroup(
        operation.program,
        Object.fromEntries(
          Object.entries(operation.places).map(([number, place]) => [number, resolve(place)]),
        ),
      ),
    })),
  );
}

/** Records operations; group 0 (the launch values) must be set. */
export function record(pass: GPUComputePassEncoder, operations: readonly BoundOperation[]): void {
  for (const { operation, pipeline, bindGroup } of operations) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(1, bindGroup);
    pass.dispatchWorkgroups(...operation.workgroups);
  }
}
