import { LAUNCH_SLOT } from './gpu.ts';

/** Values of `Launch` in kernels/launch.wgsl. */
export interface LaunchValues {
  tokens: number;
  frames: number;
  levelRow: number;
  /** Half of the attention cache that holds the chunk before, 0 when none does. */
  previous: 0 | 1 | 2;
  ratio: number;
  seed: number;
  chunk: number;
  stream: number;
}

/** Writes launch values into a slot of the uniform arena's CPU copy. */
export function packLaunch(values: LaunchValues, target: ArrayBuffer, slot: number): void {
  const view = new DataView(target, slot * LAUNCH_SLOT);
  const words = [values.tokens, values.frames, values.levelRow, values.previous];
  words.forEach((word, i) => view.setUint32(4 * i, word, true));
  view.setFloat32(16, values.ratio, true);
  [values.seed, values.chunk, values.stream].forEach((word, i) =>
    view.setUint32(20 + 4 * i, word >>> 0, true),
  );
}
