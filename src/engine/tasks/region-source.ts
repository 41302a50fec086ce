import { throwIfCancelled } from '../cancel.ts';
import { maskedPixels, rectangleMask, touchedTokens } from '../detail/mask.ts';
import { LongtakeError } from '../types.ts';
import type { RgbaFrame } from '../types.ts';
import { checkMaskPicture, sortedKeyframes } from './check-region.ts';
import { checkFrame } from './clip-reader.ts';
import type { MaskPicture, RegionMask, RepaintRequest } from './region-request.ts';

/** One frame to repaint, as long as it is needed. */
export interface RegionFrame {
  frame: RgbaFrame;
  /** The frame at the model's size, RGB. */
  picture: Uint8ClampedArray;
  mask: MaskPicture;
  maskedPixels: number;
  /** Tokens that the mask touches, 1 each [S]. */
  tokens: Uint8Array;
}

/** The frames to repaint with their masks, read as they are needed and kept as long as they are. */
export class RegionSource {
  readonly #frames: Puller<RgbaFrame>;
  readonly #masks: (index: number) => Promise<MaskPicture>;
  readonly #closeMasks: () => Promise<void>;
  readonly #kept = new Map<number, RegionFrame>();
  #read = 0;

  constructor(
    private readonly request: Pick<RepaintRequest, 'frames' | 'mask' | 'frameCount' | 'size' | 'signal'>,
    private readonly toModel: (frame: RgbaFrame) => Uint8ClampedArray,
    private readonly grid: { rows: number; columns: number },
  ) {
    this.#frames = new Puller(request.frames);
    [this.#masks, this.#closeMasks] = maskReader(request.mask, request.size);
  }

  /**
   * Frames up to `last`, it included; a frame that was let go is no longer there.
   * @throws LongtakeError `input` for a frame or mask that does not fit or is missing; `cancelled`
   */
  async readUpTo(last: number): Promise<ReadonlyMap<number, RegionFrame>> {
    const { size, frameCount, signal } = this.request;
    for (; this.#read <= last; this.#read++) {
      const index = this.#read;
      const frame = await this.#frames.next();
      throwIfCancelled(signal);
      if (!frame) {
        const sentence = `There are ${index} frames to repaint instead of ${frameCount}.`;
        throw new LongtakeError('input', sentence);
      }
      checkFrame(frame, size, index);
      const mask = await this.#masks(index);
      throwIfCancelled(signal);
      checkMaskPicture(mask, size, index);
      this.#kept.set(index, {
        frame,
        picture: this.toModel(frame),
        mask,
        maskedPixels: maskedPixels(mask),
        tokens: touchedTokens(mask, this.grid),
      });
    }
    return this.#kept;
  }

  /** Lets go of all frames before `first`. */
  forgetBefore(first: number): void {
    for (const index of this.#kept.keys()) if (index < first) this.#kept.delete(index);
  }

  async close(): Promise<void> {
    await this.#frames.close();
    await this.#closeMasks();
  }
}

function maskReader(
  mask: RegionMask,
  size: { width: number; height: number },
): [(index: number) => Promise<MaskPicture>, () => Promise<void>] {
  if (mask.kind === 'rectangles') {
    const keyframes = sortedKeyframes(mask.keyframes);
    return [async (index) => rectangleMask(keyframes, index, size), async () => undefined];
  }
  const pictures = new Puller(mask.pictures);
  const next = async (index: number): Promise<MaskPicture> => {
    const picture = await pictures.next();
    if (picture) return picture;
    throw new LongtakeError('input', `There is no mask for frame ${index + 1} to repaint.`);
  };
  return [next, () => pictures.close()];
}

/** Takes items one by one. */
class Puller<T> {
  readonly #items: AsyncIterator<T> | Iterator<T>;
  #ended = false;

  constructor(items: AsyncIterable<T> | Iterable<T>) {
    this.#items = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  }

  /** Null after the last one. */
  async next(): Promise<T | null> {
    const step = await this.#items.next();
    if (!step.done) return step.value;
    this.#ended = true;
    return null;
  }

  /** Lets go of the decoder when not everything was read. */
  async close(): Promise<void> {
    if (!this.#ended) await this.#items.return?.();
    this.#ended = true;
  }
}
