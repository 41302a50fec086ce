import type { RgbaFrame } from '../engine/types.ts';
import { thumbnail } from '../media/contact-sheet.ts';
import { drawText, fillRectangle, fitText, LINE_HEIGHT } from '../media/tiny-font.ts';
import type { ClipOutcome } from './evaluate-clip.ts';
import { mean } from './figures.ts';
import type { Picture } from './picture.ts';

type Colour = readonly [number, number, number];
const BACKGROUND: Colour = [24, 24, 27];
const TEXT: Colour = [228, 228, 231];
const FAINT: Colour = [161, 161, 170];

const TILE = 128;
const COLUMNS = 12;
const GAP = 4;
const MARGIN = 16;
const SCALE = 2;
const LINE = SCALE * LINE_HEIGHT + 8;
const SIDE_WIDTH = 96;

/** Clips that a sheet shows. */
export const SHEET_CLIPS = 6;

/** One clip on a sheet: a few frames, evenly spread over the distances. */
export interface SheetClip {
  title: string;
  distances: number[];
  rows: { label: string; pictures: RgbaFrame[] }[];
}

/** Picks what a sheet shows of a clip, so that the rest can be let go. */
export function sheetClip({ name, pictures, scores }: ClipOutcome): SheetClip {
  const frames = pictures.truth.length;
  const columns = Math.min(COLUMNS, frames);
  const picks = Array.from({ length: columns }, (_, column) =>
    columns === 1 ? 0 : Math.round((column * (frames - 1)) / (columns - 1)),
  );
  const row = (label: string, from: readonly Picture[]) => ({
    label,
    pictures: picks.map((index) => thumbnail(rgba(from[index]!), TILE)),
  });
  return {
    title: scores
      ? `${name}  PSNR ${mean(scores.psnr).toFixed(1)} SSIM ${mean(scores.ssim).toFixed(3)}`
      : name,
    distances: picks.map((index) => index + 1),
    rows: [
      row('truth', pictures.truth),
      row('made', pictures.made),
      ...(pictures.baseline.length > 0 ? [row('plain', pictures.baseline)] : []),
    ],
  };
}

/**
 * Truth above generated frames (and, for gaps and regions, what needs no model below them), labelled with the distance
 * from the context.
 * @param clips at least one
 */
export function evaluationSheet(title: string, clips: readonly SheetClip[]): RgbaFrame {
  const first = clips[0]!.rows[0]!.pictures[0]!;
  const columns = Math.max(...clips.map(({ distances }) => distances.length));
  const width = 2 * MARGIN + SIDE_WIDTH + columns * (first.width + GAP) - GAP;
  const heights = clips.map(({ rows }) => 2 * LINE + rows.length * (first.height + GAP) + 2 * GAP);
  const height = 2 * MARGIN + LINE + heights.reduce((sum, value) => sum + value, 0);
  const sheet: RgbaFrame = { width, height, data: new Uint8ClampedArray(width * height * 4) };
  fillRectangle(sheet, 0, 0, width, height, BACKGROUND);
  drawText(sheet, fitText(title, width - 2 * MARGIN, SCALE), MARGIN, MARGIN, SCALE, TEXT);
  let top = MARGIN + LINE;
  clips.forEach((clip, index) => {
    drawText(sheet, fitText(clip.title, width - 2 * MARGIN, SCALE), MARGIN, top + GAP, SCALE, FAINT);
    const left = (column: number): number => MARGIN + SIDE_WIDTH + column * (first.width + GAP);
    clip.distances.forEach((distance, column) =>
      drawText(sheet, `+${distance}`, left(column), top + LINE + GAP, SCALE, TEXT),
    );
    clip.rows.forEach(({ label, pictures }, row) => {
      const y = top + 2 * LINE + row * (first.height + GAP);
      drawText(sheet, label, MARGIN, y + (first.height >> 1), SCALE, TEXT);
      pictures.forEach((picture, column) => place(sheet, picture, left(column), y));
    });
    top += heights[index]!;
  });
  return sheet;
}

function place(sheet: RgbaFrame, picture: RgbaFrame, left: number, top: number): void {
  for (let row = 0; row < picture.height; row++) {
    const line = picture.data.subarray(row * picture.width * 4, (row + 1) * picture.width * 4);
    sheet.data.set(line, ((top + row) * sheet.width + left) * 4);
  }
}

function rgba({ width, height, rgb }: Picture): RgbaFrame {
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++) {
    data.set(rgb.subarray(pixel * 3, pixel * 3 + 3), pixel * 4);
  }
  return { width, height, data };
}
