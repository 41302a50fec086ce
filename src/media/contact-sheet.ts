import type { RgbaFrame } from '../engine/types.ts';
import { drawText, fillRectangle, fitText, LINE_HEIGHT } from './tiny-font.ts';

type Colour = readonly [number, number, number];

const BACKGROUND: Colour = [24, 24, 27];
const TEXT: Colour = [228, 228, 231];
const FAINT: Colour = [161, 161, 170];
/** Frames of the editor's own clip, and frames that Longtake made. */
const PREFIX: Colour = [113, 113, 122];
const NEW: Colour = [251, 146, 60];

const BORDER = 3;
const GAP = 8;
const MARGIN = 16;
const LABEL_SCALE = 2;
const LABEL = LABEL_SCALE * LINE_HEIGHT + 8;
const TITLE = 2 * LINE_HEIGHT + 10;

/** One frame on a sheet. */
export interface SheetTile {
  frame: RgbaFrame;
  kind: 'prefix' | 'new';
  /** Short text under the picture, for instance `NEW +12`. */
  label: string;
}

/** One strip of a sheet: an extension, in time order. */
export interface SheetStrip {
  title: string;
  /** Shown instead of pictures where there are none (a clip that failed). */
  note?: string;
  tiles: SheetTile[];
}

/** Longest side of a picture on a sheet, pixels. */
export const TILE_SIDE = 160;
const COLUMNS = 8;

/** Shrinks a frame (mean over the pixels a new one covers) so that its longer side is at most `side`; never enlarges small ones more than to whole multiples. */
export function thumbnail(frame: RgbaFrame, side = TILE_SIDE): RgbaFrame {
  const longest = Math.max(frame.width, frame.height);
  if (longest * 2 <= side) return magnified(frame, Math.floor(side / longest));
  const scale = Math.min(1, side / longest);
  const width = Math.max(1, Math.round(frame.width * scale));
  const height = Math.max(1, Math.round(frame.height * scale));
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    const top = Math.floor((y * frame.height) / height);
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * frame.height) / height));
    for (let x = 0; x < width; x++) {
      const left = Math.floor((x * frame.width) / width);
      const right = Math.max(left + 1, Math.floor(((x + 1) * frame.width) / width));
      let [r, g, b] = [0, 0, 0];
      for (let v = top; v < bottom; v++) {
        for (let u = left; u < right; u++) {
          const at = (v * frame.width + u) * 4;
          r += frame.data[at]!;
          g += frame.data[at + 1]!;
          b += frame.data[at + 2]!;
        }
      }
      const area = (bottom - top) * (right - left);
      data.set([r / area, g / area, b / area, 255], (y * width + x) * 4);
    }
  }
  return { width, height, data };
}

function magnified(frame: RgbaFrame, factor: number): RgbaFrame {
  const width = frame.width * factor;
  const height = frame.height * factor;
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (Math.floor(y / factor) * frame.width + Math.floor(x / factor)) * 4;
      data.set(frame.data.subarray(at, at + 4), (y * width + x) * 4);
    }
  }
  return { width, height, data };
}

/**
 * Lays strips out under each other. Prefix frames have a grey border, new ones an orange one and a label.
 * @returns the sheet as a picture; a PNG is made of it by the caller (`src/media/node`, or a canvas)
 */
export function contactSheet(strips: readonly SheetStrip[]): RgbaFrame {
  const cells = strips.map((strip) => cellSize(strip));
  const columns = Math.max(3, Math.min(COLUMNS, Math.max(...strips.map((strip) => strip.tiles.length))));
  const widest = Math.max(...cells.map((cell) => cell.width), TILE_SIDE / 2);
  const width = 2 * MARGIN + columns * widest + (columns - 1) * GAP;
  const heights = strips.map((strip, i) => {
    const rows = Math.ceil(strip.tiles.length / columns);
    return TITLE + (strip.note === undefined ? 0 : LABEL) + rows * (cells[i]!.height + GAP);
  });
  const height = 2 * MARGIN + heights.reduce((sum, value) => sum + value + GAP, 0) - GAP;
  const sheet: RgbaFrame = { width, height, data: new Uint8ClampedArray(width * height * 4) };
  fillRectangle(sheet, 0, 0, width, height, BACKGROUND);

  let top = MARGIN;
  strips.forEach((strip, i) => {
    drawText(sheet, fitText(strip.title, width - 2 * MARGIN, 2), MARGIN, top, 2, TEXT);
    let y = top + TITLE;
    if (strip.note !== undefined) {
      drawText(sheet, fitText(strip.note, width - 2 * MARGIN, LABEL_SCALE), MARGIN, y, LABEL_SCALE, FAINT);
      y += LABEL;
    }
    strip.tiles.forEach((tile, index) => {
      const left = MARGIN + (index % columns) * (widest + GAP);
      drawTile(sheet, tile, left, y + Math.floor(index / columns) * (cells[i]!.height + GAP));
    });
    top += heights[i]! + GAP;
  });
  return sheet;
}

function cellSize(strip: SheetStrip): { width: number; height: number } {
  const width = Math.max(0, ...strip.tiles.map((tile) => tile.frame.width));
  const height = Math.max(0, ...strip.tiles.map((tile) => tile.frame.height));
  return { width: width + 2 * BORDER, height: height + 2 * BORDER + LABEL };
}

function drawTile(sheet: RgbaFrame, tile: SheetTile, left: number, top: number): void {
  const { frame } = tile;
  const colour = tile.kind === 'new' ? NEW : PREFIX;
  fillRectangle(sheet, left, top, frame.width + 2 * BORDER, frame.height + 2 * BORDER, colour);
  for (let row = 0; row < frame.height; row++) {
    const line = frame.data.subarray(row * frame.width * 4, (row + 1) * frame.width * 4);
    sheet.data.set(line, ((top + BORDER + row) * sheet.width + left + BORDER) * 4);
  }
  const text = tile.kind === 'new' ? NEW : FAINT;
  const label = fitText(tile.label, frame.width + 2 * BORDER, LABEL_SCALE);
  drawText(sheet, label, left + 1, top + frame.height + 2 * BORDER + 4, LABEL_SCALE, text);
}
