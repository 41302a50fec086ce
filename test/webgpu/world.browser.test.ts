import { expect, it } from 'vitest';
import type { ModelJson } from '../../src/engine/package/model-json.ts';
import { createWebGpuWorldModel } from '../../src/engine/world/webgpu/index.ts';
import { loadKernelSources, openGpu } from '../../src/engine/world/webgpu/platform.browser.ts';
import { Recording } from '../../src/engine/parity/recording.ts';
import { largestDifference } from './numbers.ts';

it('gives the frames PyTorch gave in a browser', async () => {
  const load = (file: string): Promise<Response> => fetch(`/test/fixtures/tiny/${file}`);
  const bytes = async (file: string): Promise<Uint8Array<ArrayBuffer>> =>
    new Uint8Array(await (await load(file)).arrayBuffer());
  const recording = new Recording(await bytes('recorded.safetensors'));
  const { world } = (await (await load('package/model.json')).json()) as ModelJson;
  const progress: number[] = [];
  const model = await createWebGpuWorldModel(
    world,
    await bytes('package/weights.safetensors'),
    await loadKernelSources(),
    {
      gpu: await openGpu(),
      primingChunks: 1,
      onProgress: ({ done, total }) => progress.push(done / total),
    },
  );
  expect(progress.at(-1)).toBe(1);
  const session = await model.createSession();
  await session.commit([recording.chunk(0), recording.chunk(1)]);
  const finished = await session.denoise(recording.chunk(2), recording.levels(), {
    seed: 7,
    chunk: 2,
  });
  expect(largestDifference(finished, recording.floats('chunk.2.finished'))).toBeLessThan(3e-5);
  model.dispose();
});
