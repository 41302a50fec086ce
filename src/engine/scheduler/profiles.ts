import { MAX_STEPS } from '../sampler/levels.ts';
import type { ModelJson } from '../package/model-json.ts';
import type { Profile } from '../tasks/extend-request.ts';

/** What an editor chooses between: time against quality. */
export const PROFILES: Readonly<Record<Profile, { title: string; description: string; stepFactor: number }>> =
  {
    draft: { title: 'Draft', description: 'Fastest; good enough to judge the movement.', stepFactor: 0.5 },
    preview: { title: 'Preview', description: 'The model’s usual quality.', stepFactor: 1 },
    final: {
      title: 'Final',
      description: 'Most passes; takes about twice as long as a preview.',
      stepFactor: 2,
    },
  };

/**
 * Number of denoise passes a chunk for a profile.
 * @param steps overrides the profile
 */
export function stepsFor(model: ModelJson, profile: Profile, steps?: number): number {
  if (steps !== undefined) return steps;
  const wanted = Math.round(model.sampler.defaultSteps * PROFILES[profile].stepFactor);
  return Math.min(MAX_STEPS, Math.max(1, wanted));
}

/** The profile with a number of passes, or null where none has it. */
export function profileWith(model: ModelJson, steps: number): Profile | null {
  return (Object.keys(PROFILES) as Profile[]).find((profile) => stepsFor(model, profile) === steps) ?? null;
}
