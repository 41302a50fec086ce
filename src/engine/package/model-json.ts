/** The contents of `models/<name>/model.json`. Symbols as in docs/model.md. */
export interface ModelJson {
  formatVersion: 1;
  name: string;
  title: string;
  licence: string;
  /** Picture the model works at, in pixels. */
  frame: { width: number; height: number };
  /** The frame rate the model was trained at; clips of another rate are resampled in time. */
  rate: { num: number; den: number };
  codec: { kind: 'patch'; patch: number } | { kind: 'autoencoder'; encoder: string; decoder: string };
  camera: {
    /** Vertical field of view in degrees assumed where a camera track gives none. */
    verticalFov: number;
    /** What one unit of length is, in words. */
    unit: string;
  };
  world: WorldSpec;
  sampler: { defaultSteps: number; levels: Record<string, number[]> };
  /** Tasks the model was trained for. Others are refused with a sentence. */
  tasks: TaskName[];
  files: { path: string; bytes: number; sha256: string }[];
}

export type TaskName = 'extend' | 'backward' | 'cold-start' | 'gap' | 'region';
export type LayerKind = 'ssd' | 'gated-delta';
export type KeyKind = 'none' | 'ray' | 'point';

export interface LayerSpec {
  kind: LayerKind;
  key: KeyKind;
  /** Block size in tokens: rows, columns. */
  block: [number, number];
}

/** Files of a denoise pass and of a commit. */
export interface GraphPair {
  denoise: string;
  commit: string;
}

/** Everything an engine must know of the network beside the weights. */
export interface WorldSpec {
  grid: { rows: number; columns: number };
  latentChannels: number;
  framesPerChunk: number;
  width: number;
  embedWidth: number;
  levelWidth: number;
  scan: { heads: number; keyLength: number; valueLength: number };
  attention: { heads: number; rope: { time: number[]; row: number[]; column: number[] } };
  mlpWidth: number;
  rayFrequencies: number;
  pointFrequencies: number;
  depths: number;
  layers: LayerSpec[];
  weights: string;
  /** ONNX graphs: exact ones in float32, and those with 8-bit products for processors, where the package has them. */
  graphs: GraphPair & { int8?: GraphPair };
}
