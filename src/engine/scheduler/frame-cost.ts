import type { LoadedModel } from '../loaded-model.ts';
import { frameStep } from '../seam.ts';
import { SequenceCodec } from '../tasks/sequence-codec.ts';

/** What one frame of a clip costs beside the model's own work, in milliseconds. Decoding and keeping it are not in it. */
export interface FrameCost {
  /** A frame of the prefix: brought to the model's size, compared with the one before. */
  readMs: number;
  /** A new frame: brought to the clip's size. */
  makeMs: number;
}

/** Measurements, of which the least disturbed counts; the first also warms up. */
const ROUNDS = 3;

/**
 * Measures what frames of a size cost on this machine; takes some tenths of a second for large ones.
 * @param size of the clip, pixels
 */
export function measureFrames(model: LoadedModel, size: { width: number; height: number }): FrameCost {
  const codec = new SequenceCodec(model, size);
  const frame = { ...size, data: new Uint8ClampedArray(4 * size.width * size.height).fill(127) };
  const cost: FrameCost = { readMs: Infinity, makeMs: Infinity };
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const picture = codec.toModel(frame);
    frameStep(frame, frame);
    const read = performance.now();
    codec.toClip(picture);
    cost.readMs = Math.min(cost.readMs, read - start);
    cost.makeMs = Math.min(cost.makeMs, performance.now() - read);
  }
  return cost;
}
