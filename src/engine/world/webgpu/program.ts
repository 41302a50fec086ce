import type { KernelConstants } from './preprocess.ts';

/** How a kernel uses one of its storage bindings. */
export type Access = 'read' | 'write';

/** A kernel with its constants: everything a pipeline is made of. Equal programs share one pipeline. */
export interface Program {
  /** File in kernels/. */
  file: string;
  constants: KernelConstants;
  /** Access by binding number in group 1; numbers may be left out. */
  bindings: Readonly<Record<number, Access>>;
}

export type Workgroups = readonly [x: number, y: number, z: number];

/** A text that is equal for equal programs. */
export function programKey(program: Program): string {
  const constants = Object.entries(program.constants).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([program.file, constants, Object.entries(program.bindings)]);
}

/** ⌈a/b⌉ for counts. */
export function ceilDivide(a: number, b: number): number {
  return Math.ceil(a / b);
}
