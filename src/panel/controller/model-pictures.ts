import { blend } from '../../engine/detail/blend.ts';
import { FrameFitter } from '../../engine/detail/frame-fitter.ts';
import { rateMap } from '../../engine/detail/rate.ts';
import type { ModelJson } from '../../engine/package/model-json.ts';
import type { Direction } from '../../engine/tasks/extend-request.ts';
import { Timeline } from '../../engine/tasks/timeline.ts';
import type { HostAdapter, PrefixSource } from '../hosts/host-adapter.ts';

/**
 * The pictures of a prefix nearest the cut as they enter the model: its own frames, at its rate and size, in the order of
 * time. Squeezed as the model sees them: the clip's proportions are to be given back where they are shown. Decoration: where
 * frames cannot be read there are none.
 * @param count at most so many
 */
export async function modelPictures(
  host: HostAdapter,
  prefix: PrefixSource,
  model: ModelJson,
  direction: Direction,
  count: number,
  signal: AbortSignal,
): Promise<ImageBitmap[]> {
  const { frameCount, startFrame } = prefix.range;
  if (frameCount === 0) return [];
  const timeline = new Timeline(frameCount, 1, rateMap(prefix.rate, model.rate), direction, undefined);
  const total = timeline.prefixModelFrames;
  const shown = Array.from({ length: Math.min(count, total) }, (_, index) =>
    timeline.prefixSource(total - 1 - index),
  );
  // The sequence ends at the cut, also where time runs towards it from the other side.
  const place = (index: number) => (direction === 'forward' ? index : frameCount - 1 - index);
  const needed = new Set(shown.flatMap(({ low, high }) => [place(low), place(high)]));
  const [first, last] = [Math.min(...needed), Math.max(...needed)];
  const fitter = new FrameFitter(prefix.size, model.frame);
  const small = new Map<number, Uint8ClampedArray>();
  try {
    const range = { startFrame: startFrame + first, frameCount: last - first + 1 };
    let at = first;
    for await (const frame of host.openFrames({ ...prefix, range }, signal)) {
      if (needed.has(at)) small.set(at, fitter.toModel(frame));
      at++;
    }
    const pictures = shown.map(({ low, high, part, whole }) =>
      bitmapOf(blend(small.get(place(low))!, small.get(place(high))!, part, whole), model.frame),
    );
    const bitmaps = await Promise.all(pictures);
    return direction === 'forward' ? bitmaps.reverse() : bitmaps;
  } catch {
    return [];
  }
}

function bitmapOf(
  rgb: Uint8ClampedArray,
  { width, height }: { width: number; height: number },
): Promise<ImageBitmap> {
  const image = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    image.data.set(rgb.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
    image.data[4 * pixel + 3] = 255;
  }
  return createImageBitmap(image);
}
