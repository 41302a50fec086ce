import { describe, expect, it } from 'vitest';
import { REC709 } from '../../src/media/colour.ts';
import { allocatePicture } from '../../src/media/picture.ts';
import { pictureToRgba, pictureToRgbaInSlices } from '../../src/media/rgb.ts';

describe('a picture taken to RGB in slices', () => {
  it.each([
    [1921, 1081],
    [64, 48],
  ])('is the same as in one go, and others have their turn (%i × %i)', async (width, height) => {
    const picture = allocatePicture(width, height);
    for (const plane of [picture.y, picture.u, picture.v])
      plane.forEach((_, i) => (plane[i] = (i * 7 + (i >> 8)) & 255));
    let turns = 0;
    let done = false;
    const others = async (): Promise<void> => {
      for (; !done; turns += 1) await new Promise((resolve) => setTimeout(resolve));
    };
    const waiting = others();
    const frame = await pictureToRgbaInSlices(picture, REC709);
    done = true;
    await waiting;
    expect(turns > 1).toBe(width * height > 1_000_000);
    const whole = pictureToRgba(picture, REC709);
    expect(Buffer.compare(Buffer.from(frame.data.buffer), Buffer.from(whole.data.buffer))).toBe(0);
  });
});
