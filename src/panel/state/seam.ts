import type { SeamFigures } from '../../engine/tasks/extend-request.ts';

export type SeamVerdict = 'invisible' | 'slight' | 'visible';

/** A seam in figures an editor can weigh. */
export interface SeamReading {
  verdict: SeamVerdict;
  /** How much rougher the step across the cut is than the clip's own roughest step before it, dB; 0 or more. */
  decibels: number;
  /** Step of the mean colour across the cut, in levels of 255, beyond the clip's own. 0 or more. */
  colour: number;
  /** Detail the new frames have of the clip's, in whole percent; null where they are about as sharp. */
  softTo: number | null;
}

/** PSNR of identical frames is infinite; above this nobody sees a difference. */
const CEILING_DB = 60;

/** Below this share of the clip's detail an editor sees that the new frames are softer. */
const SOFT_BELOW = 0.75;

/**
 * Judges the cut against the clip's own motion: a cut that changes no more than some neighbouring frames of the clip did
 * shortly before is invisible. (Against the mean step every turn of the camera at the cut would be called a seam.)
 */
export function readSeam(seam: SeamFigures): SeamReading {
  const capped = (value: number) => Math.min(Number.isNaN(value) ? CEILING_DB : value, CEILING_DB);
  const decibels = Math.max(0, capped(seam.psnrRoughestStep) - capped(seam.psnrAcrossCut));
  const colour = Math.max(0, seam.colourStepAcrossCut - seam.colourStepRoughest);
  const unseen = capped(seam.psnrAcrossCut) >= 42;
  const softTo = seam.detailRatio < SOFT_BELOW ? Math.round(100 * seam.detailRatio) : null;
  const verdict =
    (unseen || decibels <= 1) && colour <= 1.5 && softTo === null
      ? 'invisible'
      : (unseen || decibels <= 3) && colour <= 4
        ? 'slight'
        : 'visible';
  return { verdict, decibels, colour, softTo };
}
