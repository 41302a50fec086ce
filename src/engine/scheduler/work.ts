import { modelFramesFor, modelFramesWithin, rateMap } from '../detail/rate.ts';
import type { ModelJson } from '../package/model-json.ts';
import { GapTimeline } from '../tasks/gap-timeline.ts';
import { RegionTimeline } from '../tasks/region-timeline.ts';
import type { Rational } from '../types.ts';
import type { RolloutWork } from './speed.ts';

type ModelFacts = Pick<ModelJson, 'rate' | 'world'>;

/**
 * The chunks of an extension.
 * @param request lengths in frames at the clip's rate; `prefixFrames` 0 = cold start
 */
export function workOf(
  model: ModelFacts,
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

/**
 * The chunks of a gap that is filled, or of a loop that is closed: there the clip's own frames come after it.
 * @param request lengths in frames at the clip's rate, of both parts at least 1
 */
export function workOfGap(
  model: ModelFacts,
  {
    rate,
    beforeFrames,
    frameCount,
    afterFrames,
  }: { rate: Rational; beforeFrames: number; frameCount: number; afterFrames: number },
): RolloutWork & { afterFrames: number } {
  const perChunk = model.world.framesPerChunk;
  const timeline = new GapTimeline(beforeFrames, frameCount, rateMap(rate, model.rate), perChunk);
  const read = Math.min(afterFrames, timeline.framesForAnchors);
  const { order, given } = timeline.layout(read);
  const primeChunks = Math.floor(given / perChunk);
  return { primeChunks, chunks: Math.ceil(order.length / perChunk) - primeChunks, afterFrames: read };
}

/**
 * The chunks of a region that is repainted.
 * @param request lengths in frames at the clip's rate
 */
export function workOfRegion(
  model: ModelFacts,
  { rate, prefixFrames, frameCount }: { rate: Rational; prefixFrames: number; frameCount: number },
): RolloutWork {
  const perChunk = model.world.framesPerChunk;
  const timeline = new RegionTimeline(prefixFrames, frameCount, rateMap(rate, model.rate), perChunk);
  const primeChunks = Math.floor((timeline.firstOpen - timeline.first) / perChunk);
  return { primeChunks, chunks: Math.ceil(timeline.length / perChunk) - primeChunks };
}
