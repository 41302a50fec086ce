import type { RgbaFrame } from '../types.ts';
import { Resizer } from './resize.ts';

interface Size {
  width: number;
  height: number;
}

/**
 * Takes frames between the clip's size and the model's. The whole picture is squeezed into the model's frame and unsqueezed
 * on the way back, as an anamorphic lens does: the continuation has the clip's full frame in the clip's proportions, no
 * bars ever reach the model, and the squeeze is told to it through the rays (camera/rays.ts).
 */
export class FrameFitter {
  readonly #down: Resizer | null;
  readonly #up: Resizer | null;

  constructor(
    readonly clip: Size,
    readonly model: Size,
  ) {
    const same = clip.width === model.width && clip.height === model.height;
    this.#down = same ? null : new Resizer(clip, model);
    this.#up = same ? null : new Resizer(model, clip);
  }

  /** The frame at the model's size, RGB without alpha. */
  toModel(frame: RgbaFrame): Uint8ClampedArray {
    const rgb = new Uint8ClampedArray(this.model.width * this.model.height * 3);
    if (this.#down) this.#down.run(frame.data, 4, rgb, 3);
    else copyPixels(frame.data, 4, rgb, 3);
    return rgb;
  }

  /** The picture at the clip's size, opaque. */
  toClip(rgb: Uint8ClampedArray): RgbaFrame {
    const { width, height } = this.clip;
    const data = new Uint8ClampedArray(width * height * 4);
    if (this.#up) this.#up.run(rgb, 3, data, 4);
    else copyPixels(rgb, 3, data.fill(255), 4);
    return { width, height, data };
  }
}

function copyPixels(from: Uint8ClampedArray, fromStep: number, to: Uint8ClampedArray, toStep: number): void {
  for (let i = 0, j = 0; j < to.length; i += fromStep, j += toStep) {
    to[j] = from[i]!;
    to[j + 1] = from[i + 1]!;
    to[j + 2] = from[i + 2]!;
  }
}
