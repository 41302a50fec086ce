import type { LoadedModel } from '../src/engine/loaded-model.ts';
import { extendClip } from '../src/engine/tasks/extend.ts';
import type { Profile } from '../src/engine/tasks/extend-request.ts';
import type { RgbaFrame } from '../src/engine/types.ts';

/** A whole extension: pictures in, pictures out. */
export interface EndToEndFigures {
  profile: Profile;
  prefixFrames: number;
  frames: number;
  size: { width: number; height: number };
  /** From the request to the first new picture, prefix read and committed. */
  msToFirstFrame: number;
  /** From the first picture to the last. */
  framesASecond: number;
}

/** Extends a made-up clip at the model's rate. Decoding and encoding of files are not part of it. */
export async function measureEndToEnd(
  model: LoadedModel,
  profile: Profile,
  lengths: { prefixFrames: number; frames: number },
  signal?: AbortSignal,
): Promise<EndToEndFigures> {
  const size = { width: 256, height: 256 };
  const clip = Array.from({ length: lengths.prefixFrames }, (_, i) => gradient(size, i));
  const start = performance.now();
  let [first, last, count] = [0, 0, 0];
  const events = extendClip(model, {
    ...{ prefix: clip, prefixLength: clip.length, size, rate: model.package.model.rate },
    ...{ frameCount: lengths.frames, profile, seed: 1 },
    ...(signal && { signal }),
  });
  for await (const event of events) {
    if (event.kind !== 'frame') continue;
    last = performance.now();
    if (count++ === 0) first = last;
  }
  // The pictures of a chunk come together: what follows the first chunk is what time is divided by.
  const chunk = Math.min(model.package.model.world.framesPerChunk, count - 1);
  return {
    ...{ profile, ...lengths, size },
    msToFirstFrame: first - start,
    framesASecond: (1000 * (count - chunk)) / (last - first),
  };
}

/** Colours that move slowly. */
export function gradient({ width, height }: { width: number; height: number }, time: number): RgbaFrame {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data.set([(x + time) & 255, (y + 2 * time) & 255, (x ^ y) & 255, 255], 4 * (y * width + x));
    }
  }
  return { width, height, data };
}
