/** What differs between the rollouts of a pass. */
export interface RolloutLaunch {
  /** Place of its state in the buffers of all states. */
  slot: number;
  /** Half of its attention cache that holds the chunk before, 0 when none does. */
  previous: 0 | 1 | 2;
  /** Of its noise: seed, and the chunk's index in the sequence. */
  seed: number;
  chunk: number;
}

/** Values of `Launch` in kernels/launch.wgsl. */
export interface LaunchValues {
  /** Rows of all rollouts. */
  tokens: number;
  /** Frames and chunks of each rollout. */
  frames: number;
  chunks: number;
  levelRow: number;
  ratio: number;
  stream: number;
  /** At most MOST_ROLLOUTS, in the order of their rows. */
  rollouts: readonly RolloutLaunch[];
}

/** Rollouts that one pass can make: the length of the list in kernels/launch.wgsl. */
export const MOST_ROLLOUTS = 8;

/** Bytes of one slot of the uniform arena: the default minimum alignment of dynamic offsets. */
export const LAUNCH_SLOT = 256;
/** Slots of the uniform arena: one a pass of a call; longer calls write it again. */
export const LAUNCH_SLOTS = 64;
/** Bytes of `Launch` in kernels/launch.wgsl. */
export const LAUNCH_BYTES = 32 + 16 * MOST_ROLLOUTS;

/** A pass in which nothing is noised and nobody has a state, such as that of the level table. */
export function plainLaunch(tokens: number): LaunchValues {
  return { tokens, frames: 0, chunks: 1, levelRow: 0, ratio: 0, stream: 0, rollouts: [] };
}

/** Writes launch values into a slot of the uniform arena's CPU copy. */
export function packLaunch(values: LaunchValues, target: ArrayBuffer, slot: number): void {
  const view = new DataView(target, slot * LAUNCH_SLOT);
  const words = [values.tokens, values.frames, values.chunks, values.levelRow];
  words.forEach((word, i) => view.setUint32(4 * i, word, true));
  view.setFloat32(16, values.ratio, true);
  view.setUint32(20, values.stream, true);
  values.rollouts.forEach((rollout, index) => {
    const own = [rollout.slot, rollout.previous, rollout.seed, rollout.chunk];
    own.forEach((word, i) => view.setUint32(32 + 16 * index + 4 * i, word >>> 0, true));
  });
}
