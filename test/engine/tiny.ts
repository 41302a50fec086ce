import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { loadWorldModel, nodeFolder, openPackage } from '../../src/engine/node.ts';
import type { LoadedModel } from '../../src/engine/node.ts';
import { Recording } from '../../src/engine/parity/recording.ts';

const FIXTURE = new URL('../fixtures/tiny/', import.meta.url);

export const TINY = fileURLToPath(new URL('package', FIXTURE));

export async function tinyRecording(): Promise<Recording> {
  return new Recording(new Uint8Array(await readFile(new URL('recorded.safetensors', FIXTURE))));
}

export async function tinyModel(): Promise<LoadedModel> {
  return loadWorldModel(await openPackage(nodeFolder(TINY)), { backend: 'ort' });
}
