import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BufferTarget, VideoSample } from 'mediabunny';
import { afterEach, describe, expect, it } from 'vitest';
import { ClipWriter } from '../../src/media/clip-writer.ts';
import { REC709 } from '../../src/media/colour.ts';
import { registerMediaCodecs } from '../../src/media/node/register.ts';
import { allocatePicture } from '../../src/media/picture.ts';

const SIZE = { width: 640, height: 368 };
const { copyTo } = VideoSample.prototype;

afterEach(() => {
  VideoSample.prototype.copyTo = copyTo;
});

describe('memory of a frame on its way into the encoder', () => {
  it('is held until the encoder has the frame', async () => {
    registerMediaCodecs();
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    // FFmpeg reads the memory itself: nothing but a reference in our code keeps it from being given to others.
    let pixels: WeakRef<ArrayBufferLike> | null = null;
    VideoSample.prototype.copyTo = function (this: VideoSample, target, options) {
      pixels = new WeakRef(ArrayBuffer.isView(target) ? target.buffer : target);
      return copyTo.call(this, target, options);
    };
    const format = { format: 'mp4', size: SIZE, rate: { num: 24, den: 1 }, colour: REC709 } as const;
    const writer = new ClipWriter({ ...format, target: new BufferTarget() });
    let [looks, lost] = [0, 0];
    for (let i = 0; i < 6; i++) {
      let taken = false;
      const added = writer.addPicture(allocatePicture(SIZE.width, SIZE.height)).finally(() => (taken = true));
      while (!taken) {
        await new Promise(setImmediate);
        collectGarbage();
        if (taken || pixels === null) continue;
        looks++;
        if ((pixels as WeakRef<ArrayBufferLike>).deref() === undefined) lost++;
      }
      await added;
    }
    await writer.finish();
    expect(looks).toBeGreaterThan(0);
    expect(lost).toBe(0);
  });
});
