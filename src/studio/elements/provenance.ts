import type { Provenance } from '../timeline/project.ts';

/** What the badge on a generated clip says: model, seed and profile, each where it is known. */
export function provenanceBadge(provenance: Provenance): string {
  const { model, seed, profile } = known(provenance);
  return [model, seed && `seed ${seed}`, profile].filter(Boolean).join(' · ') || 'Longtake';
}

/** The same in a sentence, for tooltips and screen readers. */
export function provenanceLine(provenance: Provenance): string {
  const { model, seed, profile } = known(provenance);
  const details = [model && `model ${model}`, seed && `seed ${seed}`, profile && `profile ${profile}`];
  return `Made by Longtake: ${details.filter(Boolean).join(', ') || 'no details kept'}`;
}

function known(provenance: Provenance) {
  return {
    model: provenance['longtake.model'],
    seed: provenance['longtake.seed'],
    profile: provenance['longtake.profile'],
  };
}
