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
  /** A chunk of the prefix, several of which are committed together. */
  primeMs: number;
}

/** What one measurement of a machine took, in milliseconds. */
export interface SpeedSample {
  /** Denoising a chunk in one pass. */
  one: number;
  /** Denoising a chunk in `passes` passes. */
  several: number;
  /** Committing a chunk, then denoising one in one pass: a commit alone may return before the device is done. */
  commitAndOne: number;
  /** The same with `batch` chunks committed together; null where there was no time for it. */
  batchAndOne: number | null;
}

/**
 * The speed behind samples: their medians, so that a disturbance of one does not count.
 * @param counts `passes` of `several`, at least 2, and chunks of `batch`
 */
export function speedFrom(samples: readonly SpeedSample[], counts: { passes: number; batch: number }): Speed {
  const middle = (of: (sample: SpeedSample) => number, among = samples): number => {
    const sorted = among.map(of).sort((a, b) => a - b);
    // Of two the shorter: a model that was loaded just now is still slow, and disturbances only lengthen.
    return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  };
  const { passes, batch } = counts;
  const [one, several] = [middle((sample) => sample.one), middle((sample) => sample.several)];
  // Where a disturbance makes one of the two parts vanish, the other still explains the longer measurement.
  const commitMs = Math.max(0, middle((sample) => sample.commitAndOne) - one);
  const batches = samples.filter((sample) => sample.batchAndOne !== null);
  const batchMs = middle((sample) => sample.batchAndOne ?? 0, batches) - one;
  const passMs = Math.min(several / passes, Math.max(0, (several - one) / (passes - 1)));
  return {
    passMs,
    fixedMs: Math.max(0, several - passes * passMs),
    commitMs,
    primeMs: batches.length > 0 ? Math.max(0, batchMs) / batch : commitMs,
  };
}

/** Milliseconds of making a chunk in `steps` passes. */
export function denoiseMs({ passMs, fixedMs }: Speed, steps: number): number {
  return fixedMs + steps * passMs;
}

/** Milliseconds of a chunk of `steps` passes and its commit. */
export function chunkMs(speed: Speed, steps: number): number {
  return denoiseMs(speed, steps) + speed.commitMs;
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
  // Nothing follows the last chunk that would need its commit.
  const making = chunks * chunkMs(speed, steps) - (chunks > 0 ? speed.commitMs : 0);
  return (primeChunks * speed.primeMs + making) / 1000;
}
