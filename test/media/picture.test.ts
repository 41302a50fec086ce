import { describe, expect, it } from 'vitest';
import { allocatePicture, scalePicture, type YuvPicture } from '../../src/media/picture.ts';

/** A picture with a value of its own nearly everywhere. */
function patterned(width: number, height: number): YuvPicture {
  const picture = allocatePicture(width, height);
  for (const plane of [picture.y, picture.u, picture.v])
    for (let i = 0; i < plane.length; i++) plane[i] = (i * 7919 + (i >> 5) * 31) & 255;
  return picture;
}

/** Bilinear with pixel centres kept, as written in a textbook. */
function exact(data: Uint8Array, width: number, height: number, x: number, y: number): number {
  const at = (column: number, row: number): number =>
    data[Math.min(height - 1, Math.max(0, row)) * width + Math.min(width - 1, Math.max(0, column))]!;
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, below] = [x - left, y - top];
  const upper = at(left, top) * (1 - right) + at(left + 1, top) * right;
  const lower = at(left, top + 1) * (1 - right) + at(left + 1, top + 1) * right;
  return upper * (1 - below) + lower * below;
}

describe('resampling of pictures whose pixels are not square', () => {
  it.each([
    [36, 28, 64, 28],
    [72, 48, 72, 53],
    [65, 33, 40, 21],
  ])('%i×%i to %i×%i: every value where it belongs', (width, height, toWidth, toHeight) => {
    const picture = patterned(width, height);
    const { y } = scalePicture(picture, toWidth, toHeight);
    for (let row = 0; row < toHeight; row++) {
      for (let column = 0; column < toWidth; column++) {
        const fromX = ((column + 0.5) * width) / toWidth - 0.5;
        const fromY = ((row + 0.5) * height) / toHeight - 0.5;
        const difference = y[row * toWidth + column]! - exact(picture.y, width, height, fromX, fromY);
        expect(Math.abs(difference)).toBeLessThan(2.1);
      }
    }
  });

  it('takes an HDV picture in far less than a second: every frame of a clip passes here twice', () => {
    const picture = patterned(1440, 1080);
    scalePicture(picture, 1920, 1080);
    const before = performance.now();
    scalePicture(picture, 1920, 1080);
    expect(performance.now() - before).toBeLessThan(800);
  });
});
