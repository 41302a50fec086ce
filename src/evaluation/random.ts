import { pcg4d } from '../engine/sampler/noise.ts';

/** What a stream of random numbers is for: streams never share numbers. The engine's own noise has stream 0. */
export const STREAM = { noise: 101, missing: 102, occlusion: 103, region: 104 } as const;

/**
 * Uniform numbers 0 ≤ u < 1 that depend on their place alone, so that a degraded prefix is the same on every machine.
 * @param seed 32-bit seed
 * @param stream one of STREAM
 */
export function uniforms(seed: number, stream: number): () => number {
  const words = new Uint32Array(4);
  let index = 0;
  return () => {
    words.set([index++, 0, seed, stream]);
    pcg4d(words);
    return words[0]! / 4294967296;
  };
}
