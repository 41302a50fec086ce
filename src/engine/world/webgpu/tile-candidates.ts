import { defaultUnitTile, type KernelChoice, MANY_ROWS, type UnitsChoice } from './kernel-choice.ts';
import { isPacked, type MatmulOptions, type Tile, type UnitTile } from './matmul-options.ts';

/** Tiles worth trying beside the default at load. @param rows by which a tile is chosen */
export function candidatesFor(
  options: MatmulOptions,
  rows: number,
  choice: KernelChoice,
): (Tile | UnitTile)[] {
  if (options.weight.kind === 'half' && isPacked(options)) return packedCandidates(choice.units!, rows);
  if (options.weight.kind === 'half') {
    const { m, span } = defaultUnitTile(choice.units!, 1);
    const many = rows >= MANY_ROWS;
    return [
      { m: 2 * m, n: 128, slices: 1, span },
      { m, n: 64, slices: 1, span: many ? 2 * span : span },
      { m, n: 64, slices: many ? 2 : 4, span },
      many ? { m: 4 * m, n: 128, slices: 1, span } : { m, n: 32, slices: 2, span },
    ];
  }
  const deep = choice.arithmetic === 'f16' ? 2 : 1;
  return [
    { m: 16, n: 64, k: 8 * deep, slices: 4 },
    { m: 16, n: 64, k: 16 * deep, slices: 4 },
    { m: 16, n: 32, k: 16 * deep, slices: 8 },
    { m: 32, n: 32, k: 16 * deep, slices: 4 },
    { m: 32, n: 64, k: 16 * deep, slices: 2 },
    { m: 64, n: 64, k: 16 * deep, slices: 1 },
  ];
}

function packedCandidates({ unit }: UnitsChoice, rows: number): UnitTile[] {
  const tile = (m: number, n: number, slices: number, down: number, across: number): UnitTile => ({
    ...{ m, n, slices },
    ...{ span: Math.max(1, across / unit.n), rise: Math.max(1, down / unit.m) },
  });
  if (rows >= MANY_ROWS) {
    return [
      tile(32, 64, 1, 32, 32),
      tile(32, 128, 1, 32, 16),
      tile(64, 64, 1, 32, 16),
      tile(64, 64, 1, 32, 32),
      tile(32, 64, 2, 32, 16),
    ];
  }
  return [
    tile(16, 32, 4, 16, 32),
    tile(16, 32, 4, 16, 16),
    tile(16, 32, 2, 16, 16),
    tile(16, 64, 2, 16, 32),
    tile(16, 64, 2, 16, 16),
    tile(32, 32, 2, 32, 16),
    tile(32, 64, 2, 32, 32),
    tile(64, 32, 2, 32, 16),
  ];
}
