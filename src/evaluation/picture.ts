/** A picture at the model's size: RGB, 8 bits, [height, width, 3], rows from the top. */
export interface Picture {
  width: number;
  height: number;
  rgb: Uint8ClampedArray;
}

/** A picture of the same size as `like`, black. */
export function emptyPicture(like: { width: number; height: number }): Picture {
  const { width, height } = like;
  return { width, height, rgb: new Uint8ClampedArray(width * height * 3) };
}
