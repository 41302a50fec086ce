import { BufferSource, BufferTarget } from 'mediabunny';
import { describe, expect, it } from 'vitest';
import { ClipWriter } from '../../src/media/clip-writer.ts';
import { REC709 } from '../../src/media/colour.ts';
import { registerMediaCodecs } from '../../src/media/node/register.ts';
import { openClip } from '../../src/media/open-clip.ts';
import { allocatePicture, type YuvPicture } from '../../src/media/picture.ts';

const SIZE = { width: 160, height: 96 };

describe('H.264 of many frames a second', () => {
  it('is as near to the source as at 25 frames', async () => {
    const usual = await loss(25);
    expect(usual).toBeGreaterThan(40);
    for (const rate of [60, 120, 240]) expect(await loss(rate)).toBeGreaterThan(usual - 0.7);
  });
});

/** PSNR of the luma of a textured clip after encoding. */
async function loss(rate: number): Promise<number> {
  registerMediaCodecs();
  const target = new BufferTarget();
  const writer = new ClipWriter({
    format: 'mp4',
    size: SIZE,
    rate: { num: rate, den: 1 },
    colour: REC709,
    target,
  });
  const sources = Array.from({ length: 24 }, (_, i) => textured(i));
  for (const picture of sources) await writer.addPicture(picture);
  await writer.finish();
  const clip = await openClip(new BufferSource(target.buffer!), 'textured.mp4');
  let [sum, index] = [0, 0];
  for await (const { y } of clip.pictures()) {
    const source = sources[index++]!.y;
    sum += y.reduce((total, value, i) => total + (value - source[i]!) ** 2, 0) / y.length;
  }
  clip.dispose();
  return 10 * Math.log10((255 * 255) / (sum / index));
}

/** Fine texture that drifts, with a little grain that does not repeat: what coarse steps lose first. */
function textured(frame: number): YuvPicture {
  const picture = allocatePicture(SIZE.width, SIZE.height);
  for (let row = 0; row < SIZE.height; row++) {
    for (let column = 0; column < SIZE.width; column++) {
      const x = column + 0.7 * frame;
      const grain = (Math.imul(row * 131 + column * 17 + frame * 7919, 2654435761) >>> 28) - 8;
      const wave = 40 * Math.sin(x / 3) * Math.cos(row / 4) + 30 * Math.sin((x + row) / 7);
      picture.y[row * SIZE.width + column] = Math.round(126 + wave + grain);
    }
  }
  picture.u.fill(128);
  picture.v.fill(128);
  return picture;
}
