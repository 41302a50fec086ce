import type { WorldSpec } from '../../package/model-json.ts';

/** Floats of a rollout's state by layer: scan states, and keys (or values) of one half of the attention cache. */
export function stateSizes(spec: WorldSpec): { scan: number; cache: number }[] {
  const { grid, framesPerChunk, width, layers, scan } = spec;
  const tokens = grid.rows * grid.columns;
  return layers.map(({ block }) => ({
    scan: (tokens / (block[0] * block[1])) * scan.heads * scan.keyLength * scan.valueLength,
    cache: framesPerChunk * tokens * width,
  }));
}
