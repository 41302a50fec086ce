/** The `patch` codec: docs/model.md, Latents. Pictures here are RGB, 8 bits, rows from the top, at the model's size. */
export interface PatchShape {
  rows: number;
  columns: number;
  /** Patch edge in pixels. */
  patch: number;
}

/**
 * Encodes one picture.
 * @param rgb [rows·patch, columns·patch, 3]
 * @param latents receives rows·columns tokens of patch·patch·3 values, −1…1
 */
export function encodePatches(rgb: Uint8ClampedArray, latents: Float32Array, shape: PatchShape): void {
  forEachRow(shape, (pixelAt, latentAt, count) => {
    for (let i = 0; i < count; i++) latents[latentAt + i] = rgb[pixelAt + i]! / 127.5 - 1;
  });
}

/** Inverse of encodePatches: clamps to −1…1 and rounds. */
export function decodePatches(latents: Float32Array, rgb: Uint8ClampedArray, shape: PatchShape): void {
  forEachRow(shape, (pixelAt, latentAt, count) => {
    // A Uint8ClampedArray rounds and clamps by itself, halves to even.
    for (let i = 0; i < count; i++) rgb[pixelAt + i] = (latents[latentAt + i]! + 1) * 127.5;
  });
}

/** Visits every run of `patch·3` values that is contiguous both in the picture and in a token. */
function forEachRow(
  { rows, columns, patch }: PatchShape,
  visit: (pixelAt: number, latentAt: number, count: number) => void,
): void {
  const run = patch * 3;
  const pitch = columns * run;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let y = 0; y < patch; y++) {
        visit((row * patch + y) * pitch + column * run, ((row * columns + column) * patch + y) * run, run);
      }
    }
  }
}
