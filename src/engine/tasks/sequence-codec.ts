import type { Projection } from '../camera/rays.ts';
import { decodePatches, encodePatches } from '../codec/patch.ts';
import type { PatchShape } from '../codec/patch.ts';
import { FrameFitter } from '../detail/frame-fitter.ts';
import type { LoadedModel } from '../loaded-model.ts';
import { LongtakeError } from '../types.ts';
import type { CameraTrack, RgbaFrame } from '../types.ts';

/** Takes pictures of one clip between the clip's size, the model's size and latents. */
export class SequenceCodec {
  readonly #fitter: FrameFitter;
  readonly #patches: PatchShape;

  /**
   * @param size of the clip
   * @throws LongtakeError `backend` for a codec that this engine does not have
   */
  constructor(model: LoadedModel, size: { width: number; height: number }) {
    const { codec, frame, world } = model.package.model;
    if (codec.kind !== 'patch') {
      throw new LongtakeError(
        'backend',
        'This version of Longtake can not run models that have an autoencoder.',
      );
    }
    this.#fitter = new FrameFitter(size, frame);
    this.#patches = { ...world.grid, patch: codec.patch };
  }

  /** The frame at the model's size, RGB. */
  readonly toModel = (frame: RgbaFrame): Uint8ClampedArray => this.#fitter.toModel(frame);

  /** The picture at the clip's size, opaque. */
  toClip(rgb: Uint8ClampedArray): RgbaFrame {
    return this.#fitter.toClip(rgb);
  }

  /** A picture at the model's size as latents [S, c]. */
  encode(rgb: Uint8ClampedArray): Float32Array {
    const latents = new Float32Array(rgb.length);
    encodePatches(rgb, latents, this.#patches);
    return latents;
  }

  /** Latents [S, c] as a picture at the model's size. */
  decode(latents: Float32Array): Uint8ClampedArray {
    const rgb = new Uint8ClampedArray(latents.length);
    decodePatches(latents, rgb, this.#patches);
    return rgb;
  }

  /** Pictures of the finished latents [F, S, c] of a chunk of F frames. */
  decodeChunk(latents: Float32Array, frames: number): Uint8ClampedArray[] {
    const length = latents.length / frames;
    return Array.from({ length: frames }, (_, index) =>
      this.decode(latents.subarray(index * length, (index + 1) * length)),
    );
  }
}

/** How a clip of a size is seen by the model's token grid. */
export function projectionOf(
  { package: { model } }: LoadedModel,
  size: { width: number; height: number },
  camera: CameraTrack | undefined,
): Projection {
  return {
    ...model.world.grid,
    verticalFov: camera?.verticalFov ?? model.camera.verticalFov,
    aspect: size.width / size.height,
  };
}
