/**
 * Averages a picture over blocks.
 * @param source [height, width, channels], 3 or 4 channels; a fourth is ignored
 * @param block size of a block, which divides the picture's
 * @returns RGB [height / block.height, width / block.width, 3], 0 … 255, not rounded
 */
export function averageBlocks(
  source: Uint8ClampedArray,
  channels: 3 | 4,
  { width, height }: { width: number; height: number },
  block: { width: number; height: number },
): Float32Array {
  const columns = width / block.width;
  const result = new Float32Array((height / block.height) * columns * 3);
  const share = 1 / (block.width * block.height);
  let at = 0;
  for (let y = 0; y < height; y++) {
    let out = Math.floor(y / block.height) * columns * 3;
    for (let column = 0; column < columns; column++) {
      let [r, g, b] = [0, 0, 0];
      for (let x = 0; x < block.width; x++) {
        r += source[at]!;
        g += source[at + 1]!;
        b += source[at + 2]!;
        at += channels;
      }
      result[out]! += r * share;
      result[out + 1]! += g * share;
      result[out + 2]! += b * share;
      out += 3;
    }
  }
  return result;
}

/**
 * Side of the blocks that a picture may be averaged over before it is shrunk from `from` to `to` numbers a side with a smooth
 * kernel: at most a quarter of a step, so that the kernel stays what shapes the picture; 1 where nothing divides the side.
 */
export function blockFor(from: number, to: number): number {
  for (let side = Math.floor(from / to / 4); side > 1; side--) if (from % side === 0) return side;
  return 1;
}
