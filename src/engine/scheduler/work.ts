import { modelFramesFor, modelFramesWithin, rateMap } from '../detail/rate.ts';
import type { ModelJson } from '../package/model-json.ts';
import type { Rational } from '../types.ts';
import type { RolloutWork } from './speed.ts';

/**
 * The chunks of an extension.
 * @param request lengths in frames at the clip's rate; `prefixFrames` 0 = cold start
 */
export function workOf(
  model: Pick<ModelJson, 'rate' | 'world'>,
  { rate, prefixFrames, frameCount }: { rate: Rational; prefixFrames: number; frameCount: number },
): RolloutWork {
  const map = rateMap(rate, model.rate);
  const perChunk = model.world.framesPerChunk;
  const given = modelFramesWithin(prefixFrames, map);
  // Without a prefix the first new frame is the one that both clocks share.
  const made = prefixFrames === 0 ? modelFramesFor(frameCount - 1, map) + 1 : modelFramesFor(frameCount, map);
  const primeChunks = Math.floor(given / perChunk);
  return { primeChunks, chunks: Math.ceil((given + made) / perChunk) - primeChunks };
}
