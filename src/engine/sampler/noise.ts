/**
 * Standard normal numbers that depend on their index alone, the same on every backend: docs/model.md, Random numbers.
 * Computed in double precision and rounded to float32 once.
 */

/** One word-wise mix of four 32-bit words (Jarzynski & Olano 2020), in place. */
export function pcg4d(v: Uint32Array): void {
  let x = (Math.imul(v[0]!, 1664525) + 1013904223) | 0;
  let y = (Math.imul(v[1]!, 1664525) + 1013904223) | 0;
  let z = (Math.imul(v[2]!, 1664525) + 1013904223) | 0;
  let w = (Math.imul(v[3]!, 1664525) + 1013904223) | 0;
  for (let round = 0; round < 2; round++) {
    x = (x + Math.imul(y, w)) | 0;
    y = (y + Math.imul(z, x)) | 0;
    z = (z + Math.imul(x, y)) | 0;
    w = (w + Math.imul(y, z)) | 0;
    if (round === 0) {
      x ^= x >>> 16;
      y ^= y >>> 16;
      z ^= z >>> 16;
      w ^= w >>> 16;
    }
  }
  v[0] = x;
  v[1] = y;
  v[2] = z;
  v[3] = w;
}

/**
 * The initial noise of one chunk.
 * @param count number of values, indexed over [F, S, c]
 * @param seed 32-bit seed
 * @param chunk index of the chunk in the sequence
 * @param stream 0 for a chunk's initial noise
 */
export function chunkNoise(count: number, seed: number, chunk: number, stream = 0): Float32Array {
  const noise = new Float32Array(count);
  const words = new Uint32Array(4);
  for (let index = 0; index < count; index++) {
    words[0] = index;
    words[1] = chunk;
    words[2] = seed;
    words[3] = stream;
    pcg4d(words);
    const radius = Math.sqrt(-2 * Math.log((words[0]! + 0.5) / 4294967296));
    noise[index] = radius * Math.cos((2 * Math.PI * words[1]!) / 4294967296);
  }
  return noise;
}
