import { poseAt, relativePose } from '../camera/poses.ts';
import type { Projection } from '../camera/rays.ts';
import { throwIfCancelled } from '../cancel.ts';
import { blend } from '../detail/blend.ts';
import { rateMap } from '../detail/rate.ts';
import type { LoadedModel } from '../loaded-model.ts';
import { levelsFor } from '../sampler/levels.ts';
import { beginRollout, endRollout, isAlone } from '../scheduler/alone.ts';
import { correctSpeed, knownSpeed } from '../scheduler/calibrate.ts';
import { stepsFor } from '../scheduler/profiles.ts';
import { RolloutClock } from '../scheduler/time-left.ts';
import { seamFigures } from '../seam.ts';
import type { FrameStep } from '../seam.ts';
import { LongtakeError } from '../types.ts';
import type { CameraPose, CameraTrack, RgbaFrame } from '../types.ts';
import type { WorldSession } from '../world/world-model.ts';
import { checkRequest, checkTask } from './check-request.ts';
import { chunkOf } from './chunk-frames.ts';
import type { SequenceFrame } from './chunk-frames.ts';
import { readClip } from './clip-reader.ts';
import type { RolloutSettings } from './extend-request.ts';
import type { GapEvent, GapReport, GapRequest, LoopRequest } from './gap-request.ts';
import { GapTimeline } from './gap-timeline.ts';
import type { GapLayout } from './gap-timeline.ts';
import { makeChunk } from './make-chunk.ts';
import { primeSession } from './priming.ts';
import { projectionOf, SequenceCodec } from './sequence-codec.ts';

/**
 * Fills a gap between two parts of a shot: the model sees frames after the gap as anchors, then the frames before it, then
 * makes what is missing, exactly `frameCount` frames at the clip's size and rate. Ends early without harm when the consumer
 * stops iterating.
 * @throws LongtakeError `usage` for a request that makes no sense or that the model was not trained for, `input` for frames
 *   that do not fit or a part that is empty, `backend` when the machine fails, `cancelled`
 */
export async function* fillGap(
  model: LoadedModel,
  request: GapRequest,
): AsyncGenerator<GapEvent, void, void> {
  const { before, after, size, signal } = request;
  yield* run(model, request, async function* (gap) {
    const one = yield* readClip(before, size, gap.toModel, { signal });
    const already = one.pictures.length;
    if (!one.last) throw new LongtakeError('input', 'There are no frames before the gap.');
    const timeline = gap.timeline(already);
    const limit = timeline.framesForAnchors;
    const two = yield* readClip(after, size, gap.toModel, { signal, limit, already });
    if (!two.first) throw new LongtakeError('input', 'There are no frames after the gap.');
    return {
      timeline,
      before: { pictures: one.pictures, atCut: one.last, steps: one.stepsAtEnd },
      after: { pictures: two.pictures, atCut: two.first, steps: two.stepsAtStart },
      poses: request.camera?.poses ?? [],
    };
  });
}

/**
 * Makes a clip that can be repeated without a jump: new frames lead from its last frame to its first one, which is the gap
 * between the clip's end and its own beginning, moved in time. Events and errors are those of fillGap.
 */
export async function* makeLoop(
  model: LoadedModel,
  request: LoopRequest,
): AsyncGenerator<GapEvent, void, void> {
  const { prefix, size, signal, frameCount } = request;
  yield* run(model, request, async function* (gap) {
    const clip = yield* readClip(prefix, size, gap.toModel, { signal });
    if (!clip.first || !clip.last) throw new LongtakeError('input', 'The clip has no frames.');
    const { pictures } = clip;
    const timeline = gap.timeline(pictures.length);
    const anchors = pictures.slice(0, timeline.framesForAnchors);
    const poses = request.camera?.poses ?? [];
    const track = Array.from({ length: pictures.length + frameCount }, (_, index) => poses[index] ?? null);
    return {
      timeline,
      before: { pictures, atCut: clip.last, steps: clip.stepsAtEnd },
      after: { pictures: anchors, atCut: clip.first, steps: clip.stepsAtStart },
      // After the new frames the camera is where it was at the clip's beginning.
      poses: [...track, ...track.slice(0, anchors.length)],
    };
  });
}

/** The frames on one side of the gap. */
interface Side {
  /** At the model's size, in time order. */
  pictures: Uint8ClampedArray[];
  /** The frame next to the gap, at the clip's size. */
  atCut: RgbaFrame;
  /** Steps between the frames nearest the gap. */
  steps: FrameStep[];
}

interface Sides {
  timeline: GapTimeline;
  before: Side;
  after: Side;
  /** Over everything, in time order; may be shorter. */
  poses: CameraTrack['poses'];
}

async function* run(
  model: LoadedModel,
  settings: RolloutSettings,
  read: (gap: Gap) => AsyncGenerator<GapEvent, Sides, void>,
): AsyncGenerator<GapEvent, void, void> {
  checkRequest(settings);
  checkTask(model.package.model, 'gap');
  throwIfCancelled(settings.signal);
  const session = await model.world.createSession();
  beginRollout(model, session);
  try {
    const gap = new Gap(model, settings, session);
    yield* gap.fill(yield* read(gap));
  } finally {
    endRollout(model, session);
    session.dispose();
  }
}

/** One gap that is being filled. */
class Gap {
  readonly #model: LoadedModel;
  readonly #settings: RolloutSettings;
  readonly #session: WorldSession;
  readonly #codec: SequenceCodec;
  readonly #projection: Projection;

  constructor(model: LoadedModel, settings: RolloutSettings, session: WorldSession) {
    this.#model = model;
    this.#settings = settings;
    this.#session = session;
    this.#codec = new SequenceCodec(model, settings.size);
    this.#projection = projectionOf(model, settings.size, settings.camera);
  }

  get toModel(): SequenceCodec['toModel'] {
    return this.#codec.toModel;
  }

  timeline(before: number): GapTimeline {
    const { package: pkg, world } = this.#model;
    const { rate, frameCount } = this.#settings;
    return new GapTimeline(before, frameCount, rateMap(rate, pkg.model.rate), world.spec.framesPerChunk);
  }

  async *fill(sides: Sides): AsyncGenerator<GapEvent, void, void> {
    const { signal } = this.#settings;
    const { framesPerChunk: perChunk } = this.#model.world.spec;
    const layout = sides.timeline.layout(sides.after.pictures.length);
    const poses = relativePoses(sides, layout);
    const frameAt = (index: number): SequenceFrame => {
      const frame = layout.order[index]!;
      const made = index >= layout.given && (frame <= sides.timeline.gapFrames || frame > layout.lastGiven);
      const latents = made ? null : this.#codec.encode(givenPicture(sides, frame));
      return { latents, pose: poses[index]!, time: frame - layout.zero };
    };
    const clock = new RolloutClock(knownSpeed(this.#model));
    const started = performance.now();
    const rest = yield* primeSession(
      this.#session,
      layout.given,
      frameAt,
      { perChunk, pack: (frames) => this.#pack(frames) },
      signal,
    );
    clock.primed(this.#session.committed, performance.now() - started);
    const toMake = layout.order.slice(layout.given).map((_, index) => frameAt(layout.given + index));
    yield* this.#generate(sides, rest, toMake, clock);
  }

  /** Makes chunk after chunk and delivers frames as soon as both of their neighbours are there. */
  async *#generate(
    sides: Sides,
    rest: readonly SequenceFrame[],
    toMake: readonly SequenceFrame[],
    clock: RolloutClock,
  ): AsyncGenerator<GapEvent, void, void> {
    const { profile, steps, seed, signal, frameCount } = this.#settings;
    const { model } = this.#model.package;
    const { timeline, before, after } = sides;
    const { framesPerChunk: perChunk } = this.#model.world.spec;
    const passes = stepsFor(model, profile, steps);
    const levels = levelsFor(model.sampler, passes);
    const sequence = [...rest, ...toMake];
    // As neighboursOf counts them: the first one is filled in for the frame before the gap.
    const pictures: Uint8ClampedArray[] = [before.pictures.at(-1)!];
    let working = 0;
    let next = 1;
    let seam = null;
    let last = before.atCut;
    for (let start = 0; start < sequence.length; start += perChunk) {
      throwIfCancelled(signal);
      const started = performance.now();
      const chunk = this.#pack(sequence.slice(start, start + perChunk));
      const noise = { seed, chunk: this.#session.committed };
      const chunksLeft = Math.ceil((sequence.length - start) / perChunk) - 1;
      const toMake = { chunk, levels, noise, follows: chunksLeft > 0 };
      const { latents, committed } = await makeChunk(this.#session, toMake, signal);
      const made = this.#codec.decodeChunk(latents, perChunk);
      pictures.push(...made.slice(start === 0 ? rest.length : 0));
      const chunkMade = performance.now();
      clock.made(passes, chunkMade - started);
      await committed;
      const chunkEnd = performance.now();
      clock.committed(chunkEnd - chunkMade);
      working += chunkEnd - started;
      for (; next <= frameCount; next++) {
        const frameStarted = performance.now();
        const frame = this.#frameAt(next, sides, pictures);
        const frameEnd = performance.now();
        working += frameEnd - frameStarted;
        if (!frame) break;
        clock.frameMade(frameEnd - frameStarted);
        seam ??= seamFigures(before.steps, before.atCut, frame);
        // Consumers may take the frame's memory, so what is needed of it is computed before it is handed out.
        if (next === frameCount) last = { ...frame, data: frame.data.slice() };
        const secondsLeft = clock.secondsLeft(passes, chunksLeft, frameCount - next);
        const handedOut = performance.now();
        yield { kind: 'frame', index: next - 1, frame, secondsLeft };
        throwIfCancelled(signal);
        clock.frameTaken(performance.now() - handedOut);
      }
    }
    if (clock.overall !== null && isAlone(this.#model, this.#session)) {
      correctSpeed(this.#model, clock.overall);
    }
    const report: GapReport = {
      model: model.name,
      backend: this.#model.backend,
      frames: frameCount,
      prefixFrames: timeline.before,
      afterFrames: after.pictures.length,
      msPerFrame: working / frameCount,
      seam: seam!,
      seamAfter: seamFigures(after.steps, after.atCut, last),
    };
    yield { kind: 'done', report };
  }

  /** A missing frame; null while one of its neighbours is not made. At a cut the clip's own frame takes part, at its full sharpness. */
  #frameAt(
    index: number,
    { timeline, before, after }: Sides,
    pictures: Uint8ClampedArray[],
  ): RgbaFrame | null {
    const { low, high, part, whole } = timeline.neighboursOf(index);
    const picture = pictures[low];
    if (!picture) return null;
    if (part === 0) return this.#codec.toClip(picture);
    const toAfter = high > timeline.gapFrames;
    const nextPicture = toAfter ? null : pictures[high];
    if (!toAfter && !nextPicture) return null;
    if (low > 0 && nextPicture) return this.#codec.toClip(blend(picture, nextPicture, part, whole));
    const one = low > 0 ? this.#codec.toClip(picture) : before.atCut;
    const two = nextPicture ? this.#codec.toClip(nextPicture) : after.atCut;
    return { width: one.width, height: one.height, data: blend(one.data, two.data, part, whole) };
  }

  #pack(frames: readonly SequenceFrame[]): ReturnType<typeof chunkOf> {
    return chunkOf(frames, this.#model.world.spec, this.#projection);
  }
}

/** A given model frame at the model's size. */
function givenPicture({ timeline, before, after }: Sides, modelFrame: number): Uint8ClampedArray {
  const { low, high, part, whole } = timeline.sourceOf(modelFrame, after.pictures.length);
  const picture = (frame: number): Uint8ClampedArray =>
    frame <= 0
      ? before.pictures[timeline.before - 1 + frame]!
      : after.pictures[frame - timeline.frameCount - 1]!;
  return blend(picture(low), picture(high), part, whole);
}

/** Poses in sequence order, relative to the frame of time 0, or to the first known one where that is unknown. */
function relativePoses({ timeline, poses, after }: Sides, layout: GapLayout): (CameraPose | null)[] {
  const total = timeline.before + timeline.frameCount + after.pictures.length;
  const track = Array.from({ length: total }, (_, index) => poses[index] ?? null);
  const absolute = layout.order.map((frame) => {
    const place = timeline.before - 1 + timeline.placeOf(frame) / timeline.map.modelFrames;
    return poseAt(track, Math.max(0, place));
  });
  const origin =
    absolute[layout.order.indexOf(layout.zero)] ?? absolute.find((pose) => pose !== null) ?? null;
  return absolute.map((pose) => pose && origin && relativePose(pose, origin));
}
