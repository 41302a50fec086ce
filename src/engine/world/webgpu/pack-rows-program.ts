import { type MatrixUnit, SQUARED } from './matmul-options.ts';
import type { Program, Workgroups } from './program.ts';
import { elementWorkgroups } from './programs.ts';

/** Binding numbers of kernels/pack-rows.wgsl. */
export const PACK_ROWS = { x: 0, table: 1, mask: 2, next: 3 } as const;

export interface PackRowsOptions {
  /** A multiple of SQUARED and of the unit's depth. */
  width: number;
  tableStride: number;
  /** Place of the scale in a row of the table. */
  scale: number;
  unit: MatrixUnit;
  number: 'f16' | 'f32';
}

/** kernels/pack-rows.wgsl. */
export function packRowsProgram({ width, tableStride, scale, unit, number }: PackRowsOptions): Program {
  return {
    file: 'pack-rows.wgsl',
    constants: {
      ...{ WIDTH: width, TABLE_STRIDE: tableStride, TABLE_SCALE: scale, SQUARED },
      ...{ UNIT_M: unit.m, UNIT_K: unit.k, NUMBER: number },
    },
    bindings: {
      ...{ [PACK_ROWS.x]: 'write', [PACK_ROWS.table]: 'read', [PACK_ROWS.mask]: 'read' },
      [PACK_ROWS.next]: 'write',
    },
  };
}

export function packRowsWorkgroups(width: number, tokens: number): Workgroups {
  return elementWorkgroups((tokens * width) / SQUARED);
}
