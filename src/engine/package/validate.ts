import { LongtakeError } from '../types.ts';
import type {
  GraphPair,
  KeyKind,
  LayerKind,
  LayerSpec,
  ModelJson,
  TaskName,
  WorldSpec,
} from './model-json.ts';

const TASKS: readonly TaskName[] = ['extend', 'backward', 'cold-start', 'gap', 'region'];
const LAYER_KINDS: readonly LayerKind[] = ['ssd', 'gated-delta'];
const KEY_KINDS: readonly KeyKind[] = ['none', 'ray', 'point'];

/**
 * Reads model.json.
 * @throws LongtakeError `package` with the field that is wrong
 */
export function parseModelJson(bytes: Uint8Array): ModelJson {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new LongtakeError('package', 'The world model is damaged: its model.json can not be read.', {
      cause,
    });
  }
  return validateModelJson(value);
}

/**
 * Checks every field of a model.json and that they fit together (grid and picture, layers and grid, files listed).
 * @throws LongtakeError `package` with the field that is wrong
 */
export function validateModelJson(value: unknown): ModelJson {
  const json = new Fields(value, '');
  if (json.value('formatVersion') !== 1) {
    throw wrong('formatVersion', 'must be 1; this version of Longtake can not read the model');
  }
  const frame = json.object('frame');
  const rate = json.object('rate');
  const camera = json.object('camera');
  const files = json.array('files').map((entry, index) => readFile(new Fields(entry, `files[${index}]`)));
  const model: ModelJson = {
    formatVersion: 1,
    name: json.text('name'),
    title: json.text('title'),
    licence: json.text('licence'),
    frame: { width: frame.count('width'), height: frame.count('height') },
    rate: { num: rate.count('num'), den: rate.count('den') },
    codec: readCodec(json.object('codec')),
    camera: { verticalFov: camera.number('verticalFov'), unit: camera.text('unit') },
    world: readWorld(json.object('world')),
    sampler: readSampler(json.object('sampler')),
    tasks: json.array('tasks').map((task, index) => oneOf(task, TASKS, `tasks[${index}]`)),
    files,
  };
  const { verticalFov } = model.camera;
  if (verticalFov <= 0 || verticalFov >= 180) throw wrong('camera.verticalFov', 'must lie between 0 and 180');
  checkCodec(model);
  const listed = new Set(files.map((file) => file.path));
  const { weights, graphs } = model.world;
  const needed = [weights, graphs.denoise, graphs.commit];
  if (graphs.int8) needed.push(graphs.int8.denoise, graphs.int8.commit);
  if (model.codec.kind === 'autoencoder') needed.push(model.codec.encoder, model.codec.decoder);
  for (const path of needed) if (!listed.has(path)) throw wrong('files', `does not list ${path}`);
  return model;
}

function readFile(file: Fields): ModelJson['files'][number] {
  const entry = { path: file.text('path'), bytes: file.count('bytes', 0), sha256: file.text('sha256') };
  const parts = entry.path.split('/');
  // A path may not leave the package's folder.
  if (entry.path.includes('\\') || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw wrong(file.at('path'), 'must be a plain relative path');
  }
  if (!/^[0-9a-f]{64}$/.test(entry.sha256))
    throw wrong(file.at('sha256'), 'must be 64 lower-case hex digits');
  return entry;
}

function readCodec(codec: Fields): ModelJson['codec'] {
  const kind = oneOf(codec.value('kind'), ['patch', 'autoencoder'] as const, codec.at('kind'));
  if (kind === 'patch') return { kind, patch: codec.count('patch') };
  return { kind, encoder: codec.text('encoder'), decoder: codec.text('decoder') };
}

function checkCodec(model: ModelJson): void {
  if (model.codec.kind !== 'patch') return;
  const { patch } = model.codec;
  const { grid, latentChannels } = model.world;
  if (grid.columns * patch !== model.frame.width || grid.rows * patch !== model.frame.height) {
    throw wrong('world.grid', `times the patch (${patch}) must give the frame's size`);
  }
  if (latentChannels !== patch * patch * 3)
    throw wrong('world.latentChannels', `must be ${patch * patch * 3}`);
}

function readWorld(world: Fields): WorldSpec {
  const grid = world.object('grid');
  const scan = world.object('scan');
  const attention = world.object('attention');
  const rope = attention.object('rope');
  const graphs = world.object('graphs');
  const spec: WorldSpec = {
    grid: { rows: grid.count('rows'), columns: grid.count('columns') },
    latentChannels: world.count('latentChannels'),
    framesPerChunk: world.count('framesPerChunk'),
    width: world.count('width'),
    embedWidth: world.count('embedWidth'),
    levelWidth: world.count('levelWidth'),
    scan: {
      heads: scan.count('heads'),
      keyLength: scan.count('keyLength'),
      valueLength: scan.count('valueLength'),
    },
    attention: {
      heads: attention.count('heads'),
      rope: { time: rope.numbers('time'), row: rope.numbers('row'), column: rope.numbers('column') },
    },
    mlpWidth: world.count('mlpWidth'),
    rayFrequencies: world.count('rayFrequencies', 0),
    pointFrequencies: world.count('pointFrequencies', 0),
    depths: world.count('depths', 0),
    layers: world.array('layers').map((layer, i) => readLayer(new Fields(layer, world.at(`layers[${i}]`)))),
    weights: world.text('weights'),
    graphs: {
      ...readGraphs(graphs),
      ...(graphs.value('int8') !== undefined && { int8: readGraphs(graphs.object('int8')) }),
    },
  };
  checkWorld(spec);
  return spec;
}

function readGraphs(pair: Fields): GraphPair {
  return { denoise: pair.text('denoise'), commit: pair.text('commit') };
}

function readLayer(layer: Fields): LayerSpec {
  const block = layer.numbers('block');
  const [rows, columns] = block;
  if (block.length !== 2 || !isCount(rows, 1) || !isCount(columns, 1)) {
    throw wrong(layer.at('block'), 'must be two whole numbers, rows and columns');
  }
  return {
    kind: oneOf(layer.value('kind'), LAYER_KINDS, layer.at('kind')),
    key: oneOf(layer.value('key'), KEY_KINDS, layer.at('key')),
    block: [rows, columns],
  };
}

function checkWorld(spec: WorldSpec): void {
  if (spec.layers.length === 0) throw wrong('world.layers', 'must not be empty');
  if (spec.width % spec.attention.heads !== 0) {
    throw wrong('world.attention.heads', 'must divide world.width');
  }
  const { time, row, column } = spec.attention.rope;
  const pairs = spec.width / spec.attention.heads / 2;
  if (time.length + row.length + column.length !== pairs) {
    throw wrong('world.attention.rope', `must list ${pairs} frequencies in all`);
  }
  spec.layers.forEach((layer, index) => {
    const [rows, columns] = layer.block;
    if (spec.grid.rows % rows !== 0 || spec.grid.columns % columns !== 0) {
      throw wrong(`world.layers[${index}].block`, 'must divide the grid');
    }
    if (layer.key === 'ray' && spec.rayFrequencies === 0) {
      throw wrong('world.rayFrequencies', `must not be 0: layer ${index} has ray keys`);
    }
    if (layer.key === 'point' && (spec.pointFrequencies === 0 || spec.depths === 0)) {
      throw wrong('world.pointFrequencies', `and world.depths must not be 0: layer ${index} has point keys`);
    }
  });
}

function readSampler(sampler: Fields): ModelJson['sampler'] {
  const listed = sampler.object('levels');
  const levels: Record<string, number[]> = {};
  for (const key of listed.keys()) {
    const list = listed.numbers(key);
    const falling = list.every((level, i) => i === 0 || level < list[i - 1]!);
    if (
      !/^[1-9]\d*$/.test(key) ||
      list.length !== Number(key) + 1 ||
      list[0] !== 1 ||
      list.at(-1) !== 0 ||
      !falling
    ) {
      throw wrong(listed.at(key), 'must fall from 1 to 0 in as many steps as its name says');
    }
    levels[key] = list;
  }
  const defaultSteps = sampler.count('defaultSteps');
  return { defaultSteps, levels };
}

/** Reads fields of one JSON object and says where the object stands when one is wrong. */
class Fields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw wrong(path === '' ? 'model.json' : path, 'must be an object');
    }
    this.#object = value as Readonly<Record<string, unknown>>;
    this.#path = path;
  }

  at(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }

  keys(): string[] {
    return Object.keys(this.#object);
  }

  value(name: string): unknown {
    return this.#object[name];
  }

  object(name: string): Fields {
    return new Fields(this.#object[name], this.at(name));
  }

  array(name: string): unknown[] {
    const value = this.#object[name];
    if (!Array.isArray(value)) throw wrong(this.at(name), 'must be a list');
    return value as unknown[];
  }

  text(name: string): string {
    const value = this.#object[name];
    if (typeof value !== 'string' || value === '') throw wrong(this.at(name), 'must be a text');
    return value;
  }

  number(name: string): number {
    return finite(this.#object[name], this.at(name));
  }

  numbers(name: string): number[] {
    return this.array(name).map((value, index) => finite(value, `${this.at(name)}[${index}]`));
  }

  count(name: string, least = 1): number {
    const value = this.#object[name];
    if (!isCount(value, least)) throw wrong(this.at(name), `must be a whole number from ${least} on`);
    return value;
  }
}

function finite(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong(path, 'must be a number');
  return value;
}

function isCount(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least;
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[], path: string): T {
  const found = allowed.find((item) => item === value);
  if (found === undefined) throw wrong(path, `must be one of ${allowed.join(', ')}`);
  return found;
}

function wrong(path: string, what: string): LongtakeError {
  return new LongtakeError('package', `The world model is damaged: in model.json, ${path} ${what}.`);
}
