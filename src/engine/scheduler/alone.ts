import type { LoadedModel } from '../loaded-model.ts';
import type { WorldSession } from '../world/world-model.ts';

/** Sessions of the rollouts under way on a model, and whether each has been the only one so far. */
const underWay = new WeakMap<LoadedModel, Map<WorldSession, boolean>>();

/** Notes that a rollout begins. */
export function beginRollout(model: LoadedModel, session: WorldSession): void {
  const sessions = underWay.get(model) ?? new Map<WorldSession, boolean>();
  underWay.set(model, sessions);
  for (const other of sessions.keys()) sessions.set(other, false);
  sessions.set(session, sessions.size === 0);
}

/** Notes that a rollout is over, finished or not. */
export function endRollout(model: LoadedModel, session: WorldSession): void {
  underWay.get(model)?.delete(session);
}

/**
 * Whether a rollout under way has had the model for itself since it began. What it took says something of the model only
 * then: others take turns with it, or share its passes.
 */
export function isAlone(model: LoadedModel, session: WorldSession): boolean {
  return underWay.get(model)?.get(session) ?? false;
}
