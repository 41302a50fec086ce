import type { FrameReel } from '../clips/frame-reel.ts';

/** Where the reel lies in a strip that keeps room for frames to come; backward rollouts grow to the left. */
function layout(reel: FrameReel, expected: number) {
  const total = Math.max(reel.length, expected, 1);
  const offset = reel.cut > 0 && reel.isNew(0) ? total - reel.length : 0;
  return { total, offset };
}

/** The picture under a place in the strip, `fraction` 0…1 of its width. */
export function stripIndexAt(fraction: number, reel: FrameReel, expected: number): number {
  const { total, offset } = layout(reel, expected);
  return Math.max(0, Math.min(reel.length - 1, Math.floor(fraction * total) - offset));
}

/** Paints the reel as a row of thumbnails with the cut and the place on show marked. */
export function paintStrip(
  canvas: HTMLCanvasElement,
  reel: FrameReel,
  index: number,
  expected: number,
): void {
  const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
  const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const drawing = canvas.getContext('2d');
  const first = reel.at(0);
  if (!drawing) return;
  drawing.clearRect(0, 0, width, height);
  if (!first) return;
  const { total, offset } = layout(reel, expected);
  const tile = Math.max(1, Math.round((height * first.width) / first.height));
  for (let x = 0; x < width; x += tile) {
    const at = Math.floor(((x + tile / 2) / width) * total) - offset;
    const bitmap = at < 0 || at >= reel.length ? undefined : reel.at(at);
    if (bitmap && bitmap.width > 0) drawing.drawImage(bitmap, x, 0, tile, height);
  }
  const place = (at: number) => Math.round(((at + offset) / total) * width);
  // New frames carry a coloured edge below, as generated clips do on the timeline.
  const newFrom = reel.isNew(0) ? place(0) : place(reel.cut);
  const newTo = reel.isNew(0) ? place(reel.cut) : place(reel.length);
  drawing.fillStyle = '#7155fa';
  drawing.fillRect(newFrom, height - 4 * ratio, newTo - newFrom, 4 * ratio);
  if (reel.cut > 0 && reel.cut < reel.length) {
    drawing.fillStyle = '#ffffff';
    drawing.fillRect(place(reel.cut) - ratio, 0, 2 * ratio, height);
  }
  const needle = Math.round(((index + offset + 0.5) / total) * width);
  drawing.fillStyle = '#000000';
  drawing.fillRect(needle - 2 * ratio, 0, 4 * ratio, height);
  drawing.fillStyle = '#ffffff';
  drawing.fillRect(needle - ratio, 0, 2 * ratio, height);
}
