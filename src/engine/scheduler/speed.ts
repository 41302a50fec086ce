/**
 * How fast a model is on this machine: a chunk costs `fixed` + passes × `pass` + `commit` milliseconds, whatever the length
 * of the prefix.
 */
export interface Speed {
  passMs: number;
  /** Of a chunk, beside its passes: packing, upload, the way back. */
  fixedMs: number;
  /** The clean pass that moves the state past a finished chunk. */
  commitMs: number;
}

/** What one measurement of a machine took, in milliseconds. */
export interface SpeedSample {
  /** Denoising a chunk in one pass. */
  one: number;
  /** Denoising a chunk in `passes` passes. */
  several: number;
  /** Committing a chunk, then denoising one in one pass: a commit alone may return before the device is done. */
  commitAndOne: number;
}

/**
 * The speed behind samples: their medians, so that a disturbance of one does not count.
 * @param passes of `several`, at least 2
 */
export function speedFrom(samples: readonly SpeedSample[], passes: number): Speed {
  const middle = (of: (sample: SpeedSample) => number): number => {
    const sorted = samples.map(of).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  };
  const one = middle(({ one }) => one);
  const passMs = Math.max(0, (middle(({ several }) => several) - one) / (passes - 1));
  return {
    passMs,
    fixedMs: Math.max(0, one - passMs),
    commitMs: Math.max(0, middle(({ commitAndOne }) => commitAndOne) - one),
  };
}

/** Milliseconds of a chunk of `steps` passes and its commit. */
export function chunkMs({ passMs, fixedMs, commitMs }: Speed, steps: number): number {
  return fixedMs + steps * passMs + commitMs;
}

/**
 * The most passes for which a chunk takes no longer than `ms`.
 * @param most the most that are of use
 * @returns 1 … most; 1 also where not even that fits
 */
export function stepsWithin(speed: Speed, ms: number, most: number): number {
  const room = ms - speed.fixedMs - speed.commitMs;
  if (speed.passMs <= 0) return room >= 0 ? most : 1;
  // A hair of tolerance: a budget made of whole passes must give those passes back.
  return Math.max(1, Math.min(most, Math.floor(room / speed.passMs + 1e-9)));
}

/** What a rollout has the model do. */
export interface RolloutWork {
  /** Chunks of the prefix to be committed. */
  primeChunks: number;
  /** Chunks to be made. */
  chunks: number;
}

/**
 * Seconds that the model will take for a rollout, before anything of it is done. Reading the clip, bringing frames to its
 * size and what the consumer does with them come on top.
 */
export function predictSeconds(speed: Speed, steps: number, { primeChunks, chunks }: RolloutWork): number {
  return (primeChunks * speed.commitMs + chunks * chunkMs(speed, steps)) / 1000;
}
