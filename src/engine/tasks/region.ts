import { poseAt, relativePose } from '../camera/poses.ts';
import type { Projection } from '../camera/rays.ts';
import { throwIfCancelled } from '../cancel.ts';
import { blend } from '../detail/blend.ts';
import { composite, softened } from '../detail/mask.ts';
import { rateMap } from '../detail/rate.ts';
import type { LoadedModel } from '../loaded-model.ts';
import { levelsFor } from '../sampler/levels.ts';
import { beginRollout, endRollout, isAlone } from '../scheduler/alone.ts';
import { correctSpeed, knownSpeed } from '../scheduler/calibrate.ts';
import { stepsFor } from '../scheduler/profiles.ts';
import { RolloutClock } from '../scheduler/time-left.ts';
import type { CameraPose, RgbaFrame } from '../types.ts';
import type { WorldSession } from '../world/world-model.ts';
import { checkMask } from './check-region.ts';
import { checkRequest, checkTask } from './check-request.ts';
import { chunkOf } from './chunk-frames.ts';
import type { SequenceFrame } from './chunk-frames.ts';
import { readClip } from './clip-reader.ts';
import { makeChunk } from './make-chunk.ts';
import { primeSession } from './priming.ts';
import type { RepaintEvent, RepaintReport, RepaintRequest } from './region-request.ts';
import { RegionSource } from './region-source.ts';
import type { RegionFrame } from './region-source.ts';
import { RegionTimeline } from './region-timeline.ts';
import { projectionOf, SequenceCodec } from './sequence-codec.ts';

/**
 * Makes a masked part of the picture anew in `frameCount` frames: tokens that the mask touches are generated, the others are
 * given; the result has new pixels inside the mask alone. Frames are read and delivered chunk by chunk. Ends early without
 * harm when the consumer stops iterating.
 * @throws LongtakeError `usage` for a request that makes no sense or that the model was not trained for, `input` for frames or
 *   masks that do not fit or are missing, `backend` when the machine fails, `cancelled`
 */
export async function* repaintRegion(
  model: LoadedModel,
  request: RepaintRequest,
): AsyncGenerator<RepaintEvent, void, void> {
  checkRequest(request);
  checkMask(request.mask);
  checkTask(model.package.model, 'region');
  throwIfCancelled(request.signal);
  const codec = new SequenceCodec(model, request.size);
  const source = new RegionSource(request, codec.toModel, model.world.spec.grid);
  try {
    const session = await model.world.createSession();
    beginRollout(model, session);
    try {
      yield* new Repainting(model, request, session, codec, source).events();
    } finally {
      endRollout(model, session);
      session.dispose();
    }
  } finally {
    await source.close();
  }
}

/** The frames before those to repaint, and where everything stands. */
interface Start {
  timeline: RegionTimeline;
  /** At the model's size, in time order. */
  prefix: Uint8ClampedArray[];
  /** Poses of the model frames of the sequence, relative to the sequence's origin. */
  poses: (CameraPose | null)[];
}

/** One run of repaintRegion. */
class Repainting {
  readonly #projection: Projection;

  constructor(
    private readonly model: LoadedModel,
    private readonly request: RepaintRequest,
    private readonly session: WorldSession,
    private readonly codec: SequenceCodec,
    private readonly source: RegionSource,
  ) {
    this.#projection = projectionOf(model, request.size, request.camera);
  }

  async *events(): AsyncGenerator<RepaintEvent, void, void> {
    const { size, rate, frameCount, signal } = this.request;
    const { framesPerChunk: perChunk } = this.model.world.spec;
    const { pictures: prefix } = yield* readClip(this.request.prefix, size, this.codec.toModel, { signal });
    const map = rateMap(rate, this.model.package.model.rate);
    const timeline = new RegionTimeline(prefix.length, frameCount, map, perChunk);
    const start: Start = { timeline, prefix, poses: this.#poses(timeline, prefix.length) };
    const clock = new RolloutClock(knownSpeed(this.model));
    const started = performance.now();
    const rest = yield* primeSession(
      this.session,
      timeline.firstOpen - timeline.first,
      (index) => this.#frame(start, timeline.first + index, new Map()),
      { perChunk, pack: (frames) => this.#pack(frames) },
      signal,
    );
    clock.primed(this.session.committed, performance.now() - started);
    yield* this.#generate(start, rest, clock);
  }

  /** Makes chunk after chunk and delivers frames as soon as both of their neighbours at the model's rate are there. */
  async *#generate(
    start: Start,
    given: readonly SequenceFrame[],
    clock: RolloutClock,
  ): AsyncGenerator<RepaintEvent, void, void> {
    const { profile, steps, seed, signal, frameCount, size } = this.request;
    const { model } = this.model.package;
    const { framesPerChunk: perChunk } = this.model.world.spec;
    const { timeline } = start;
    const passes = stepsFor(model, profile, steps);
    const levels = levelsFor(model.sampler, passes);
    const made = new Map<number, Uint8ClampedArray>();
    let rest = given;
    let working = 0;
    let [nextModel, nextClip] = [timeline.firstOpen, 0];
    let [repaintedFrames, maskedPixels] = [0, 0];
    while (nextClip < frameCount) {
      throwIfCancelled(signal);
      const fresh = Array.from({ length: perChunk - rest.length }, (_, index) => nextModel + index);
      const lastNeeded = Math.max(...fresh.map((frame) => timeline.touchedBy(frame)[1]));
      const frames = await this.source.readUpTo(lastNeeded);
      const started = performance.now();
      const chunk = this.#pack([...rest, ...fresh.map((frame) => this.#frame(start, frame, frames))]);
      const noise = { seed, chunk: this.session.committed };
      const chunksLeft = Math.max(0, Math.ceil((timeline.modelFrames - nextModel - fresh.length) / perChunk));
      // A chunk in which nothing is masked only moves the state.
      const open = chunk.mask.includes(1);
      const toMake = { chunk, levels, noise, follows: chunksLeft > 0 };
      const { latents, committed } = await makeChunk(this.session, toMake, signal);
      const pictures = this.codec.decodeChunk(latents, perChunk).slice(rest.length);
      pictures.forEach((picture, index) => made.set(nextModel + index, picture));
      nextModel += fresh.length;
      rest = [];
      const chunkMade = performance.now();
      if (open) clock.made(passes, chunkMade - started);
      await committed;
      const chunkEnd = performance.now();
      if (open) clock.committed(chunkEnd - chunkMade);
      working += chunkEnd - started;
      for (; nextClip < frameCount; nextClip++) {
        const frameStarted = performance.now();
        const { low, part, whole } = timeline.neighboursOf(nextClip);
        const [a, b] = [made.get(low), part === 0 ? made.get(low) : made.get(low + 1)];
        if (!a || !b) break;
        const original = frames.get(nextClip)!;
        if (original.maskedPixels > 0) repaintedFrames++;
        maskedPixels += original.maskedPixels;
        const frame = this.#repainted(original, () => blend(a, b, part, whole));
        const frameEnd = performance.now();
        working += frameEnd - frameStarted;
        clock.frameMade(frameEnd - frameStarted);
        const secondsLeft = clock.secondsLeft(passes, chunksLeft, frameCount - 1 - nextClip);
        const handedOut = performance.now();
        yield { kind: 'frame', index: nextClip, frame, secondsLeft };
        throwIfCancelled(signal);
        clock.frameTaken(performance.now() - handedOut);
      }
      this.source.forgetBefore(Math.min(nextClip, timeline.touchedBy(nextModel)[0]));
      const needed = timeline.neighboursOf(nextClip).low;
      for (const frame of made.keys()) if (frame < needed) made.delete(frame);
    }
    if (clock.overall !== null && isAlone(this.model, this.session)) {
      correctSpeed(this.model, clock.overall);
    }
    const report: RepaintReport = {
      model: model.name,
      backend: this.model.backend,
      frames: frameCount,
      prefixFrames: start.prefix.length,
      msPerFrame: working / frameCount,
      repaintedFrames,
      maskedShare: maskedPixels / (frameCount * size.width * size.height),
    };
    yield { kind: 'done', report };
  }

  /** A clip frame with the new picture inside its mask. */
  #repainted({ frame, mask, maskedPixels }: RegionFrame, picture: () => Uint8ClampedArray): RgbaFrame {
    if (maskedPixels === 0) return frame;
    const fresh = this.codec.toClip(picture());
    return { ...fresh, data: composite(frame.data, fresh.data, softened(mask)) };
  }

  /**
   * A model frame of the sequence: given as a whole, given but for the tokens that a mask touches, or one that nobody sees.
   * @param frames those to repaint that the model frame has to do with
   */
  #frame(
    { timeline, prefix, poses }: Start,
    modelFrame: number,
    frames: ReadonlyMap<number, RegionFrame>,
  ): SequenceFrame {
    const place = modelFrame - timeline.first;
    const pose = poses[place]!;
    if (modelFrame >= timeline.modelFrames) return { latents: null, pose, time: place };
    const { low, high, part, whole } = timeline.sourceOf(modelFrame);
    const picture = (frame: number): Uint8ClampedArray =>
      frame < 0 ? prefix[prefix.length + frame]! : frames.get(frame)!.picture;
    const latents = this.codec.encode(blend(picture(low), picture(high), part, whole));
    if (modelFrame < timeline.firstOpen) return { latents, pose, time: place };
    const { rows, columns } = this.model.world.spec.grid;
    const hole = new Uint8Array(rows * columns);
    const [first, last] = timeline.touchedBy(modelFrame);
    for (let frame = first; frame <= last; frame++) {
      frames.get(frame)!.tokens.forEach((open, token) => {
        hole[token]! |= open;
      });
    }
    return { latents, hole, pose, time: place };
  }

  /** Poses of the sequence, relative to its first frame, or to the first known one where that is unknown. */
  #poses(timeline: RegionTimeline, prefixFrames: number): (CameraPose | null)[] {
    const { camera, frameCount } = this.request;
    const poses = camera?.poses ?? [];
    const track = Array.from({ length: prefixFrames + frameCount }, (_, index) => poses[index] ?? null);
    const { clipFrames, modelFrames } = timeline.map;
    const absolute = Array.from({ length: timeline.length }, (_, index) =>
      poseAt(track, prefixFrames + ((timeline.first + index) * clipFrames) / modelFrames),
    );
    const origin = absolute.find((pose) => pose !== null) ?? null;
    return absolute.map((pose) => pose && origin && relativePose(pose, origin));
  }

  #pack(frames: readonly SequenceFrame[]): ReturnType<typeof chunkOf> {
    return chunkOf(frames, this.model.world.spec, this.#projection);
  }
}
