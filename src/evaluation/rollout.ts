import { relativePose } from '../engine/camera/poses.ts';
import type { Projection } from '../engine/camera/rays.ts';
import { throwIfCancelled } from '../engine/cancel.ts';
import type { LoadedModel } from '../engine/loaded-model.ts';
import { chunkOf, type SequenceFrame } from '../engine/tasks/chunk-frames.ts';
import { makeChunk } from '../engine/tasks/make-chunk.ts';
import type { SequenceCodec } from '../engine/tasks/sequence-codec.ts';
import type { CameraPose } from '../engine/types.ts';
import type { Chunk, WorldSession } from '../engine/world/world-model.ts';
import type { Picture } from './picture.ts';

/** Chunks of given frames that are committed at once. */
const PRIMING_BATCH = 8;

/** One frame as it enters the model. */
export interface RolloutFrame {
  /** Null where the whole frame is to be made. */
  picture: Picture | null;
  /** Tokens to be made in a frame with a picture, 1 each: [rows · columns]; null = none. */
  hole: Uint8Array | null;
  /** As in the clip's camera track; null = unknown. */
  pose: CameraPose | null;
  time: number;
}

export interface RolloutOptions {
  /** Noise levels from 1 down to 0. */
  levels: readonly number[];
  /** 32-bit seed of the sampler's noise. */
  seed: number;
  codec: SequenceCodec;
  projection: Projection;
  signal?: AbortSignal | undefined;
  /** Called after every step with the number of frames of the sequence that are finished. */
  onFrames?: (done: number) => void;
}

export interface RolloutResult {
  /** The frames that were made, whole or in part, in the order of the sequence. */
  pictures: Picture[];
  /** Time spent on chunks of given frames, and on the others. */
  primingMs: number;
  generatingMs: number;
}

/**
 * Runs a sequence of given and missing frames through one session: chunks in which all is given are committed, the others
 * denoised and then committed. Where the last chunk is not full it goes on with frames that nobody sees, in the last pose.
 * @throws LongtakeError `backend`, `cancelled`
 */
export async function rollSequence(
  model: LoadedModel,
  frames: readonly RolloutFrame[],
  options: RolloutOptions,
): Promise<RolloutResult> {
  throwIfCancelled(options.signal);
  const session = await model.world.createSession();
  try {
    return await new Rollout(model, frames, options).run(session);
  } finally {
    session.dispose();
  }
}

class Rollout {
  readonly #origin: CameraPose | null;

  constructor(
    private readonly model: LoadedModel,
    private readonly frames: readonly RolloutFrame[],
    private readonly options: RolloutOptions,
  ) {
    // docs/model.md, Camera: relative to the frame of time 0; where its pose is unknown, to the first known one.
    this.#origin =
      frames.find(({ time }) => time === 0)?.pose ?? frames.find(({ pose }) => pose !== null)?.pose ?? null;
  }

  async run(session: WorldSession): Promise<RolloutResult> {
    const { levels, seed, codec, signal, onFrames } = this.options;
    const { width, height } = this.model.package.model.frame;
    const perChunk = this.model.world.spec.framesPerChunk;
    const chunks = Math.ceil(this.frames.length / perChunk);
    const result: RolloutResult = { pictures: [], primingMs: 0, generatingMs: 0 };
    let waiting: Chunk[] = [];
    const prime = async (done: number): Promise<void> => {
      const start = performance.now();
      await session.commit(waiting, signal);
      result.primingMs += performance.now() - start;
      waiting = [];
      onFrames?.(done);
    };
    for (let index = 0; index < chunks; index++) {
      throwIfCancelled(signal);
      const members = this.frames.slice(index * perChunk, (index + 1) * perChunk);
      const done = index * perChunk + members.length;
      const chunk = this.#chunk(members, perChunk);
      if (!chunk.mask.includes(1)) {
        waiting.push(chunk);
        if (waiting.length === PRIMING_BATCH) await prime(done);
        continue;
      }
      if (waiting.length > 0) await prime(index * perChunk);
      const start = performance.now();
      const noise = { seed, chunk: session.committed };
      const toMake = { chunk, levels, noise, follows: index < chunks - 1 };
      const { latents, committed } = await makeChunk(session, toMake, signal);
      await committed;
      result.generatingMs += performance.now() - start;
      codec.decodeChunk(latents, perChunk).forEach((rgb, at) => {
        const member = members[at];
        if (member && (!member.picture || member.hole)) result.pictures.push({ width, height, rgb });
      });
      onFrames?.(done);
    }
    return result;
  }

  #chunk(members: readonly RolloutFrame[], perChunk: number): Chunk {
    const { codec, projection } = this.options;
    const last = members.at(-1)!;
    const sequence = Array.from({ length: perChunk }, (_, index): SequenceFrame => {
      const member = members[index];
      const pose = (member ?? last).pose;
      return {
        latents: member?.picture ? codec.encode(member.picture.rgb) : null,
        hole: member?.hole ?? null,
        pose: pose && this.#origin && relativePose(pose, this.#origin),
        time: member?.time ?? last.time + 1 + index - members.length,
      };
    });
    return chunkOf(sequence, this.model.world.spec, projection);
  }
}
