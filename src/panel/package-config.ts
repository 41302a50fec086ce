import type { ModelJson, TaskName } from '../engine/package/model-json.ts';
import { parseModelJson } from '../engine/package/validate.ts';
import { LongtakeError } from '../engine/types.ts';
import type { BackendChoice } from '../engine/world/backend.ts';

/**
 * Where the world-model package is, and on which backend it is to run: the build writes this beside the page.
 * @throws LongtakeError `package`
 */
export async function packageConfig(signal: AbortSignal): Promise<{ url: URL; backend: BackendChoice }> {
  try {
    const response = await fetch(new URL('longtake.config.json', document.baseURI), { signal });
    const { model, backend } = (await response.json()) as { model?: unknown; backend?: unknown };
    if (typeof model !== 'string') throw new TypeError('no model named');
    const url = new URL(model, document.baseURI);
    return { url, backend: backend === 'webgpu' || backend === 'ort' ? backend : 'auto' };
  } catch (cause) {
    signal.throwIfAborted();
    throw new LongtakeError(
      'package',
      'The world model could not be found: check your connection and open the panel again.',
      { cause },
    );
  }
}

/**
 * The description of the page's world model, without loading the model.
 * @throws LongtakeError `package`
 */
export async function describedModel(signal: AbortSignal): Promise<ModelJson> {
  const { url } = await packageConfig(signal);
  const response = await fetch(new URL('model.json', url), { signal });
  return parseModelJson(new Uint8Array(await response.arrayBuffer()));
}

/**
 * What the page's world model was trained for, without loading it.
 * @throws LongtakeError `package`
 */
export async function trainedTasks(signal: AbortSignal): Promise<readonly TaskName[]> {
  return (await describedModel(signal)).tasks;
}
