import { LEVEL_FEATURES } from './world-weights.ts';

/** Levels that the modulation table holds; row 0 is level 0. */
export const LEVEL_ROWS = 16;

/** Which row of the modulation table holds which noise level. Row 0 is always level 0. */
export class LevelTable {
  #rows = new Map<number, number>();

  /** The row of a level, if the table holds it. */
  row(level: number): number | undefined {
    return this.#rows.get(level);
  }

  /**
   * Decides anew what the table holds: level 0 and the first distinct ones of `levels` that fit.
   * @returns the features τ(t) of every row [LEVEL_ROWS, 64], from angles in double precision; unused rows are zero
   */
  fill(levels: readonly number[]): Float32Array {
    const distinct = [...new Set([0, ...levels])].slice(0, LEVEL_ROWS);
    this.#rows = new Map(distinct.map((level, row) => [level, row]));
    const features = new Float32Array(LEVEL_ROWS * LEVEL_FEATURES);
    const half = LEVEL_FEATURES / 2;
    distinct.forEach((level, row) => {
      for (let k = 0; k < half; k++) {
        const angle = 1000 * level * 10000 ** (-k / half);
        features[row * LEVEL_FEATURES + k] = Math.cos(angle);
        features[row * LEVEL_FEATURES + half + k] = Math.sin(angle);
      }
    });
    return features;
  }
}
