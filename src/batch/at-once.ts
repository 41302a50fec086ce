import { MOST_TOGETHER } from '../engine/scheduler/together.ts';
import type { ExtensionOutput, ExtensionPlan } from '../media/extension.ts';
import { heldBytes } from '../media/held-bytes.ts';

/** Bytes that previews made at the same time may hold beside the engine: eight of 1920 × 1080, two of 3840 × 2160. */
const MOST_HELD = 2 ** 31;

/**
 * How many previews of a clip may be under way at once.
 * @param sharesPasses whether several at the same time cost the backend little more than one
 * @param plan of one of them
 */
export function atOnce(
  sharesPasses: boolean,
  plan: Pick<ExtensionPlan, 'prefix' | 'size' | 'request'>,
  outputs: readonly Pick<ExtensionOutput, 'content'>[],
): number {
  if (!sharesPasses) return 1;
  return Math.max(1, Math.min(MOST_TOGETHER, Math.floor(MOST_HELD / heldBytes(plan, outputs))));
}
