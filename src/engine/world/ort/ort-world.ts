import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { throwIfCancelled } from '../../cancel.ts';
import { LongtakeError } from '../../types.ts';
import type { WorldSpec } from '../../package/model-json.ts';
import { denoiseChunk } from '../../sampler/denoise-chunk.ts';
import {
  type Chunk,
  denoiseThenCommit,
  type Generated,
  type NoiseKey,
  type WorldModel,
  type WorldSession,
  type WorldSnapshot,
} from '../world-model.ts';
import { inOrtQueue } from './ort-module.ts';
import type { OrtModule } from './ort-module.ts';

/** Added to the attention scores of a chunk before that is not there. */
const NO_CACHE = -1e30;

type Feeds = Record<string, Tensor>;

/** A world model as two onnxruntime sessions; the graphs' inputs and outputs: training/longtake_training/onnx_graphs. */
export class OrtWorldModel implements WorldModel {
  readonly backend = 'ort';
  readonly #live = new Set<InferenceSession>();

  constructor(
    readonly spec: WorldSpec,
    readonly module: OrtModule,
    readonly denoiseSession: InferenceSession,
    readonly commitSession: InferenceSession,
    readonly commitBatch: number,
  ) {
    this.#live.add(denoiseSession).add(commitSession);
  }

  async createSession(): Promise<WorldSession> {
    return new OrtWorldSession(this);
  }

  /** @throws LongtakeError `backend` when onnxruntime fails, for instance for want of memory */
  async run(session: InferenceSession, feeds: Feeds): Promise<InferenceSession.ReturnType> {
    try {
      return await inOrtQueue(() => {
        if (!this.#live.has(session)) throw new Error('the model was disposed');
        return session.run(feeds);
      });
    } catch (cause) {
      throw new LongtakeError('backend', 'The processor backend (onnxruntime) failed while it made frames.', {
        cause,
      });
    }
  }

  dispose(): void {
    for (const session of this.#live) inOrtQueue(() => session.release()).catch(() => undefined);
    this.#live.clear();
  }
}

/** State tensors of one layer, as they go into the graphs. */
interface LayerState {
  scan: Tensor;
  keys: Tensor;
  values: Tensor;
}

class OrtWorldSession implements WorldSession {
  readonly #model: OrtWorldModel;
  #layers: LayerState[];
  #committed = 0;

  constructor(model: OrtWorldModel) {
    this.#model = model;
    this.#layers = this.#shapes().map(({ scan, cache }) => ({
      scan: this.#floats(new Float32Array(scan.reduce(product)), scan),
      keys: this.#floats(new Float32Array(cache.reduce(product)), cache),
      values: this.#floats(new Float32Array(cache.reduce(product)), cache),
    }));
  }

  get committed(): number {
    return this.#committed;
  }

  async commit(chunks: readonly Chunk[], signal?: AbortSignal): Promise<void> {
    const { commitBatch, commitSession } = this.#model;
    for (let start = 0; start < chunks.length; start += commitBatch) {
      throwIfCancelled(signal);
      const batch = chunks.slice(start, start + commitBatch);
      const outputs = await this.#model.run(commitSession, this.#feeds(batch));
      this.#layers = this.#layers.map((_, index) => ({
        scan: outputs[`next.scan.${index}`]!,
        keys: outputs[`next.keys.${index}`]!,
        values: outputs[`next.values.${index}`]!,
      }));
      this.#committed += batch.length;
    }
  }

  denoise(
    chunk: Chunk,
    levels: readonly number[],
    noise: NoiseKey | Float32Array,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const feeds = this.#feeds([chunk]);
    feeds['noised'] = new this.#model.module.Tensor('bool', chunk.mask, [chunk.mask.length, 1]);
    const predict = async (latents: Float32Array, level: number): Promise<Float32Array> => {
      feeds['z'] = this.#floats(latents, feeds['z']!.dims);
      feeds['level'] = this.#floats(Float32Array.of(level), []);
      const outputs = await this.#model.run(this.#model.denoiseSession, feeds);
      return outputs['clean']!.data as Float32Array;
    };
    return denoiseChunk(predict, chunk, levels, noise, signal);
  }

  generate(
    chunk: Chunk,
    levels: readonly number[],
    noise: NoiseKey | Float32Array,
    signal?: AbortSignal,
  ): Promise<Generated> {
    return denoiseThenCommit(this, chunk, levels, noise, signal);
  }

  async settle(): Promise<void> {
    // onnxruntime answers when it is done.
  }

  async snapshot(): Promise<WorldSnapshot> {
    const copy = (tensor: Tensor): Float32Array => (tensor.data as Float32Array).slice();
    return {
      committed: this.#committed,
      layers: this.#layers.map(({ scan, keys, values }) => ({
        scan: copy(scan),
        keys: copy(keys),
        values: copy(values),
      })),
    };
  }

  async restore(snapshot: WorldSnapshot): Promise<void> {
    const shapes = this.#shapes();
    const fits = snapshot.layers.every(
      ({ scan, keys, values }, index) =>
        scan.length === shapes[index]?.scan.reduce(product) &&
        keys.length === shapes[index].cache.reduce(product) &&
        values.length === keys.length,
    );
    if (!fits || snapshot.layers.length !== shapes.length) {
      throw new LongtakeError('internal', 'The saved state belongs to another world model.');
    }
    this.#committed = snapshot.committed;
    this.#layers = snapshot.layers.map(({ scan, keys, values }, index) => ({
      scan: this.#floats(scan.slice(), shapes[index]!.scan),
      keys: this.#floats(keys.slice(), shapes[index]!.cache),
      values: this.#floats(values.slice(), shapes[index]!.cache),
    }));
  }

  dispose(): void {
    this.#layers = [];
  }

  #shapes(): { scan: number[]; cache: number[] }[] {
    const { grid, scan, layers, framesPerChunk, width } = this.#model.spec;
    const tokens = grid.rows * grid.columns;
    return layers.map(({ block }) => ({
      scan: [tokens / (block[0] * block[1]), scan.heads, scan.keyLength, scan.valueLength],
      cache: [framesPerChunk * tokens, width],
    }));
  }

  #floats(data: Float32Array, dims: readonly number[]): Tensor {
    return new this.#model.module.Tensor('float32', data, dims);
  }

  /** Inputs that both graphs share, for chunks that follow the state in order. */
  #feeds(chunks: readonly Chunk[]): Feeds {
    const { grid, framesPerChunk, latentChannels } = this.#model.spec;
    const frameTokens = grid.rows * grid.columns;
    const tokens = chunks.length * framesPerChunk * frameTokens;
    const rays = joined(chunks.map((chunk) => chunk.rays));
    const known = new Float32Array(tokens);
    chunks.forEach((chunk, index) => {
      chunk.cameraKnown.forEach((flag, frame) => {
        const [from, to] = [0, 1].map((next) => (index * framesPerChunk + frame + next) * frameTokens) as [
          number,
          number,
        ];
        if (flag) known.fill(1, from, to);
        else rays.fill(0, from * 6, to * 6);
      });
    });
    const cacheBias = new Float32Array(chunks.length);
    if (this.#committed === 0) cacheBias[0] = NO_CACHE;
    const feeds: Feeds = {
      z: this.#floats(joined(chunks.map((chunk) => chunk.latents)), [tokens, latentChannels]),
      rays: this.#floats(rays, [tokens, 6]),
      known: this.#floats(known, [tokens, 1]),
      times: this.#floats(joined(chunks.map((chunk) => chunk.times)), [chunks.length * framesPerChunk]),
      cache_bias: this.#floats(cacheBias, [chunks.length]),
    };
    this.#layers.forEach(({ scan, keys, values }, index) => {
      feeds[`scan.${index}`] = scan;
      feeds[`keys.${index}`] = keys;
      feeds[`values.${index}`] = values;
    });
    return feeds;
  }
}

function joined(parts: readonly (Float32Array | Int32Array)[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function product(a: number, b: number): number {
  return a * b;
}
