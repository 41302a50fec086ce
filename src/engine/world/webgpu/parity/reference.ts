/**
 * The model's operations in double precision, written from docs/model.md one number at a time: what the kernels are
 * measured against. Nothing here is fast, and nothing is shared with the kernels.
 */
import type { LayerKind } from '../../../package/model-json.ts';

/** Numbers in any array. */
export type Numbers = ArrayLike<number>;

/** x[m, k] · w[n, k]ᵀ (+ bias[n]) → [m, n]. */
export function linear(x: Numbers, weight: Numbers, k: number, bias?: Numbers): Float64Array {
  const m = x.length / k;
  const n = weight.length / k;
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = bias ? bias[j]! : 0;
      for (let l = 0; l < k; l++) sum += x[i * k + l]! * weight[j * k + l]!;
      out[i * n + j] = sum;
    }
  }
  return out;
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
export const silu = (x: number): number => x * sigmoid(x);
export const softplus = (x: number): number => (x > 30 ? x : Math.log1p(Math.exp(x)));
export const gelu = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

/** rms(x)·(1 + scale) + shift for rows of `width`; `vectors(row)` gives the row's shift and scale. */
export function modulate(
  x: Numbers,
  width: number,
  vectors: (row: number) => { shift: Numbers; scale: Numbers },
): Float64Array {
  const out = new Float64Array(x.length);
  for (let row = 0; row * width < x.length; row++) {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += x[row * width + i]! ** 2;
    const inverse = 1 / Math.sqrt(sum / width + 1e-6);
    const { shift, scale } = vectors(row);
    for (let i = 0; i < width; i++) {
      out[row * width + i] = x[row * width + i]! * inverse * (1 + scale[i]!) + shift[i]!;
    }
  }
  return out;
}

/** y·rsqrt(mean of the head's y² + 0.1)·silu(gate), heads of `headLength` numbers. */
export function headGate(y: Numbers, gate: Numbers, headLength: number): Float64Array {
  const out = new Float64Array(y.length);
  for (let start = 0; start < y.length; start += headLength) {
    let sum = 0;
    for (let i = start; i < start + headLength; i++) sum += y[i]! ** 2;
    const inverse = 1 / Math.sqrt(sum / headLength + 0.1);
    for (let i = start; i < start + headLength; i++) out[i] = y[i]! * inverse * silu(gate[i]!);
  }
  return out;
}

export interface ScanInput {
  kind: LayerKind;
  grid: { rows: number; columns: number };
  block: readonly [number, number];
  heads: number;
  keyLength: number;
  valueLength: number;
  /** [tokens, heads, keyLength], not normalised. */
  keys: Numbers;
  queries: Numbers;
  /** [tokens, heads, valueLength] */
  values: Numbers;
  /** Logits [tokens, heads]. */
  writes: Numbers;
  decays: Numbers;
  /** [blocks, heads, keyLength, valueLength] */
  state: Numbers;
}

/** Block-wise scan. @returns y [tokens, heads, valueLength] and the state after the last token */
export function scan(input: ScanInput): { y: Float64Array; state: Float64Array } {
  const { grid, block, heads, keyLength: n, valueLength: p } = input;
  const perFrame = grid.rows * grid.columns;
  const frames = input.writes.length / heads / perFrame;
  const y = new Float64Array(frames * perFrame * heads * p);
  const state = Float64Array.from(input.state);
  const unit = (x: Numbers, start: number): number[] => {
    const part = Array.from({ length: n }, (_, i) => x[start + i]!);
    const inverse = 1 / Math.sqrt(part.reduce((sum, v) => sum + v * v, 0) + 1e-6);
    return part.map((v) => v * inverse);
  };
  for (let frame = 0; frame < frames; frame++) {
    for (let row = 0; row < grid.rows; row++) {
      for (let column = 0; column < grid.columns; column++) {
        const token = (frame * grid.rows + row) * grid.columns + column;
        const blockIndex =
          Math.floor(row / block[0]) * (grid.columns / block[1]) + Math.floor(column / block[1]);
        for (let head = 0; head < heads; head++) {
          const k = unit(input.keys, (token * heads + head) * n);
          const q = unit(input.queries, (token * heads + head) * n);
          const beta = sigmoid(input.writes[token * heads + head]!);
          const decay = Math.exp(-softplus(input.decays[token * heads + head]!));
          const base = (blockIndex * heads + head) * n * p;
          for (let j = 0; j < p; j++) {
            let value = input.values[(token * heads + head) * p + j]!;
            for (let i = 0; i < n; i++) state[base + i * p + j]! *= decay;
            if (input.kind === 'gated-delta') {
              for (let i = 0; i < n; i++) value -= state[base + i * p + j]! * k[i]!;
            }
            let sum = 0;
            for (let i = 0; i < n; i++) {
              state[base + i * p + j]! += beta * k[i]! * value;
              sum += state[base + i * p + j]! * q[i]!;
            }
            y[(token * heads + head) * p + j] = sum;
          }
        }
      }
    }
  }
  return { y, state };
}

export interface TableRotation {
  grid: { rows: number; columns: number };
  heads: number;
  headLength: number;
  /** Pairs turned by time, row and column, in this order. */
  pairs: { time: number; row: number; column: number };
  /** cos, sin: rows × row pairs, columns × column pairs, frames × time pairs. */
  table: Numbers;
}

/** rms-normalises heads of [tokens, heads, headLength], multiplies by the gain and rotates pairs by cosines and sines. */
export function rotateByTable(x: Numbers, gain: Numbers, options: TableRotation): Float64Array {
  const { grid, heads, headLength, pairs, table } = options;
  const columnsAt = grid.rows * pairs.row;
  const timesAt = columnsAt + grid.columns * pairs.column;
  const out = new Float64Array(x.length);
  for (let vector = 0; vector * headLength < x.length; vector++) {
    const start = vector * headLength;
    const token = Math.floor(vector / heads);
    const cell = token % (grid.rows * grid.columns);
    const frame = Math.floor(token / (grid.rows * grid.columns));
    const places = [
      ...Array.from({ length: pairs.time }, (_, i) => timesAt + frame * pairs.time + i),
      ...Array.from({ length: pairs.row }, (_, i) => Math.floor(cell / grid.columns) * pairs.row + i),
      ...Array.from({ length: pairs.column }, (_, i) => columnsAt + (cell % grid.columns) * pairs.column + i),
    ];
    let sum = 0;
    for (let i = 0; i < headLength; i++) sum += x[start + i]! ** 2;
    const inverse = 1 / Math.sqrt(sum / headLength + 1e-6);
    places.forEach((place, pair) => {
      const [cos, sin] = [table[2 * place]!, table[2 * place + 1]!];
      const even = x[start + 2 * pair]! * inverse * gain[2 * pair]!;
      const odd = x[start + 2 * pair + 1]! * inverse * gain[2 * pair + 1]!;
      out[start + 2 * pair] = even * cos - odd * sin;
      out[start + 2 * pair + 1] = even * sin + odd * cos;
    });
  }
  return out;
}

export interface Rotation {
  grid: { rows: number; columns: number };
  heads: number;
  headLength: number;
  rope: { time: readonly number[]; row: readonly number[]; column: readonly number[] };
  /** Time index of each frame. */
  times: Numbers;
}

/** The same with the angles frequency · position in place of a table. */
export function rotateHeads(x: Numbers, gain: Numbers, options: Rotation): Float64Array {
  const { grid, rope } = options;
  const table: number[] = [];
  const turn = (frequencies: readonly number[], position: number): void => {
    for (const frequency of frequencies) {
      table.push(Math.cos(frequency * position), Math.sin(frequency * position));
    }
  };
  for (let row = 0; row < grid.rows; row++) turn(rope.row, row);
  for (let column = 0; column < grid.columns; column++) turn(rope.column, column);
  for (const time of Array.from(options.times)) turn(rope.time, time);
  const pairs = { time: rope.time.length, row: rope.row.length, column: rope.column.length };
  return rotateByTable(x, gain, { ...options, pairs, table });
}

/** Softmax attention of all queries [q, heads, headLength] over all keys and values [k, heads, headLength]. */
export function attend(
  queries: Numbers,
  keys: Numbers,
  values: Numbers,
  heads: number,
  headLength: number,
): Float64Array {
  const width = heads * headLength;
  const out = new Float64Array(queries.length);
  for (let q = 0; q * width < queries.length; q++) {
    for (let head = 0; head < heads; head++) {
      const at = q * width + head * headLength;
      const scores: number[] = [];
      for (let k = 0; k * width < keys.length; k++) {
        let score = 0;
        for (let i = 0; i < headLength; i++)
          score += queries[at + i]! * keys[k * width + head * headLength + i]!;
        scores.push(score / Math.sqrt(headLength));
      }
      const largest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
      const weights = scores.map((score) => Math.exp(score - largest));
      const total = weights.reduce((a, b) => a + b, 0);
      weights.forEach((weight, k) => {
        for (let i = 0; i < headLength; i++) {
          out[at + i]! += (weight / total) * values[k * width + head * headLength + i]!;
        }
      });
    }
  }
  return out;
}

/** [cos θ, sin θ] of rays [tokens, 6]; zero where the frame's pose is unknown. */
export function rayFeatures(
  rays: Numbers,
  known: Numbers,
  frequencies: Numbers,
  tokensPerFrame: number,
): Float64Array {
  const r = frequencies.length / 6;
  const tokens = rays.length / 6;
  const out = new Float64Array(tokens * 2 * r);
  for (let token = 0; token < tokens; token++) {
    if (!known[Math.floor(token / tokensPerFrame)]) continue;
    for (let f = 0; f < r; f++) {
      let angle = 0;
      for (let i = 0; i < 6; i++) angle += frequencies[f * 6 + i]! * rays[token * 6 + i]!;
      out[token * 2 * r + f] = Math.cos(angle);
      out[token * 2 * r + r + f] = Math.sin(angle);
    }
  }
  return out;
}

/** Features of soft points along the rays; `logits` [tokens, depths]. Zero where the frame's pose is unknown. */
export function pointFeatures(
  rays: Numbers,
  known: Numbers,
  frequencies: Numbers,
  depths: Numbers,
  logits: Numbers,
  tokensPerFrame: number,
): Float64Array {
  const q = frequencies.length / 3;
  const tokens = rays.length / 6;
  const out = new Float64Array(tokens * 2 * q);
  for (let token = 0; token < tokens; token++) {
    if (!known[Math.floor(token / tokensPerFrame)]) continue;
    const own = Array.from({ length: depths.length }, (_, j) => logits[token * depths.length + j]!);
    const largest = Math.max(...own);
    const weights = own.map((logit) => Math.exp(logit - largest));
    const total = weights.reduce((a, b) => a + b, 0);
    for (let f = 0; f < q; f++) {
      weights.forEach((weight, j) => {
        let angle = 0;
        for (let i = 0; i < 3; i++) {
          angle += frequencies[f * 3 + i]! * (rays[token * 6 + i]! + depths[j]! * rays[token * 6 + 3 + i]!);
        }
        out[token * 2 * q + f]! += (weight / total) * Math.cos(angle);
        out[token * 2 * q + q + f]! += (weight / total) * Math.sin(angle);
      });
    }
  }
  return out;
}

/** The words of pcg4d. */
export function pcg4d(counter: readonly [number, number, number, number]): [number, number, number, number] {
  let [x, y, z, w] = counter.map((v) => (Math.imul(v, 1664525) + 1013904223) >>> 0) as [
    number,
    number,
    number,
    number,
  ];
  const mix = (): void => {
    x = (x + Math.imul(y, w)) >>> 0;
    y = (y + Math.imul(z, x)) >>> 0;
    z = (z + Math.imul(x, y)) >>> 0;
    w = (w + Math.imul(y, z)) >>> 0;
  };
  mix();
  [x, y, z, w] = [x ^ (x >>> 16), y ^ (y >>> 16), z ^ (z >>> 16), w ^ (w >>> 16)];
  mix();
  return [x >>> 0, y >>> 0, z >>> 0, w >>> 0];
}

/** Standard normal noise of `count` elements of a chunk. */
export function noise(count: number, seed: number, chunk: number, stream = 0): Float64Array {
  return Float64Array.from({ length: count }, (_, element) => {
    const [w0, w1] = pcg4d([element, chunk, seed, stream]);
    const u1 = (w0 + 0.5) / 2 ** 32;
    return Math.sqrt(-2 * Math.log(u1)) * Math.cos((2 * Math.PI * w1) / 2 ** 32);
  });
}
