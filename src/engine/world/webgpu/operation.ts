import type { MatmulOptions } from './matmul-options.ts';
import type { Program, Workgroups } from './program.ts';

export type PassInput = 'latents' | 'mask' | 'rays' | 'known' | 'rotations';

/**
 * What a kernel reads or writes: a weight on the device, an input of the pass, features of noise levels, the states of a
 * layer, modulation vectors (of a layer and the one after it), what a matrix makes of the shifts of all noise levels, or a work
 * tensor of this plan (which may share its buffer with others).
 */
export type Place =
  | { kind: 'weight'; name: string }
  | { kind: 'input'; name: PassInput }
  | { kind: 'levels' }
  | { kind: 'state'; part: 'scan' | 'cache'; layer: number }
  | { kind: 'table'; layer: number; andNext?: boolean }
  | { kind: 'shifts'; matrix: string }
  | { kind: 'work'; name: string; floats: number };

/** One dispatch. */
export interface Operation {
  /** For reports: layer and what it does. */
  name: string;
  program: Program;
  workgroups: Workgroups;
  places: Readonly<Record<number, Place>>;
  product?: Product;
}

/** A matrix product among the dispatches. */
export interface Product {
  matrix: string;
  options: MatmulOptions;
  rows: number;
  /** Rows that its tile is chosen for. */
  tileRows: number;
  /** Of its tile: `shapeKey`. */
  key: string;
}

/** What a pass goes over: some rollouts, the same number of chunks of each. */
export interface Extent {
  rollouts: number;
  chunks: number;
}
