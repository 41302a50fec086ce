import type { RgbaFrame } from '../engine/types.ts';

/** Glyphs of 5 × 7 pixels, one 5-bit number a row from the top, highest bit left. Lower case is drawn as upper case. */
const GLYPHS: Record<string, readonly number[]> = {
  A: [14, 17, 17, 31, 17, 17, 17],
  B: [30, 17, 17, 30, 17, 17, 30],
  C: [14, 17, 16, 16, 16, 17, 14],
  D: [30, 17, 17, 17, 17, 17, 30],
  E: [31, 16, 16, 30, 16, 16, 31],
  F: [31, 16, 16, 30, 16, 16, 16],
  G: [14, 17, 16, 23, 17, 17, 15],
  H: [17, 17, 17, 31, 17, 17, 17],
  I: [14, 4, 4, 4, 4, 4, 14],
  J: [7, 2, 2, 2, 2, 18, 12],
  K: [17, 18, 20, 24, 20, 18, 17],
  L: [16, 16, 16, 16, 16, 16, 31],
  M: [17, 27, 21, 21, 17, 17, 17],
  N: [17, 17, 25, 21, 19, 17, 17],
  O: [14, 17, 17, 17, 17, 17, 14],
  P: [30, 17, 17, 30, 16, 16, 16],
  Q: [14, 17, 17, 17, 21, 18, 13],
  R: [30, 17, 17, 30, 20, 18, 17],
  S: [15, 16, 16, 14, 1, 1, 30],
  T: [31, 4, 4, 4, 4, 4, 4],
  U: [17, 17, 17, 17, 17, 17, 14],
  V: [17, 17, 17, 17, 17, 10, 4],
  W: [17, 17, 17, 21, 21, 21, 10],
  X: [17, 17, 10, 4, 10, 17, 17],
  Y: [17, 17, 10, 4, 4, 4, 4],
  Z: [31, 1, 2, 4, 8, 16, 31],
  '0': [14, 17, 19, 21, 25, 17, 14],
  '1': [4, 12, 4, 4, 4, 4, 14],
  '2': [14, 17, 1, 2, 4, 8, 31],
  '3': [31, 2, 4, 2, 1, 17, 14],
  '4': [2, 6, 10, 18, 31, 2, 2],
  '5': [31, 16, 30, 1, 1, 17, 14],
  '6': [6, 8, 16, 30, 17, 17, 14],
  '7': [31, 1, 2, 4, 8, 8, 8],
  '8': [14, 17, 17, 14, 17, 17, 14],
  '9': [14, 17, 17, 15, 1, 2, 12],
  '+': [0, 4, 4, 31, 4, 4, 0],
  '-': [0, 0, 0, 31, 0, 0, 0],
  '.': [0, 0, 0, 0, 0, 12, 12],
  ',': [0, 0, 0, 0, 12, 4, 8],
  ':': [0, 12, 12, 0, 12, 12, 0],
  '/': [0, 1, 2, 4, 8, 16, 0],
  '×': [0, 17, 10, 4, 10, 17, 0],
  _: [0, 0, 0, 0, 0, 0, 31],
  '(': [2, 4, 8, 8, 8, 4, 2],
  ')': [8, 4, 2, 2, 2, 4, 8],
  '?': [14, 17, 1, 2, 4, 0, 4],
  '!': [4, 4, 4, 4, 4, 0, 4],
  '=': [0, 0, 31, 0, 31, 0, 0],
  '%': [24, 25, 2, 4, 8, 19, 3],
};

const ADVANCE = 6;
export const LINE_HEIGHT = 7;

/** Width in pixels of `text` at a magnification. */
export function textWidth(text: string, scale: number): number {
  return Math.max(0, [...text].length * ADVANCE - 1) * scale;
}

/** The longest beginning of `text` that fits, with `..` where it was cut. */
export function fitText(text: string, width: number, scale: number): string {
  if (textWidth(text, scale) <= width) return text;
  const letters = [...text];
  while (letters.length > 0 && textWidth(`${letters.join('')}..`, scale) > width) letters.pop();
  return `${letters.join('')}..`;
}

/** Draws text with its top left corner at (left, top). Characters without a glyph show as `?`; parts outside are cut. */
export function drawText(
  into: RgbaFrame,
  text: string,
  left: number,
  top: number,
  scale: number,
  colour: readonly [number, number, number],
): void {
  [...text.toUpperCase()].forEach((letter, position) => {
    if (letter === ' ') return;
    const glyph = GLYPHS[letter] ?? GLYPHS['?']!;
    for (let row = 0; row < LINE_HEIGHT; row++) {
      for (let column = 0; column < 5; column++) {
        if ((glyph[row]! & (16 >> column)) === 0) continue;
        fillRectangle(
          into,
          left + (position * ADVANCE + column) * scale,
          top + row * scale,
          scale,
          scale,
          colour,
        );
      }
    }
  });
}

/** Fills a rectangle; parts outside the picture are cut. */
export function fillRectangle(
  into: RgbaFrame,
  left: number,
  top: number,
  width: number,
  height: number,
  colour: readonly [number, number, number],
): void {
  const right = Math.min(into.width, left + width);
  const bottom = Math.min(into.height, top + height);
  for (let y = Math.max(0, top); y < bottom; y++) {
    for (let x = Math.max(0, left); x < right; x++) into.data.set([...colour, 255], (y * into.width + x) * 4);
  }
}
