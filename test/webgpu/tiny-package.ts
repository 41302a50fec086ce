import { readFile } from 'node:fs/promises';
import type { ModelJson } from '../../src/engine/package/model-json.ts';
import { Recording } from '../../src/engine/parity/recording.ts';

const TINY = new URL('../fixtures/tiny/', import.meta.url);

/** The tiny package and what PyTorch recorded of it. */
export async function readTiny() {
  const [model, weights, recorded] = await Promise.all([
    readFile(new URL('package/model.json', TINY), 'utf8'),
    readFile(new URL('package/weights.safetensors', TINY)),
    readFile(new URL('recorded.safetensors', TINY)),
  ]);
  return {
    spec: (JSON.parse(model) as ModelJson).world,
    weights: new Uint8Array(weights),
    recording: new Recording(new Uint8Array(recorded)),
  };
}
