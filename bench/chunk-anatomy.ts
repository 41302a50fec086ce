/**
 * Where the time of a chunk goes on the graphics device: calls of a session by themselves, wall time, median.
 *
 *     npx tsx bench/chunk-anatomy.ts [MODEL-FOLDER] [f32|f16|matrix-units] [RUNS]
 *
 * What denoise passes cost more than their number times the slope is what a call costs beside its passes.
 */
import { openPackage, nodeFolder } from '../src/engine/node.ts';
import { wanderingRollout } from '../src/engine/parity/wandering.ts';
import { levelsFor } from '../src/engine/sampler/levels.ts';
import { requestWebGpuDevice } from '../src/engine/world/webgpu/device.ts';
import { createWebGpuWorldModel } from '../src/engine/world/webgpu/index.ts';
import type { Arithmetic } from '../src/engine/world/webgpu/kernel-choice.ts';
import { loadKernelSources, openGpu } from '../src/engine/world/webgpu/platform.node.ts';
import { median } from '../src/engine/median.ts';
import { wallTimes } from './wall-times.ts';

const [folder = 'models/maze-64', arithmetic = 'f32', runs = '30'] = process.argv.slice(2);
const { model, file } = await openPackage(await nodeFolder(folder));
const device = await requestWebGpuDevice(await openGpu({ software: true }));
const world = await createWebGpuWorldModel(
  model.world,
  file(model.world.weights),
  await loadKernelSources(),
  { device, arithmetic: arithmetic as Arithmetic },
);
const session = await world.createSession();
const { chunks } = wanderingRollout(model, 2, 1);
const [first, second, chunk] = chunks as [(typeof chunks)[0], (typeof chunks)[0], (typeof chunks)[0]];
await session.commit([first, second]);

async function print(what: string, call: () => Promise<unknown>): Promise<void> {
  console.log(`${what.padEnd(40)}${median(await wallTimes(Number(runs), 2, call)).toFixed(3)} ms`);
}

const noise = { seed: 1, chunk: 2 };
for (const steps of [1, 2, 4, 8]) {
  const levels = levelsFor(model.sampler, steps);
  await print(`denoise call, passes: ${steps}`, () => session.denoise(chunk, levels, noise));
}
await print('commit, until it is done', async () => {
  await session.commit([chunk]);
  await session.settle();
});
await print('nothing, until it is done', () => session.settle());
await print('chunk: denoise call of 4 passes, then commit', async () => {
  const latents = await session.denoise(chunk, levelsFor(model.sampler, 4), noise);
  await session.commit([{ ...chunk, latents }]);
});
await print('chunk: both in one call', async () => {
  const { committed } = await session.generate(chunk, levelsFor(model.sampler, 4), noise);
  await committed;
});
session.dispose();
world.dispose();
process.exit();
