import { LongtakeError } from '../types.ts';
import { readSafetensors } from '../package/safetensors.ts';
import type { TensorEntry } from '../package/safetensors.ts';
import type { Chunk, WorldSnapshot } from '../world/world-model.ts';

/** Seed of a recording's noise, chunks committed before the first one is made, and chunks in all: training/longtake_training/record.py. */
export const RECORDED_SEED = 7;
export const PREFIX_CHUNKS = 2;
export const CHUNKS = 7;

/** Tensors of a rollout recorded from PyTorch, by name. */
export class Recording {
  readonly #tensors: Map<string, TensorEntry>;

  constructor(file: Uint8Array<ArrayBuffer>) {
    this.#tensors = readSafetensors(file);
  }

  floats(name: string): Float32Array {
    return new Float32Array(this.#bytes(name, 'F32'));
  }

  words(name: string): Uint32Array {
    return new Uint32Array(this.#bytes(name, 'U32'));
  }

  levels(): number[] {
    return [...this.floats('levels')];
  }

  /** A chunk as it went in. */
  chunk(index: number): Chunk {
    const name = `chunk.${index}`;
    return {
      latents: this.floats(`${name}.latents`),
      mask: new Uint8Array(this.#bytes(`${name}.mask`, 'U8')),
      rays: this.floats(`${name}.rays`),
      cameraKnown: new Uint8Array(this.#bytes(`${name}.known`, 'U8')),
      times: new Int32Array(this.#bytes(`${name}.times`, 'I32')),
    };
  }

  /** A chunk as PyTorch finished it, [F, S, c]. */
  finished(index: number): Float32Array {
    return this.floats(`chunk.${index}.finished`);
  }

  /** State after a number of chunks. */
  state(committed: number, layers: number, name = `state.${committed}`): WorldSnapshot {
    return {
      committed,
      layers: Array.from({ length: layers }, (_, i) => ({
        scan: this.floats(`${name}.layers.${i}.scan`),
        keys: this.floats(`${name}.layers.${i}.keys`),
        values: this.floats(`${name}.layers.${i}.values`),
      })),
    };
  }

  #bytes(name: string, dtype: string): ArrayBuffer {
    const entry = this.#tensors.get(name);
    if (entry?.dtype !== dtype) {
      throw new LongtakeError(
        'package',
        `The recording does not fit the model: it has no ${dtype} tensor ${name}.`,
      );
    }
    return entry.bytes.slice().buffer;
  }
}
