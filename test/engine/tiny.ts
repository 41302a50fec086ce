import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { loadedModel } from '../../src/engine/loaded-model.ts';
import { nodeFolder, openPackage } from '../../src/engine/node.ts';
import type { LoadedModel } from '../../src/engine/node.ts';
import { Recording } from '../../src/engine/parity/recording.ts';
import { nodeRuntime } from '../../src/engine/world/ort/node-runtime.ts';
import { ortBackend } from '../../src/engine/world/ort/ort-backend.ts';

const FIXTURE = new URL('../fixtures/tiny/', import.meta.url);

export const TINY = fileURLToPath(new URL('package', FIXTURE));

export async function tinyRecording(): Promise<Recording> {
  return new Recording(new Uint8Array(await readFile(new URL('recorded.safetensors', FIXTURE))));
}

/** The tiny model in float32 throughout, on onnxruntime. */
export async function tinyModel(): Promise<LoadedModel> {
  const pkg = await openPackage(nodeFolder(TINY));
  return loadedModel(pkg, await ortBackend(nodeRuntime, { exact: true }).load(pkg, {}));
}
