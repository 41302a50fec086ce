import { throwIfCancelled } from '../cancel.ts';
import { blend } from '../detail/blend.ts';
import { clipToModel, rateMap } from '../detail/rate.ts';
import type { LoadedModel } from '../loaded-model.ts';
import { levelsFor } from '../sampler/levels.ts';
import { beginRollout, endRollout, isAlone } from '../scheduler/alone.ts';
import { correctSpeed, knownSpeed, measureSpeed } from '../scheduler/calibrate.ts';
import { stepsFor } from '../scheduler/profiles.ts';
import { StepBudget } from '../scheduler/step-budget.ts';
import { RolloutClock } from '../scheduler/time-left.ts';
import { seamFigures } from '../seam.ts';
import type { FrameStep } from '../seam.ts';
import { LongtakeError, type RgbaFrame } from '../types.ts';
import type { WorldSession } from '../world/world-model.ts';
import { checkRequest, checkTask } from './check-request.ts';
import { chunkOf } from './chunk-frames.ts';
import type { SequenceFrame } from './chunk-frames.ts';
import type { ExtendEvent, ExtendReport, ExtendRequest } from './extend-request.ts';
import { readClip } from './clip-reader.ts';
import { makeChunk } from './make-chunk.ts';
import { Primed } from './primed.ts';
import { primeSession } from './priming.ts';
import { projectionOf, SequenceCodec } from './sequence-codec.ts';
import { Timeline } from './timeline.ts';

/**
 * Makes a shot longer: reads the prefix, moves the model's state past it and delivers new frames at the clip's size and
 * rate as they are made, exactly `frameCount` of them. Ends early without harm when the consumer stops iterating.
 * @throws LongtakeError `usage` for a request that makes no sense or that the model was not trained for, `input` for frames
 *   that do not fit, `backend` when the machine fails, `cancelled`
 */
export async function* extendClip(
  model: LoadedModel,
  request: ExtendRequest,
): AsyncGenerator<ExtendEvent, void, void> {
  checkRequest(request);
  throwIfCancelled(request.signal);
  const began = performance.now();
  if (request.fitSeconds !== undefined) await measureSpeed(model, request.signal);
  const session = await model.world.createSession();
  beginRollout(model, session);
  try {
    yield* new Extension(model, request, session, began).events();
  } finally {
    endRollout(model, session);
    session.dispose();
  }
}

/** The prefix in the order of generation: its last picture is at the cut. */
interface ReadPrefix {
  pictures: Uint8ClampedArray[];
  /** The frame at the cut, at the clip's size. */
  atCut: RgbaFrame | null;
  /** Steps between the frames nearest the cut. */
  steps: FrameStep[];
}

/** Where generation starts; the state itself is in the session. */
type Start = Omit<Primed['at'], 'snapshot'>;

/** One run of extendClip. */
class Extension {
  readonly #model: LoadedModel;
  readonly #request: ExtendRequest;
  readonly #session: WorldSession;
  readonly #codec: SequenceCodec;
  readonly #clock: RolloutClock;
  readonly #began: number;

  /** @param began when the rollout was asked for, by `performance.now` */
  constructor(model: LoadedModel, request: ExtendRequest, session: WorldSession, began: number) {
    this.#model = model;
    this.#request = request;
    this.#session = session;
    this.#codec = new SequenceCodec(model, request.size);
    this.#clock = new RolloutClock(knownSpeed(model));
    this.#began = began;
  }

  async *events(): AsyncGenerator<ExtendEvent, void, void> {
    const request = this.#request;
    let at: Start;
    if (request.primed) {
      const primed = Primed.of(request.primed, request, this.#weights);
      await this.#session.restore(primed.snapshot);
      at = primed;
    } else {
      const prefix = yield* this.#read();
      at = yield* this.#prime(prefix);
    }
    yield* this.#generate(at);
  }

  /** What tells this model's states from another's. */
  get #weights(): string {
    const { files, world } = this.#model.package.model;
    return files.find((file) => file.path === world.weights)!.sha256;
  }

  get #spec(): LoadedModel['world']['spec'] {
    return this.#model.world.spec;
  }

  /** What was read, in the order of generation. */
  async *#read(): AsyncGenerator<ExtendEvent, ReadPrefix, void> {
    const { prefix, size, signal, direction } = this.#request;
    const { pictures, first, last, stepsAtStart, stepsAtEnd } = yield* readClip(
      prefix,
      size,
      this.#codec.toModel,
      { signal },
    );
    return direction === 'backward'
      ? { pictures: pictures.reverse(), atCut: first, steps: stepsAtStart }
      : { pictures, atCut: last, steps: stepsAtEnd };
  }

  #timeline(prefixFrames: number): Timeline {
    const { frameCount, rate, direction = 'forward', camera } = this.#request;
    return new Timeline(
      prefixFrames,
      frameCount,
      rateMap(rate, this.#model.package.model.rate),
      direction,
      camera,
    );
  }

  /** Commits every full chunk of the prefix. */
  async *#prime(prefix: ReadPrefix): AsyncGenerator<ExtendEvent, Start, void> {
    const { size, rate, signal, camera, direction = 'forward' } = this.#request;
    const { model } = this.#model.package;
    const prefixFrames = prefix.pictures.length;
    checkTask(model, prefixFrames === 0 ? 'cold-start' : direction === 'backward' ? 'backward' : 'extend');
    const timeline = this.#timeline(prefixFrames);
    const origin = timeline.origin();
    const projection = projectionOf(this.#model, size, camera);
    let poseKnown = false;
    const frameAt = (index: number): SequenceFrame => {
      const { low, high, part, whole } = timeline.prefixSource(index);
      const picture = blend(prefix.pictures[low]!, prefix.pictures[high]!, part, whole);
      const pose = timeline.poseOf(index - (timeline.prefixModelFrames - 1), origin);
      poseKnown ||= pose !== null;
      return { latents: this.#codec.encode(picture), pose, time: index };
    };
    const started = performance.now();
    const rest = yield* primeSession(
      this.#session,
      timeline.prefixModelFrames,
      frameAt,
      {
        perChunk: this.#spec.framesPerChunk,
        pack: (frames) => chunkOf(frames, this.#spec, projection),
      },
      signal,
    );
    this.#clock.primed(this.#session.committed, performance.now() - started);
    const at: Start = {
      prefixFrames,
      direction,
      weights: this.#weights,
      size,
      rate,
      rest,
      atCut: prefix.atCut,
      steps: prefix.steps,
      // A pose that only the continuation has must not bind later variations.
      origin: poseKnown ? origin : null,
      projection,
    };
    if (this.#request.keepPrimed) {
      yield { kind: 'primed', primed: new Primed({ ...at, snapshot: await this.#session.snapshot() }) };
    }
    return at;
  }

  /** Makes chunk after chunk and delivers frames as soon as both of their neighbours at the model's rate are there. */
  async *#generate(at: Start): AsyncGenerator<ExtendEvent, void, void> {
    const { profile, seed, signal, frameCount } = this.#request;
    const { model } = this.#model.package;
    const budget = this.#budget();
    let steps = stepsFor(model, profile, this.#request.steps);
    const timeline = this.#timeline(at.prefixFrames);
    const origin = at.origin ?? timeline.origin();
    const perChunk = this.#spec.framesPerChunk;
    const pictures = new Map<number, Uint8ClampedArray>();
    const clock = this.#clock;
    // Time that the consumer spends between two frames is not ours.
    let working = 0;
    let seam: ExtendReport['seam'] = null;
    let rest = at.rest;
    let chunkIndex = 0;
    let nextModel = timeline.firstModel;
    let nextClip = timeline.firstNew;
    while (nextClip <= timeline.lastNew) {
      throwIfCancelled(signal);
      const chunkStart = performance.now();
      if (budget) {
        const chunksToMake = Math.ceil((timeline.lastModel + 1 - nextModel + rest.length) / perChunk);
        const otherMs = clock.msForFrames(timeline.lastNew + 1 - nextClip);
        steps = budget.next(chunkStart - this.#began, chunksToMake, otherMs, clock.slowness);
      }
      const levels = levelsFor(model.sampler, steps);
      const fresh = Array.from({ length: perChunk - rest.length }, (_, index): SequenceFrame => {
        const frame = nextModel + index;
        return { latents: null, pose: timeline.poseOf(frame, origin), time: timeline.timeOf(frame) };
      });
      const chunk = chunkOf([...rest, ...fresh], this.#spec, at.projection);
      const noise = { seed, chunk: this.#session.committed };
      const chunksLeft = Math.max(
        0,
        Math.ceil((timeline.lastModel + 1 - nextModel - fresh.length) / perChunk),
      );
      const kept = this.#madeChunk(chunkIndex++, chunk.latents.length);
      const toMake = { chunk, levels, noise, made: kept, follows: chunksLeft > 0 };
      const { latents, committed } = await makeChunk(this.#session, toMake, signal);
      const made = this.#codec.decodeChunk(latents, perChunk).slice(rest.length);
      made.forEach((picture, index) => pictures.set(nextModel + index, picture));
      nextModel += fresh.length;
      rest = [];
      const chunkMade = performance.now();
      if (!kept) clock.made(steps, chunkMade - chunkStart);
      await committed;
      const chunkEnd = performance.now();
      if (!kept) clock.committed(chunkEnd - chunkMade);
      working += chunkEnd - chunkStart;
      if (this.#request.keepChunks && !kept) yield { kind: 'chunk', latents };
      for (; nextClip <= timeline.lastNew; nextClip++) {
        const frameStart = performance.now();
        const frame = this.#frameAt(nextClip, timeline, pictures, at.atCut);
        const frameEnd = performance.now();
        working += frameEnd - frameStart;
        if (!frame) break;
        clock.frameMade(frameEnd - frameStart);
        if (at.atCut && nextClip === timeline.firstNew) seam = seamFigures(at.steps, at.atCut, frame);
        const secondsLeft = clock.secondsLeft(steps, chunksLeft, timeline.lastNew - nextClip);
        const handedOut = performance.now();
        yield { kind: 'frame', index: nextClip - timeline.firstNew, frame, secondsLeft };
        throwIfCancelled(signal);
        clock.frameTaken(performance.now() - handedOut);
      }
      for (const made of pictures.keys())
        if (made < clipToModel(nextClip, timeline.map).low) pictures.delete(made);
    }
    if (clock.overall !== null && isAlone(this.#model, this.#session)) {
      correctSpeed(this.#model, clock.overall);
    }
    const report: ExtendReport = {
      model: model.name,
      backend: this.#model.backend,
      frames: frameCount,
      prefixFrames: at.prefixFrames,
      msPerFrame: working / frameCount,
      seam,
      ...(budget ? { fit: { steps, inTime: performance.now() - this.#began <= budget.budgetMs } } : {}),
    };
    yield { kind: 'done', report };
  }

  /** A chunk's latents as an earlier run made them. @param length numbers of a chunk */
  #madeChunk(index: number, length: number): Float32Array | undefined {
    const made = this.#request.madeChunks?.[index];
    if (made && made.length !== length) {
      throw new LongtakeError('usage', 'The chunks that were made before belong to another model.');
    }
    return made;
  }

  /** Where the request names a time to be done in: what keeps it. */
  #budget(): StepBudget | null {
    const { fitSeconds } = this.#request;
    const speed = knownSpeed(this.#model);
    if (fitSeconds === undefined || !speed) return null;
    return new StepBudget(speed, 1000 * fitSeconds, stepsFor(this.#model.package.model, 'final'));
  }

  /** A new frame at the clip's rate, mixed of its two neighbours at the model's; null while one of them is not made. */
  #frameAt(
    index: number,
    timeline: Timeline,
    pictures: ReadonlyMap<number, Uint8ClampedArray>,
    atCut: RgbaFrame | null,
  ): RgbaFrame | null {
    const { low, part, whole } = clipToModel(index, timeline.map);
    const next = part === 0 ? undefined : pictures.get(low + 1);
    if (part !== 0 && !next) return null;
    if (atCut && low === 0) {
      // Between the cut and the first model frame the clip's own last frame takes part, at its full sharpness.
      const after = this.#codec.toClip(next!);
      return { ...after, data: blend(atCut.data, after.data, part, whole) };
    }
    const picture = pictures.get(low);
    if (!picture) return null;
    return this.#codec.toClip(next ? blend(picture, next, part, whole) : picture);
  }
}
