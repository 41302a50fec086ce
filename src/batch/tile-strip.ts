import type { RgbaFrame } from '../engine/types.ts';
import type { SheetTile } from '../media/contact-sheet.ts';

/** What is kept of a preview's tiles beside their pictures. */
export type TileFacts = { kind: SheetTile['kind']; label: string; width: number; height: number };

/** The facts of tiles, in order. */
export function factsOf(tiles: readonly SheetTile[]): TileFacts[] {
  return tiles.map(({ kind, label, frame: { width, height } }) => ({ kind, label, width, height }));
}

/** Tiles side by side in one picture. */
export function joinTiles(tiles: readonly SheetTile[]): RgbaFrame {
  const width = Math.max(
    1,
    tiles.reduce((sum, { frame }) => sum + frame.width, 0),
  );
  const height = Math.max(1, ...tiles.map(({ frame }) => frame.height));
  const data = new Uint8ClampedArray(width * height * 4);
  let left = 0;
  for (const { frame } of tiles) {
    for (let row = 0; row < frame.height; row++) {
      const line = frame.data.subarray(row * frame.width * 4, (row + 1) * frame.width * 4);
      data.set(line, (row * width + left) * 4);
    }
    left += frame.width;
  }
  return { width, height, data };
}

/** The tiles that `joinTiles` put into a picture. */
export function cutTiles(
  picture: { width: number; data: Uint8ClampedArray | Uint8Array },
  tiles: readonly TileFacts[],
): SheetTile[] {
  let left = 0;
  return tiles.map(({ kind, label, width, height }) => {
    const data = new Uint8ClampedArray(width * height * 4);
    for (let row = 0; row < height; row++) {
      const at = (row * picture.width + left) * 4;
      data.set(picture.data.subarray(at, at + width * 4), row * width * 4);
    }
    left += width;
    return { kind, label, frame: { width, height, data } };
  });
}
