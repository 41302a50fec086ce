import type { ExtensionOutput, ExtensionPlan } from './extension.ts';

/** Bytes of a pixel in the pictures that are encoded (4:2:0). */
const PIXEL = 1.5;
/** Pictures that the H.264 encoder holds back to look ahead: 61 to 84 measured, at 960 × 540 up to 3840 × 2160. */
const ENCODER_PICTURES = 70;
/** Bytes of a pixel when encoded. Files stay in memory until they are whole, as their index goes to the front. */
const ENCODED_PIXEL = 0.35 / 8;

/**
 * About how many bytes an extension holds at its fullest, beside what the engine does: encoders, encoded frames, and for
 * `backward` the new frames, which wait for the first of them.
 */
export function heldBytes(
  { prefix, size, request }: Pick<ExtensionPlan, 'prefix' | 'size' | 'request'>,
  outputs: readonly Pick<ExtensionOutput, 'content'>[],
): number {
  const { frameCount, direction } = request;
  const writing = outputs.map(({ content }) => {
    const frames = frameCount + (content === 'extended' ? (prefix?.count ?? 0) : 0);
    return ENCODER_PICTURES * PIXEL + frames * ENCODED_PIXEL;
  });
  const waiting = direction === 'backward' ? frameCount * PIXEL : 0;
  return size.width * size.height * writing.reduce((sum, bytes) => sum + bytes, waiting);
}
