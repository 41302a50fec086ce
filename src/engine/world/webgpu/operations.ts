import type { WorldSpec } from '../../package/model-json.ts';
import { ATTENTION, attentionProgram, attentionWorkgroups } from './attention-program.ts';
import { type KernelChoice, PLAIN_KERNELS, shapeKey, variantFor } from './kernel-choice.ts';
import { MATMUL, type MatmulOptions } from './matmul-options.ts';
import { matmulProgram, matmulWorkgroups } from './matmul-program.ts';
import {
  CACHE_STORE,
  cacheStoreProgram,
  cacheStoreWorkgroups,
  elementWorkgroups,
  NOISE,
  noiseProgram,
  POINT_FEATURES,
  pointFeaturesProgram,
  RAY_FEATURES,
  rayFeaturesProgram,
  type ScanColumns,
  scanColumns,
  type ScanOptions,
} from './programs.ts';
import type { Extent, Operation, Place } from './operation.ts';
import { scanOperations } from './scan-operations.ts';
import { attentionOf, HandOver, keptNumber, type WeightFormats } from './hand-over.ts';
import { LEVEL_ROWS } from './level-table.ts';

/** From so many chunks on, matrix products have the tiles of long passes. */
export const LONG_PASS = 4;

/** Lays out the dispatches of the network for passes of one extent (docs/model.md). */
export class OperationList {
  readonly #spec: WorldSpec;
  readonly #formats: WeightFormats;
  readonly #extent: Extent;
  readonly #tokens: number;
  readonly #tokensPerFrame: number;
  readonly #choice: KernelChoice;
  readonly #handOver: HandOver;
  readonly #operations: Operation[] = [];

  constructor(spec: WorldSpec, formats: WeightFormats, extent: Extent, choice = PLAIN_KERNELS) {
    this.#spec = spec;
    this.#formats = formats;
    this.#choice = choice;
    this.#extent = extent;
    this.#tokensPerFrame = spec.grid.rows * spec.grid.columns;
    this.#tokens = extent.rollouts * extent.chunks * spec.framesPerChunk * this.#tokensPerFrame;
    this.#handOver = new HandOver(spec, formats, choice, this.#tokens);
  }

  /** The operations added so far. */
  get operations(): readonly Operation[] {
    return this.#operations;
  }

  /** Rows 0 … LEVEL_ROWS − 1 of the modulation tables from the level features. */
  levelTable(): void {
    const { levelWidth: m, width: d, layers } = this.#spec;
    const first = { n: m, k: 64, activation: 'silu' } as const;
    const hidden = (name: string): Place => ({ kind: 'work', name, floats: LEVEL_ROWS * m });
    this.#matmul('level.fc1', 'levelFirst', first, { kind: 'levels' }, hidden('h1'), {}, LEVEL_ROWS);
    const second = { n: m, k: m, activation: 'silu' } as const;
    this.#matmul('level.fc2', 'levelSecond', second, hidden('h1'), hidden('h2'), {}, LEVEL_ROWS);
    for (let layer = 0; layer <= layers.length; layer++) {
      const last = layer === layers.length;
      this.#matmul(
        last ? 'final.modulation' : `${layer} modulation`,
        last ? 'finalModulation' : `layers.${layer}.modulation`,
        { n: (last ? 2 : 9) * d, k: m },
        hidden('h2'),
        { kind: 'table', layer },
        {},
        LEVEL_ROWS,
      );
    }
    const columns = (layer: number): number => this.#projectionOutputs(layer);
    for (const { matrix, columns: n, layer, vector } of this.#handOver.shifts(columns)) {
      const stride = (layer === layers.length ? 2 : 9) * d;
      const prologue = { kind: 'plain', stride, offset: vector * d } as const;
      const options = { n, k: d, prologue, store: { kind: 'unbiased' } } as const;
      const table: Place = { kind: 'table', layer };
      this.#matmul(`shifts of ${matrix}`, matrix, options, table, { kind: 'shifts', matrix }, {}, LEVEL_ROWS);
    }
  }

  /** Noise at the tokens to be generated. */
  noise(): void {
    const channels = this.#spec.latentChannels;
    this.#operations.push({
      name: 'noise',
      program: noiseProgram(channels, this.#tokensPerFrame),
      workgroups: elementWorkgroups(this.#tokens * channels),
      places: { [NOISE.mask]: MASK, [NOISE.latents]: LATENTS },
    });
  }

  /** What depends on the camera alone: place and camera embedding and, with `poses`, the pose part of ray keys. */
  condition(options: { poses: boolean }): void {
    const { width, rayFrequencies, grid, layers } = this.#spec;
    this.#operations.push({
      name: 'ray features',
      program: rayFeaturesProgram(rayFrequencies, this.#tokensPerFrame),
      workgroups: elementWorkgroups(this.#tokens * rayFrequencies),
      places: {
        ...{ [RAY_FEATURES.rays]: RAYS, [RAY_FEATURES.known]: KNOWN },
        [RAY_FEATURES.frequencies]: { kind: 'weight', name: 'rayFrequencies' },
        [RAY_FEATURES.features]: this.#rayFeatures(),
      },
    });
    this.#matmul(
      'embed camera',
      'camera',
      {
        n: width,
        k: 2 * rayFrequencies,
        store: { kind: 'camera', gridRows: grid.rows, gridColumns: grid.columns },
      },
      this.#rayFeatures(),
      this.#work('base', width),
      { [MATMUL.mask]: KNOWN, [MATMUL.extra]: { kind: 'weight', name: 'places' } },
    );
    if (!options.poses) return;
    layers.forEach((layer, index) => {
      if (layer.key !== 'ray') return;
      const options = { n: this.#poseWidth, k: 2 * rayFrequencies };
      this.#matmul(
        `${index} ray keys`,
        `layers.${index}.pose`,
        options,
        this.#rayFeatures(),
        this.#pose(index),
      );
    });
  }

  /** Latents to tokens. */
  embed(): void {
    const { width, latentChannels } = this.#spec;
    const store = { kind: 'extra', columns: width, stride: width } as const;
    this.#matmul('embed', 'embed', { n: width, k: latentChannels, store }, LATENTS, this.#handOver.x, {
      [MATMUL.extra]: this.#work('base', width),
    });
    this.#operations.push(...this.#handOver.begin());
  }

  /**
   * One layer.
   * @param options.commit write the state
   * @param options.poses the pose part of ray keys was made by `condition`
   * @param options.stateOnly end once the state is written
   */
  layer(index: number, options: { commit: boolean; poses: boolean; stateOnly: boolean }): void {
    this.#scan(index, options);
    this.#attention(index, options);
    if (options.stateOnly) return;
    const { width, mlpWidth } = this.#spec;
    const [up, down] = [`layers.${index}.mlpUp`, `layers.${index}.mlpDown`];
    const packed = this.#handOver.takesPacked(down);
    const hidden = packed
      ? this.#handOver.packed(`hidden ${index}`, mlpWidth)
      : this.#work(`hidden ${index}`, mlpWidth);
    const { prologue, a, places } = this.#handOver.modulated(up, index, 6);
    const store = { kind: packed ? 'packed' : 'set' } as const;
    const upwards = { n: mlpWidth, k: width, activation: 'gelu', prologue, store } as const;
    this.#matmul(`${index} mlp up`, up, upwards, a, hidden, places);
    this.#change(`${index} mlp down`, down, index, 8, mlpWidth, hidden, packed);
  }

  /** Predicted clean latents and the sampler step. */
  sample(): void {
    const { width, latentChannels, layers } = this.#spec;
    const { prologue, a, places } = this.#handOver.modulated('finalProj', layers.length, 0);
    const options = { n: latentChannels, k: width, prologue, store: { kind: 'sample' } } as const;
    this.#matmul('sample', 'finalProj', options, a, LATENTS, places);
  }

  #scan(index: number, options: { commit: boolean; poses: boolean }): void {
    const { width, grid, scan, layers } = this.#spec;
    const layer = layers[index]!;
    const columns = this.#columns(index);
    const projection = this.#work(`projection ${index}`, columns.stride);
    const posesFirst = layer.key === 'ray' && options.poses;
    const { prologue, a, places } = this.#handOver.modulated(`layers.${index}.projection`, index, 0);
    this.#matmul(
      `${index} scan projection`,
      `layers.${index}.projection`,
      {
        ...{ n: this.#projectionOutputs(index), k: width, outStride: columns.stride, prologue },
        ...(posesFirst
          ? { store: { kind: 'extra', columns: this.#poseWidth, stride: this.#poseWidth } }
          : {}),
      },
      a,
      projection,
      { ...places, ...(posesFirst ? { [MATMUL.extra]: this.#pose(index) } : {}) },
    );
    if (layer.key !== 'none' && !posesFirst) this.#addPoses(index, projection, columns);
    const scanOptions: ScanOptions = {
      ...{ kind: layer.kind, grid, block: layer.block, ...scan, columns },
      commit: options.commit,
      split: this.#choice.scan,
    };
    const recalled = this.#work(`recalled ${index}`, scan.heads * scan.valueLength);
    const { rollouts, chunks } = this.#extent;
    const extent = { rollouts, frames: chunks * this.#spec.framesPerChunk };
    this.#operations.push(...scanOperations(scanOptions, extent, { layer: index, projection, recalled }));
    const changed = this.#handOver.gated(index, 2);
    this.#matmul(
      `${index} scan out`,
      `layers.${index}.scanOut`,
      {
        ...{ n: width, k: scan.heads * scan.valueLength, store: changed.store },
        prologue: {
          ...{ kind: 'head_gate', headLength: scan.valueLength },
          ...{ gateOffset: columns.gates, gateStride: columns.stride },
        },
      },
      recalled,
      this.#handOver.x,
      { ...changed.places, [MATMUL.extra]: projection },
    );
  }

  /** Adds the pose part to the keys and queries of a projection. */
  #addPoses(index: number, projection: Place, columns: ScanColumns): void {
    const { layers, rayFrequencies, pointFrequencies, depths } = this.#spec;
    const point = layers[index]!.key === 'point';
    const frequencies = point ? pointFrequencies : rayFrequencies;
    const features = point ? this.#work(`point features ${index}`, 2 * frequencies) : this.#rayFeatures();
    if (point) {
      this.#operations.push({
        name: `${index} point features`,
        program: pointFeaturesProgram(frequencies, depths, this.#tokensPerFrame, columns),
        workgroups: elementWorkgroups(this.#tokens * frequencies),
        places: {
          ...{ [POINT_FEATURES.rays]: RAYS, [POINT_FEATURES.known]: KNOWN },
          [POINT_FEATURES.points]: { kind: 'weight', name: 'points' },
          ...{ [POINT_FEATURES.projection]: projection, [POINT_FEATURES.features]: features },
        },
      });
    }
    this.#matmul(
      `${index} ${point ? 'point' : 'ray'} keys`,
      `layers.${index}.pose`,
      { n: this.#poseWidth, k: 2 * frequencies, outStride: columns.stride, store: { kind: 'add' } },
      features,
      projection,
    );
  }

  #attention(index: number, options: { commit: boolean; stateOnly: boolean }): void {
    const { width, grid } = this.#spec;
    const { rope } = this.#spec.attention;
    const { rollouts, chunks } = this.#extent;
    const attention = attentionOf(this.#spec, this.#choice, rollouts * chunks);
    const { headLength, chunkTokens, narrow } = attention;
    const kept = keptNumber(this.#spec, this.#choice);
    const qkv = this.#work(`qkv ${index}`, kept === 'f16' ? 1.5 * width : 3 * width);
    const cache: Place = { kind: 'state', part: 'cache', layer: index };
    const { prologue, a, places } = this.#handOver.modulated(`layers.${index}.qkv`, index, 3);
    const pairs = { time: rope.time.length, row: rope.row.length, column: rope.column.length };
    const project = {
      ...{ n: 3 * width, k: width, prologue },
      store: { kind: 'heads', columns: 2 * width, headLength, grid, pairs, narrow: narrow ?? false } as const,
    };
    this.#matmul(`${index} qkv`, `layers.${index}.qkv`, project, a, qkv, {
      ...places,
      [MATMUL.extra]: { kind: 'input', name: 'rotations' },
    });
    if (!options.stateOnly) {
      const packed = attention.packedOut ?? false;
      const attended = packed
        ? this.#handOver.packed(`attended ${index}`, width)
        : this.#work(`attended ${index}`, width);
      this.#operations.push({
        name: `${index} attention`,
        program: attentionProgram(attention),
        workgroups: attentionWorkgroups(attention),
        places: { [ATTENTION.qkv]: qkv, [ATTENTION.cache]: cache, [ATTENTION.out]: attended },
      });
      const out = `layers.${index}.attentionOut`;
      this.#change(`${index} attention out`, out, index, 5, width, attended, packed);
    }
    if (options.commit) {
      this.#operations.push({
        name: `${index} cache store`,
        program: cacheStoreProgram(width, chunkTokens, kept),
        workgroups: cacheStoreWorkgroups(width, chunkTokens, rollouts),
        places: { [CACHE_STORE.qkv]: qkv, [CACHE_STORE.cache]: cache },
      });
    }
  }

  /** A product that is added to the activations by a gate. @param k columns of `a` @param packed whether `a` is */
  #change(
    name: string,
    matrix: string,
    layer: number,
    gate: number,
    k: number,
    a: Place,
    packed: boolean,
  ): void {
    const { store, places } = this.#handOver.gated(layer, gate);
    const options = {
      n: this.#spec.width,
      k,
      store,
      ...(packed ? { prologue: { kind: 'packed' } as const } : {}),
    };
    this.#matmul(name, matrix, options, a, this.#handOver.x, places);
  }

  /** @param weights name of the packed matrix */
  #matmul(
    name: string,
    weights: string,
    options: Omit<MatmulOptions, 'weight'>,
    a: Place,
    out: Place,
    places: Readonly<Record<number, Place>> = {},
    rows = this.#tokens,
  ): void {
    const weight = this.#formats(weights);
    const { limits } = this.#choice;
    const shape: MatmulOptions = { ...options, weight, limits };
    const tileRows = rows === this.#tokens ? this.#tileRows : rows;
    const key = shapeKey(shape, tileRows);
    const full = { ...shape, variant: variantFor(this.#choice, weights, weight, key, tileRows, shape) };
    this.#operations.push({
      name,
      program: matmulProgram(full),
      workgroups: matmulWorkgroups(full, rows),
      product: { matrix: weights, options: shape, rows, tileRows, key },
      places: {
        ...{ [MATMUL.a]: a, [MATMUL.out]: out, ...places },
        [MATMUL.weights]: { kind: 'weight', name: weights },
        [MATMUL.columns]: { kind: 'weight', name: `${weights}.columns` },
        ...(weight.kind === 'mixed' ? { [MATMUL.tail]: { kind: 'weight', name: `${weights}.tail` } } : {}),
      },
    });
  }

  /** A work tensor; one that does not outlive its layer has the layer's index in its name, so that layers share buffers. */
  #work(name: string, columns: number): Place {
    return { kind: 'work', name, floats: this.#tokens * columns };
  }

  /** Rows by which tiles are chosen: a chunk's or, in long passes, those of eight. */
  get #tileRows(): number {
    const { rollouts, chunks } = this.#extent;
    return (rollouts * chunks < LONG_PASS ? 1 : 8) * this.#spec.framesPerChunk * this.#tokensPerFrame;
  }

  /** Width of the pose part of keys and queries. */
  get #poseWidth(): number {
    return 2 * this.#spec.scan.heads * this.#spec.scan.keyLength;
  }

  #rayFeatures(): Place {
    return this.#work('ray features', 2 * this.#spec.rayFrequencies);
  }

  #pose(index: number): Place {
    return this.#work(`pose ${index}`, this.#poseWidth);
  }

  #columns(index: number): ScanColumns {
    const { scan, layers, depths } = this.#spec;
    const own = layers[index]!.key === 'point' ? depths : 0;
    return scanColumns(scan.heads, scan.keyLength, scan.valueLength, own);
  }

  /** Columns of a layer's scan projection. */
  #projectionOutputs(index: number): number {
    return this.#columns(index).depths + (this.#spec.layers[index]!.key === 'point' ? this.#spec.depths : 0);
  }
}

const LATENTS: Place = { kind: 'input', name: 'latents' };
const MASK: Place = { kind: 'input', name: 'mask' };
const RAYS: Place = { kind: 'input', name: 'rays' };
const KNOWN: Place = { kind: 'input', name: 'known' };
