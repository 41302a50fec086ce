import { ceilDivide, type Program, type Workgroups } from './program.ts';
import { blocksOf, isTiledScan, SCAN, type ScanOptions, scanShape } from './programs.ts';

/** Binding numbers of the kernels of the short `ssd` scan (kernels/ssd-scores*.wgsl). */
export const SCORES = { ...SCAN, scores: 3, weighted: 4 } as const;

/** Tokens of a tile of scores, and the most of a block's sequence; kernels/ssd-scores.wgsl has both in many places. */
const SCORE_TILE = 32;
const MOST_TOKENS = 512;

/** What the work tensors of a short scan are as large as. */
export interface ScoresExtent {
  rollouts: number;
  /** Of each rollout. */
  frames: number;
}

/**
 * Whether a tiled scan goes over so few tokens that all scores are written down: a fixed number of dependent steps instead
 * of one a tile, for a tensor that grows with the square of the sequence.
 */
export function isShortScan(options: ScanOptions, frames: number): boolean {
  const { keyLength, valueLength } = options;
  return (
    isTiledScan(options) &&
    tokensOf(options, frames) <= MOST_TOKENS &&
    // Vectors are read four numbers at a time, the state eight rows at a time; more than 128 numbers of a key do not fit.
    valueLength % 4 === 0 &&
    keyLength % 8 === 0 &&
    keyLength <= 128
  );
}

/** kernels/ssd-scores.wgsl. */
export function scoresProgram(options: ScanOptions): Program {
  return {
    file: 'ssd-scores.wgsl',
    constants: { ...scanShape(options), COMMIT: options.commit ? 1 : 0 },
    bindings: {
      ...{ [SCORES.projection]: 'read', [SCORES.scores]: 'write' },
      ...(options.commit ? { [SCORES.weighted]: 'write' } : {}),
    },
  };
}

export function scoresWorkgroups(options: ScanOptions, { rollouts, frames }: ScoresExtent): Workgroups {
  const tiles = ceilDivide(tokensOf(options, frames), SCORE_TILE);
  return [(tiles * (tiles + 1)) / 2, options.heads, rollouts * blocksOf(options)];
}

/** Numbers in the tensors `scores` and `weighted`. */
export function scoresFloats(
  options: ScanOptions,
  { rollouts, frames }: ScoresExtent,
): { scores: number; weighted: number } {
  const padded = SCORE_TILE * ceilDivide(tokensOf(options, frames), SCORE_TILE);
  const matrices = rollouts * blocksOf(options) * options.heads;
  return {
    scores: matrices * padded * (padded + options.keyLength),
    weighted: matrices * (padded * options.keyLength + 4),
  };
}

/** kernels/ssd-scores-read.wgsl. */
export function scoresReadProgram(options: ScanOptions): Program {
  return {
    file: 'ssd-scores-read.wgsl',
    constants: scanShape(options),
    bindings: {
      ...{ [SCORES.projection]: 'read', [SCORES.state]: 'read' },
      ...{ [SCORES.out]: 'write', [SCORES.scores]: 'read' },
    },
  };
}

export function scoresReadWorkgroups(options: ScanOptions, { rollouts, frames }: ScoresExtent): Workgroups {
  const tiles = ceilDivide(tokensOf(options, frames), 16) * ceilDivide(options.valueLength, 32);
  return [tiles, options.heads, rollouts * blocksOf(options)];
}

/** kernels/ssd-scores-write.wgsl. */
export function scoresWriteProgram(options: ScanOptions): Program {
  return {
    file: 'ssd-scores-write.wgsl',
    constants: scanShape(options),
    bindings: { [SCORES.projection]: 'read', [SCORES.state]: 'write', [SCORES.weighted]: 'read' },
  };
}

export function scoresWriteWorkgroups(options: ScanOptions, rollouts = 1): Workgroups {
  const tiles = ceilDivide(options.keyLength, 16) * ceilDivide(options.valueLength, 16);
  return [tiles, options.heads, rollouts * blocksOf(options)];
}

/** Tokens of a block's sequence. */
function tokensOf({ block }: ScanOptions, frames: number): number {
  return frames * block[0] * block[1];
}
