import type { Numbers, ScanInput } from './reference.ts';
import { sigmoid, softplus } from './reference.ts';

export type ScoresInput = Omit<ScanInput, 'kind' | 'valueLength' | 'values' | 'state'>;

/** Of one block and head; tokens in the block's order. */
export interface BlockScores {
  /** [tokens, tokens]: how much a token reads of what another wrote. */
  scores: number[][];
  /** [tokens, keyLength]: what a token reads of the state before the pass. */
  queries: number[][];
  /** [tokens, keyLength]: what the state after the pass has of a token. */
  keys: number[][];
  /** By what the state before the pass is multiplied. */
  decay: number;
}

/** What a `ssd` scan reads and writes as matrices. @returns by block, then by head */
export function blockScores(input: ScoresInput): BlockScores[][] {
  const { grid, block, heads } = input;
  const across = grid.columns / block[1];
  const blocks = (grid.rows / block[0]) * across;
  const frames = input.writes.length / heads / (grid.rows * grid.columns);
  return Array.from({ length: blocks }, (_, index) => {
    const tokens: number[] = [];
    for (let frame = 0; frame < frames; frame++) {
      for (let row = 0; row < block[0]; row++) {
        for (let column = 0; column < block[1]; column++) {
          const gridRow = Math.floor(index / across) * block[0] + row;
          const gridColumn = (index % across) * block[1] + column;
          tokens.push((frame * grid.rows + gridRow) * grid.columns + gridColumn);
        }
      }
    }
    return Array.from({ length: heads }, (_, head) => headScores(input, tokens, head));
  });
}

function headScores(
  { heads, keyLength, ...input }: ScoresInput,
  tokens: number[],
  head: number,
): BlockScores {
  const unit = (x: Numbers, token: number): number[] => {
    const start = (token * heads + head) * keyLength;
    const part = Array.from({ length: keyLength }, (_, i) => x[start + i]!);
    const inverse = 1 / Math.sqrt(part.reduce((sum, v) => sum + v * v, 0) + 1e-6);
    return part.map((v) => v * inverse);
  };
  const queries = tokens.map((token) => unit(input.queries, token));
  const written = tokens.map((token) => {
    const write = sigmoid(input.writes[token * heads + head]!);
    return unit(input.keys, token).map((value) => value * write);
  });
  const decays = tokens.map((token) => -softplus(input.decays[token * heads + head]!));
  /** Log decay of the tokens `first` … `last`. */
  const between = (first: number, last: number): number =>
    decays.slice(first, last + 1).reduce((sum, decay) => sum + decay, 0);
  const scaled = (vector: number[], log: number): number[] => vector.map((value) => value * Math.exp(log));
  const end = tokens.length - 1;
  return {
    scores: queries.map((query, i) => {
      let log = 0;
      const row = tokens.map(() => 0);
      for (let j = i; j >= 0; j--) {
        row[j] = Math.exp(log) * query.reduce((sum, value, n) => sum + value * written[j]![n]!, 0);
        log += decays[j]!;
      }
      return row;
    }),
    queries: queries.map((query, i) => scaled(query, between(0, i))),
    keys: written.map((key, j) => scaled(key, between(j + 1, end))),
    decay: Math.exp(between(0, end)),
  };
}

/** A tensor `scores` as kernels/ssd-scores.wgsl leaves it; tiles that it does not write are left as they were. */
export function putScores(blocks: BlockScores[][], keyLength: number, before: Numbers): Float64Array {
  const out = Float64Array.from(before);
  let at = 0;
  for (const { scores, queries } of blocks.flat()) {
    const padded = paddedLength(scores.length);
    for (let i = 0; i < padded; i++, at += padded + keyLength) {
      const written = paddedLength(i + 1);
      for (let j = 0; j < written; j++) out[at + j] = scores[i]?.[j] ?? 0;
      for (let n = 0; n < keyLength; n++) out[at + padded + n] = queries[i]?.[n] ?? 0;
    }
  }
  return out;
}

/** A tensor `weighted` as kernels/ssd-scores.wgsl leaves it. */
export function putWeighted(blocks: BlockScores[][], keyLength: number): Float64Array {
  const matrices = blocks.flat().map(({ keys, decay }) => {
    const numbers = new Float64Array(paddedLength(keys.length) * keyLength + 4);
    numbers.set(keys.flat());
    return numbers.fill(decay, -4);
  });
  return Float64Array.from(matrices.flatMap((numbers) => [...numbers]));
}

function paddedLength(tokens: number): number {
  return 32 * Math.ceil(tokens / 32);
}
