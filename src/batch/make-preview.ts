import type { RgbaFrame } from '../engine/types.ts';
import {
  runExtension,
  type ExtendTask,
  type ExtensionOptions,
  type ExtensionPlan,
  type ExtensionStart,
} from '../media/extension.ts';
import { framesIn, rateToText } from '../media/rational.ts';
import type { FinishedPreview, OpenedClip, OpenPreview, Preview } from './preview.ts';

/**
 * What to make of a clip for a preview.
 * @param start where an earlier preview of the clip has left off reading; null = the model reads the clip
 * @param keep whether others are to start from where the clip is read
 */
export function planPreview(
  opened: OpenedClip,
  { item, seed }: Preview,
  start: ExtensionStart | null,
  keep: boolean,
): ExtensionPlan {
  const { size, rate } = opened.clip.facts;
  const { seconds, profile, direction, steps } = item.settings;
  return {
    prefix: opened,
    size,
    rate,
    request: {
      frameCount: framesIn(seconds, rate),
      profile,
      direction,
      seed,
      ...(steps === null ? {} : { steps }),
      ...(opened.camera === undefined ? {} : { camera: opened.camera }),
      ...(keep && start === null ? { keepPrimed: true } : {}),
    },
    ...(start === null ? {} : { start }),
  };
}

/**
 * Makes one preview and puts its files in their places, or leaves nothing of it behind.
 * @param notices of the clip
 * @throws LongtakeError of any code
 */
export async function makePreview(
  extend: ExtendTask,
  plan: ExtensionPlan,
  open: OpenPreview,
  notices: readonly string[],
  options: Pick<ExtensionOptions, 'signal' | 'onProgress' | 'onStart'>,
): Promise<FinishedPreview> {
  const { size, rate } = plan;
  const request = { ...plan.request, madeChunks: open.madeChunks };
  const { profile, direction = 'forward' } = request;
  let poster: RgbaFrame | null = null;
  try {
    const made = await runExtension(extend, { ...plan, request }, open.outputs, {
      ...options,
      onChunk: (latents) => open.keepChunk(latents),
      onFrame: (frame) => (poster ??= frame),
    });
    const { model, backend, frames, prefixFrames, msPerFrame, seam } = made.report;
    const facts = { model, backend, profile, direction, frames, prefixFrames, size, rate: rateToText(rate) };
    const told = [...notices, ...made.notices];
    return await open.commit({ ...facts, msPerFrame, seam, notices: told, tiles: made.tiles }, poster!);
  } finally {
    await open.discard();
  }
}
