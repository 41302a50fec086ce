import { throwIfCancelled } from '../engine/cancel.ts';
import type { LoadedModel } from '../engine/loaded-model.ts';
import { projectionOf, SequenceCodec } from '../engine/tasks/sequence-codec.ts';
import { LongtakeError, type CameraTrack, type RgbaFrame } from '../engine/types.ts';
import { crossFade, harmonicFill, patched } from './baselines.ts';
import { degradePicture, degradeSequence, type Degradation } from './degradation.ts';
import { scoreFrames, type FrameScores } from './figures.ts';
import { livelinessOf, type Liveliness } from './liveliness.ts';
import { emptyPicture, type Picture } from './picture.ts';
import { framesNeeded, protocolFrames, type EvaluationTask, type ProtocolFrame } from './protocol.ts';
import { pixelMask, regionMask } from './region-mask.ts';
import { rollSequence, type RolloutFrame } from './rollout.ts';

/** A clip of an evaluation set. */
export interface EvaluationClip {
  readonly name: string;
  readonly size: { width: number; height: number };
  readonly frameCount: number;
  /** One pose a frame; null where no camera is known. */
  readonly camera: CameraTrack | null;
  /** One frame at the clip's size, by its index. @throws LongtakeError `input` */
  read(index: number): Promise<RgbaFrame>;
}

export interface ClipSettings {
  task: EvaluationTask;
  context: number;
  generate: number;
  levels: readonly number[];
  seed: number;
  degradation: Degradation;
  signal: AbortSignal | undefined;
  onFrames: (done: number, total: number) => void;
}

/** What one clip brought. Lists go by distance from the last given frame. */
export interface ClipOutcome {
  name: string;
  /** `baseline` is the one that belongs to the task; [] where it is freezing. */
  pictures: { truth: Picture[]; made: Picture[]; baseline: Picture[] };
  /** Null for cold starts: another world than the clip's is right as well. */
  scores: FrameScores | null;
  baselines: Record<string, FrameScores>;
  liveliness: { made: Liveliness; real: Liveliness };
  givenFrames: number;
  primingMs: number;
  generatingMs: number;
}

/**
 * Runs one protocol on one clip. Frames are taken to be at the model's rate and compared at the model's size.
 * @throws LongtakeError `input` for a clip that is too short or can not be read; `backend`, `cancelled`
 */
export async function evaluateClip(
  model: LoadedModel,
  clip: EvaluationClip,
  settings: ClipSettings,
): Promise<ClipOutcome> {
  const { task, context, generate, degradation, seed, signal } = settings;
  const needed = framesNeeded(task, context, generate);
  if (clip.frameCount < needed) {
    throw new LongtakeError(
      'input',
      `The clip “${clip.name}” has ${clip.frameCount} frames, but this evaluation needs ${needed}.`,
    );
  }
  const { frame: size, world } = model.package.model;
  const codec = new SequenceCodec(model, clip.size);
  const sequence = degradeSequence(protocolFrames(task, context, generate), degradation, seed);
  const originals = await readFrames(clip, sequence, codec, size, signal);
  const targets = sequence.filter(({ role }) => role !== 'given');
  const holes = task === 'region' ? targets.map((_, index) => regionMask(world.grid, index, seed)) : null;
  let given = 0;
  const frames = sequence.map((entry): RolloutFrame => {
    const { time, role } = entry;
    const pose = clip.camera?.poses[entry.frame] ?? null;
    if (role === 'made') return { picture: null, hole: null, pose, time };
    const picture = originals.get(entry.frame)!;
    if (role === 'region') return { picture, hole: holes![entry.distance - 1]!, pose, time };
    return { picture: degradePicture(picture, given++, degradation, seed), hole: null, pose, time };
  });
  const rolled = await rollSequence(model, frames, {
    levels: settings.levels,
    seed,
    codec,
    projection: projectionOf(model, clip.size, clip.camera ?? undefined),
    signal,
    onFrames: (done) => settings.onFrames(done, sequence.length),
  });

  const truth = targets.map(({ frame }) => originals.get(frame)!);
  const pixels = holes && holes.map((hole) => pixelMask(hole, world.grid, size));
  const cold = task === 'cold';
  const baselines = cold ? {} : baselinesOf(task, sequence, frames, truth, pixels);
  return {
    name: clip.name,
    pictures: {
      truth,
      made: rolled.pictures,
      baseline: baselines['crossFade'] ?? baselines['harmonicFill'] ?? [],
    },
    scores: cold ? null : scoreFrames(rolled.pictures, truth, pixels),
    baselines: Object.fromEntries(
      Object.entries(baselines).map(([name, pictures]) => [name, scoreFrames(pictures, truth, pixels)]),
    ),
    liveliness: { made: livelinessOf(rolled.pictures), real: livelinessOf(truth) },
    givenFrames: given,
    primingMs: rolled.primingMs,
    generatingMs: rolled.generatingMs,
  };
}

/** The frames that a sequence uses, at the model's size, by their index in the clip. */
async function readFrames(
  clip: EvaluationClip,
  sequence: readonly ProtocolFrame[],
  codec: SequenceCodec,
  size: { width: number; height: number },
  signal: AbortSignal | undefined,
): Promise<Map<number, Picture>> {
  const pictures = new Map<number, Picture>();
  for (const { frame } of sequence) {
    if (pictures.has(frame)) continue;
    throwIfCancelled(signal);
    pictures.set(frame, {
      width: size.width,
      height: size.height,
      rgb: codec.toModel(await clip.read(frame)),
    });
  }
  return pictures;
}

/**
 * What needs no model: the last given frame held; between two given frames their cross-fade; in a hole its harmonic fill.
 * They see what the model sees.
 */
function baselinesOf(
  task: EvaluationTask,
  sequence: readonly ProtocolFrame[],
  frames: readonly RolloutFrame[],
  truth: readonly Picture[],
  holes: readonly Uint8Array[] | null,
): Record<string, Picture[]> {
  const given = sequence
    .map((entry, index) => ({ ...entry, picture: frames[index]!.picture! }))
    .filter(({ role }) => role === 'given');
  // In a gap's sequence, too, the last given frame is the one before the frames to be made.
  const last = given.at(-1)?.picture ?? emptyPicture(truth[0]!);
  if (task === 'region') {
    return {
      freeze: truth.map((picture, index) => patched(picture, last, holes![index]!)),
      harmonicFill: truth.map((picture, index) => harmonicFill(picture, holes![index]!)),
    };
  }
  const freeze = truth.map(() => last);
  if (task !== 'gap') return { freeze };
  const end = sequence.at(-1)!.time;
  const next = given.filter(({ time }) => time > end).reduce((a, b) => (b.time < a.time ? b : a));
  const before = given.filter(({ time }) => time < end).reduce((a, b) => (b.time > a.time ? b : a));
  return {
    freeze,
    crossFade: sequence
      .filter(({ role }) => role === 'made')
      .map(({ time }) =>
        crossFade(before.picture, next.picture, (time - before.time) / (next.time - before.time)),
      ),
  };
}
