import type { ExtendEvent } from '../../src/engine/index.ts';

/** Runs a rollout to its end and forgets its events. */
export async function drain(
  events: AsyncIterable<ExtendEvent>,
  onEvent: (event: ExtendEvent) => void = () => undefined,
): Promise<void> {
  for await (const event of events) onEvent(event);
}
