import type { SeamFigures } from '../engine/tasks/extend-request.ts';

/** A seam's figures for people: `Across the cut: 31.2 dB, …`. */
export function seamSentence(cut: string, seam: SeamFigures, neighbours: string): string {
  const step = (psnr: number, colour: number): string => `${psnr.toFixed(1)} dB, ${colour.toFixed(2)}`;
  const across = `${seam.psnrAcrossCut.toFixed(1)} dB, colour step ${seam.colourStepAcrossCut.toFixed(2)}`;
  const mean = step(seam.psnrWithinPrefix, seam.colourStepWithinPrefix);
  const most = step(seam.psnrRoughestStep, seam.colourStepRoughest);
  return `Across ${cut}: ${across}; between the frames ${neighbours} it: ${mean} on average, ${most} at most. New frame: ${Math.round(100 * seam.detailRatio)} % of the clip's detail.`;
}
