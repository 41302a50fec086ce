import { chunkNoise } from '../engine/sampler/noise.ts';
import { LongtakeError } from '../engine/types.ts';
import type { Picture } from './picture.ts';
import type { EvaluationTask, ProtocolFrame } from './protocol.ts';
import { STREAM, uniforms } from './random.ts';

/** What is done to the given frames before the model sees them. */
export interface Degradation {
  /** Standard deviation of Gaussian noise on every value, in units of the full range 0…1. 0 = none. */
  noise: number;
  /** Share of the given frames that are not in the sequence, 0 ≤ … < 1; the others keep their true times and poses. */
  missing: number;
  /** Length in frames of the spells in which a grey rectangle covers half of the picture. 0 = none. */
  occlusion: number;
  /**
   * The first half of the context is walked backwards, so that the camera jumps in the middle of it: pictures and poses
   * are true, what is seen in all is the same, and so is the cut.
   */
  cameraJump: boolean;
}

export const NO_DEGRADATION: Readonly<Degradation> = {
  noise: 0,
  missing: 0,
  occlusion: 0,
  cameraJump: false,
};

/** A spell of occlusion starts somewhere in every stretch of this many spell lengths. */
const STRETCH = 5;
const GREY = 128;

/**
 * @throws LongtakeError `usage` for a degradation that makes no sense with the task
 */
export function checkDegradation(task: EvaluationTask, degradation: Degradation): void {
  const { noise, missing, occlusion, cameraJump } = degradation;
  const degrades = noise > 0 || missing > 0 || occlusion > 0 || cameraJump;
  if (task === 'cold' && degrades) {
    throw new LongtakeError('usage', 'A cold start has no prefix that could be degraded.');
  }
  if (task === 'gap' && cameraJump) {
    throw new LongtakeError(
      'usage',
      'A camera jump is for retrieval, reasoning and region: a gap has one anyway.',
    );
  }
}

/**
 * The sequence with its camera jump and without its missing frames. Never missing are the frame of time 0, which the poses
 * are relative to, the sequence's first (a gap's first anchor), and frames that are to be made.
 */
export function degradeSequence(
  frames: readonly ProtocolFrame[],
  { missing, cameraJump }: Degradation,
  seed: number,
): ProtocolFrame[] {
  let sequence = [...frames];
  if (cameraJump) {
    const half = Math.floor(sequence.filter(({ role }) => role === 'given').length / 2);
    sequence = sequence.map((entry, index) =>
      index < half ? { ...entry, frame: frames[half - 1 - index]!.frame } : entry,
    );
  }
  const candidates = sequence.filter(
    ({ role, time }, index) => role === 'given' && time !== 0 && index !== 0,
  );
  const draw = uniforms(seed, STREAM.missing);
  const order = candidates.map((entry) => ({ entry, key: draw() })).sort((a, b) => a.key - b.key);
  const gone = new Set(order.slice(0, Math.round(missing * candidates.length)).map(({ entry }) => entry));
  return sequence.filter((entry) => !gone.has(entry));
}

/**
 * The picture of a given frame as the model gets it.
 * @param index the frame's place among the given ones of the sequence
 */
export function degradePicture(
  picture: Picture,
  index: number,
  { noise, occlusion }: Degradation,
  seed: number,
): Picture {
  if (noise === 0 && occlusion === 0) return picture;
  const result = { ...picture, rgb: picture.rgb.slice() };
  if (occlusion > 0) occlude(result, index, occlusion, seed);
  if (noise > 0) {
    const values = chunkNoise(result.rgb.length, seed, index, STREAM.noise);
    // A Uint8ClampedArray rounds and clamps by itself.
    for (let at = 0; at < values.length; at++) result.rgb[at] = result.rgb[at]! + 255 * noise * values[at]!;
  }
  return result;
}

function occlude(picture: Picture, index: number, length: number, seed: number): void {
  const stretch = Math.floor(index / (STRETCH * length));
  // Three numbers a stretch, always drawn, so that a frame's occlusion does not depend on the others.
  const draw = uniforms(seed, STREAM.occlusion);
  for (let skip = 0; skip < 3 * stretch; skip++) draw();
  const start = Math.floor(draw() * ((STRETCH - 1) * length + 1));
  const [x, y] = [draw(), draw()];
  const at = index - stretch * STRETCH * length;
  if (at < start || at >= start + length) return;
  const [width, height] = [picture.width, picture.height].map((side) => Math.round(side * Math.SQRT1_2)) as [
    number,
    number,
  ];
  const left = Math.floor(x * (picture.width - width + 1));
  const top = Math.floor(y * (picture.height - height + 1));
  for (let row = top; row < top + height; row++) {
    picture.rgb.fill(GREY, (row * picture.width + left) * 3, (row * picture.width + left + width) * 3);
  }
}
