import type { Binding, Gpu } from './gpu.ts';
import { LAUNCH_SLOT, type LaunchValues, packLaunch, plainLaunch } from './launch.ts';
import type { Program, Workgroups } from './program.ts';

/**
 * Runs one kernel on its own, as the tests and the parity report do.
 * @param inputs by binding number: data to upload, or the number of floats of a zeroed output
 * @returns the contents of the buffers bound for writing, by binding number
 */
export async function runKernel(
  gpu: Gpu,
  program: Program,
  workgroups: Workgroups,
  launch: Partial<LaunchValues>,
  inputs: Readonly<Record<number, Float32Array | Uint32Array | number>>,
): Promise<Record<number, Float32Array>> {
  const pipeline = await gpu.pipeline(program);
  const arena = new ArrayBuffer(LAUNCH_SLOT);
  packLaunch({ ...plainLaunch(0), ...launch }, arena, 0);
  const buffers = new Map<number, { buffer: GPUBuffer; bytes: number }>();
  const uniform = gpu.device.createBuffer({
    size: LAUNCH_SLOT,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  try {
    gpu.device.queue.writeBuffer(uniform, 0, arena);
    const bindings: Record<number, Binding> = {};
    for (const number of Object.keys(program.bindings).map(Number)) {
      const input = inputs[number] ?? 0;
      const data = typeof input === 'number' ? new Float32Array(input) : input;
      const buffer = gpu.upload(`${program.file} ${number}`, data);
      buffers.set(number, { buffer, bytes: data.byteLength });
      bindings[number] = { buffer };
    }
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      gpu.device.createBindGroup({
        layout: gpu.launchLayout,
        entries: [{ binding: 0, resource: { buffer: uniform, size: LAUNCH_SLOT } }],
      }),
      [0],
    );
    pass.setBindGroup(1, gpu.bindGroup(program, bindings));
    pass.dispatchWorkgroups(...workgroups);
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);
    const outputs: Record<number, Float32Array> = {};
    for (const [number, access] of Object.entries(program.bindings)) {
      if (access === 'write')
        outputs[Number(number)] = new Float32Array(await gpu.read([buffers.get(Number(number))!]));
    }
    return outputs;
  } finally {
    for (const { buffer } of buffers.values()) buffer.destroy();
    uniform.destroy();
  }
}
