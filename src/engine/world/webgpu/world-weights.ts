import { LongtakeError } from '../../types.ts';
import type { WorldSpec } from '../../package/model-json.ts';
import { readSafetensors, type TensorEntry } from '../../package/safetensors.ts';
import { type MatrixRows, packMatrix, type PackedMatrix } from './pack.ts';

/** Matrices and tables of one layer, laid out for the kernels. */
export interface LayerWeights {
  modulation: PackedMatrix;
  /** Keys, queries, values, gates, write logits, decay logits, depth logits (docs: ScanColumns). */
  projection: PackedMatrix;
  /** Pose part of keys and queries; absent for key kind `none`. */
  pose?: PackedMatrix;
  scanOut: PackedMatrix;
  /** In place of a bias: the gains of queries and keys, which the epilogue `heads` multiplies by; 0 for values. */
  qkv: PackedMatrix;
  attentionOut: PackedMatrix;
  mlpUp: PackedMatrix;
  mlpDown: PackedMatrix;
}

/** The network's weights on the CPU, laid out for the kernels. */
export interface WorldWeights {
  /** embed.up · embed.in_proj, in floats: nothing lies between them. */
  embed: PackedMatrix;
  /** embed.ray; its bias is embed.up_bias. */
  camera: PackedMatrix;
  /** embed.row [rows, d], embed.column [columns, d], embed.camera_unknown [d]. */
  places: Float32Array;
  rayFrequencies: Float32Array;
  /** point.frequencies [Q, 3], then point.depths [D]. */
  points: Float32Array;
  levelFirst: PackedMatrix;
  levelSecond: PackedMatrix;
  layers: LayerWeights[];
  finalModulation: PackedMatrix;
  finalProj: PackedMatrix;
}

/** Length of τ(t), docs/model.md. */
export const LEVEL_FEATURES = 64;

/** Lays a matrix out for its kernel; `name` is the matrix's name on the device (device-weights.ts). */
export type Packer = (name: string, parts: readonly MatrixRows[]) => PackedMatrix;

/**
 * Reads the weights of a world model.
 * @throws LongtakeError `package` when tensors are missing or do not fit the spec
 */
export function readWorldWeights(
  spec: WorldSpec,
  file: Uint8Array<ArrayBuffer>,
  pack: Packer = (_, parts) => packMatrix(parts),
): WorldWeights {
  const tensors = readSafetensors(file);
  const { width: d, embedWidth: e, levelWidth: m, latentChannels: c, mlpWidth, depths } = spec;
  const { heads, keyLength, valueLength } = spec.scan;
  const headLength = d / spec.attention.heads;

  const entry = (name: string, count: number): TensorEntry => {
    const tensor = tensors.get(name);
    if (!tensor) throw damaged(`${name} is missing`);
    if (tensor.shape.reduce((a, b) => a * b, 1) !== count) throw damaged(`${name} has another shape`);
    return tensor;
  };
  const floats = (name: string, rows: number, columns = 1): Float32Array => {
    const tensor = entry(name, rows * columns);
    if (tensor.dtype === 'F32') return new Float32Array(tensor.bytes.slice().buffer);
    if (tensor.dtype !== 'I8') throw damaged(`${name} is neither float32 nor int8`);
    const scales = floats(`${name}.scale`, rows);
    const values = new Int8Array(tensor.bytes.slice().buffer);
    return Float32Array.from(values, (value, i) => value * scales[Math.floor(i / columns)]!);
  };
  const rows = (name: string, n: number, k: number, bias?: string): MatrixRows => {
    const tensor = entry(name, n * k);
    return {
      ...(tensor.dtype === 'I8'
        ? { values: new Int8Array(tensor.bytes.slice().buffer), scales: floats(`${name}.scale`, n) }
        : { values: floats(name, n, k) }),
      ...(bias === undefined ? {} : { bias: floats(bias, n) }),
      ...{ n, k },
    };
  };
  const matrix = (own: string, name: string, n: number, k: number, bias?: string): PackedMatrix =>
    pack(own, [rows(name, n, k, bias)]);

  const gains = (at: string): Float32Array => {
    const [query, key] = ['query', 'key'].map((kind) => floats(`${at}attention.${kind}_gain`, headLength));
    return Float32Array.from({ length: 3 * d }, (_, column) => {
      if (column >= 2 * d) return 0;
      return (column < d ? query : key)![column % headLength]!;
    });
  };

  const layers = spec.layers.map((layer, index): LayerWeights => {
    const at = `layers.${index}.`;
    const scan = (name: string, n: number, bias?: string): MatrixRows =>
      rows(`${at}scan.${name}`, n, d, bias && `${at}scan.${bias}`);
    const features = 2 * (layer.key === 'ray' ? spec.rayFrequencies : spec.pointFrequencies);
    return {
      modulation: matrix(`${at}modulation`, `${at}modulation`, 9 * d, m, `${at}modulation_bias`),
      projection: pack(`${at}projection`, [
        scan('key', heads * keyLength),
        scan('query', heads * keyLength),
        scan('value', heads * valueLength),
        scan('gate', heads * valueLength),
        scan('write', heads, 'write_bias'),
        scan('decay', heads, 'decay_bias'),
        ...(layer.key === 'point' ? [scan('depth', depths, 'depth_bias')] : []),
      ]),
      ...(layer.key === 'none'
        ? {}
        : {
            pose: pack(`${at}pose`, [
              rows(`${at}scan.key_pose`, heads * keyLength, features),
              rows(`${at}scan.query_pose`, heads * keyLength, features),
            ]),
          }),
      scanOut: matrix(`${at}scanOut`, `${at}scan.out`, d, heads * valueLength),
      qkv: pack(`${at}qkv`, [{ ...rows(`${at}attention.qkv`, 3 * d, d), bias: gains(at) }]),
      attentionOut: matrix(`${at}attentionOut`, `${at}attention.out`, d, d),
      mlpUp: matrix(`${at}mlpUp`, `${at}mlp.up`, mlpWidth, d, `${at}mlp.up_bias`),
      mlpDown: matrix(`${at}mlpDown`, `${at}mlp.down`, d, mlpWidth, `${at}mlp.down_bias`),
    };
  });

  const pointed = spec.layers.some((layer) => layer.key === 'point');
  return {
    embed: pack('embed', [
      { values: product(floats('embed.up', d, e), floats('embed.in_proj', e, c), e, c), n: d, k: c },
    ]),
    camera: matrix('camera', 'embed.ray', d, 2 * spec.rayFrequencies, 'embed.up_bias'),
    places: Float32Array.of(
      ...floats('embed.row', spec.grid.rows, d),
      ...floats('embed.column', spec.grid.columns, d),
      ...floats('embed.camera_unknown', d),
    ),
    rayFrequencies: floats('ray.frequencies', spec.rayFrequencies, 6),
    points: pointed
      ? Float32Array.of(
          ...floats('point.frequencies', spec.pointFrequencies, 3),
          ...floats('point.depths', depths),
        )
      : new Float32Array(0),
    levelFirst: matrix('levelFirst', 'level.fc1', m, LEVEL_FEATURES, 'level.fc1_bias'),
    levelSecond: matrix('levelSecond', 'level.fc2', m, m, 'level.fc2_bias'),
    layers,
    finalModulation: matrix('finalModulation', 'final.modulation', 2 * d, m, 'final.modulation_bias'),
    finalProj: matrix('finalProj', 'final.proj', c, d, 'final.proj_bias'),
  };
}

/**
 * Checks what the kernels ask of the shapes.
 * @throws LongtakeError `backend` naming the first thing that does not fit
 */
export function checkSpec(spec: WorldSpec): void {
  const { width, attention, scan, grid } = spec;
  const headLength = width / attention.heads;
  const { time, row, column } = attention.rope;
  const demands: [boolean, string][] = [
    [width % 4 === 0, 'a width that is a multiple of 4'],
    [spec.levelWidth % 4 === 0, 'a level width that is a multiple of 4'],
    [
      headLength % 4 === 0 && headLength <= 256,
      'attention heads whose length is a multiple of 4, at most 256',
    ],
    [2 * (time.length + row.length + column.length) === headLength, 'rotation frequencies for every pair'],
    [
      scan.keyLength % 4 === 0 && scan.keyLength <= 192,
      'scan keys whose length is a multiple of 4, at most 192',
    ],
    [scan.valueLength % 4 === 0, 'scan values whose length is a multiple of 4'],
    [spec.rayFrequencies > 0, 'ray features'],
    [
      spec.layers.every(({ block }) => grid.rows % block[0] === 0 && grid.columns % block[1] === 0),
      'blocks that tile the grid',
    ],
  ];
  const unmet = demands.find(([met]) => !met);
  if (unmet)
    throw new LongtakeError('backend', `The WebGPU backend needs ${unmet[1]}; this world model has not.`);
}

/** a[rows, inner] · b[inner, columns], rounded once. */
function product(a: Float32Array, b: Float32Array, inner: number, columns: number): Float32Array {
  const result = new Float32Array((a.length / inner) * columns);
  const row = new Float64Array(columns);
  for (let start = 0, at = 0; start < a.length; start += inner, at += columns) {
    row.fill(0);
    for (let i = 0; i < inner; i++) {
      const factor = a[start + i]!;
      for (let column = 0; column < columns; column++) row[column]! += factor * b[i * columns + column]!;
    }
    result.set(row, at);
  }
  return result;
}

function damaged(why: string): LongtakeError {
  return new LongtakeError('package', `The world model's weights do not fit its description: ${why}.`);
}
