import { averageBlocks, blockFor } from './average-blocks.ts';

/** One side of a separable resampling: for every output place, its first input place and the weights from there on. */
interface Taps {
  first: Int32Array;
  weights: Float32Array;
  /** Weights per output place. */
  count: number;
}

/** A resampling kernel: its weight at a distance, 0 from `reach` on. */
interface Kernel {
  reach: number;
  weight(distance: number): number;
}

/** Catmull-Rom spline, for enlarging: next to no ringing. */
const CUBIC: Kernel = {
  reach: 2,
  weight(distance) {
    const t = Math.abs(distance);
    if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
    return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
  },
};

/**
 * Lanczos, for shrinking: an enlarged maze clip comes back 0.7 dB nearer to itself after shrinking with it and enlarging
 * again (43.8 dB) than after shrinking with the spline.
 */
const LANCZOS: Kernel = {
  reach: 3,
  weight(distance) {
    const t = Math.PI * Math.abs(distance);
    if (t === 0) return 1;
    return t < 3 * Math.PI ? (3 * Math.sin(t) * Math.sin(t / 3)) / (t * t) : 0;
  },
};

function tapsFor(input: number, output: number): Taps {
  const step = input / output;
  const kernel = step > 1 ? LANCZOS : CUBIC;
  // When shrinking, the kernel grows with the step: no aliasing.
  const stretch = Math.max(1, step);
  const reach = kernel.reach * stretch;
  const count = Math.min(input, Math.ceil(2 * reach));
  const first = new Int32Array(output);
  const weights = new Float32Array(output * count);
  for (let place = 0; place < output; place++) {
    const centre = (place + 0.5) * step - 0.5;
    const from = Math.max(0, Math.min(input - count, Math.ceil(centre - reach)));
    first[place] = from;
    let sum = 0;
    for (let k = 0; k < count; k++)
      sum += weights[place * count + k] = kernel.weight((from + k - centre) / stretch);
    for (let k = 0; k < count; k++) weights[place * count + k]! /= sum;
  }
  return { first, weights, count };
}

/**
 * Resamples pictures from one size to another, without aliasing. Edges weigh only what lies inside.
 * Tables are made once; an instance is not for use by two calls at once.
 */
export class Resizer {
  /** Blocks that are averaged first: a large picture has 100 and more numbers under the kernel, next to each other alike. */
  readonly #block: { width: number; height: number };
  /** Size after that. */
  readonly #thin: { width: number; height: number };
  readonly #across: Taps;
  readonly #down: Taps;
  readonly #strip: Float32Array;

  constructor(
    readonly from: { width: number; height: number },
    readonly to: { width: number; height: number },
  ) {
    this.#block = { width: blockFor(from.width, to.width), height: blockFor(from.height, to.height) };
    this.#thin = { width: from.width / this.#block.width, height: from.height / this.#block.height };
    this.#across = tapsFor(this.#thin.width, to.width);
    this.#down = tapsFor(this.#thin.height, to.height);
    this.#strip = new Float32Array(to.width * this.#thin.height * 3);
  }

  /**
   * @param source [height, width, sourceChannels] of `from`, 3 or 4 channels; a fourth is ignored
   * @param target [height, width, targetChannels] of `to`; a fourth channel is set to 255
   */
  run(
    source: Uint8ClampedArray,
    sourceChannels: 3 | 4,
    target: Uint8ClampedArray,
    targetChannels: 3 | 4,
  ): void {
    const { width, height } = this.#block;
    if (width * height === 1) this.#resampleRows(source, sourceChannels);
    else this.#resampleRows(averageBlocks(source, sourceChannels, this.from, this.#block), 3);
    // Enlarging mixes four rows, and spends most of its time on writing numbers.
    if (this.#down.count <= FEW) this.#mixFew(target, targetChannels);
    else this.#mixMany(target, targetChannels);
  }

  #resampleRows(source: Uint8ClampedArray | Float32Array, channels: number): void {
    const { first, weights, count } = this.#across;
    const width = this.to.width;
    for (let y = 0; y < this.#thin.height; y++) {
      const row = y * this.#thin.width * channels;
      let out = y * width * 3;
      for (let x = 0; x < width; x++) {
        let [r, g, b] = [0, 0, 0];
        let at = row + first[x]! * channels;
        for (let k = x * count; k < (x + 1) * count; k++) {
          const weight = weights[k]!;
          r += weight * source[at]!;
          g += weight * source[at + 1]!;
          b += weight * source[at + 2]!;
          at += channels;
        }
        this.#strip[out++] = r;
        this.#strip[out++] = g;
        this.#strip[out++] = b;
      }
    }
  }

  #mixMany(target: Uint8ClampedArray, channels: 3 | 4): void {
    const { width, height } = this.to;
    const pitch = width * 3;
    const { first, weights, count } = this.#down;
    const line = new Float32Array(pitch);
    for (let y = 0; y < height; y++) {
      line.fill(0);
      for (let k = 0; k < count; k++) {
        const weight = weights[y * count + k]!;
        if (weight === 0) continue;
        const start = (first[y]! + k) * pitch;
        for (let i = 0; i < pitch; i++) line[i]! += weight * this.#strip[start + i]!;
      }
      let at = y * width * channels;
      for (let i = 0; i < pitch; i += 3) {
        target[at] = line[i]!;
        target[at + 1] = line[i + 1]!;
        target[at + 2] = line[i + 2]!;
        if (channels === 4) target[at + 3] = 255;
        at += channels;
      }
    }
  }

  /** As `#mixMany`, for at most FEW rows: all numbers of a place in one expression. */
  #mixFew(target: Uint8ClampedArray, channels: 3 | 4): void {
    const { width, height } = this.to;
    const strip = this.#strip;
    const pitch = width * 3;
    const { first, weights, count } = this.#down;
    for (let y = 0; y < height; y++) {
      // Rows that are not there count nothing: the first one again, with no weight.
      const place = (k: number): number => (first[y]! + (k < count ? k : 0)) * pitch;
      const weightOf = (k: number): number => (k < count ? weights[y * count + k]! : 0);
      const [a, b, c, d] = [place(0), place(1), place(2), place(3)];
      const [u, v, w, p] = [weightOf(0), weightOf(1), weightOf(2), weightOf(3)];
      let at = y * width * channels;
      for (let i = 0; i < pitch; i += 3) {
        const [j, k] = [i + 1, i + 2];
        target[at] = u * strip[a + i]! + v * strip[b + i]! + w * strip[c + i]! + p * strip[d + i]!;
        target[at + 1] = u * strip[a + j]! + v * strip[b + j]! + w * strip[c + j]! + p * strip[d + j]!;
        target[at + 2] = u * strip[a + k]! + v * strip[b + k]! + w * strip[c + k]! + p * strip[d + k]!;
        if (channels === 4) target[at + 3] = 255;
        at += channels;
      }
    }
  }
}

/** Most rows that `#mixFew` mixes. */
const FEW = 4;
