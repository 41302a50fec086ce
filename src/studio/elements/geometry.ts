/** Empty pixels left of frame 0, so that its edge can be seen and grabbed. */
export const LEAD_IN = 12;

/** Pixels from the content's left edge to the left edge of a frame. */
export function frameToPixel(frame: number, pixelsPerFrame: number): number {
  return LEAD_IN + frame * pixelsPerFrame;
}

/** The frame at a pixel of the content, not rounded; below 0 left of the first one. */
export function pixelToFrame(pixel: number, pixelsPerFrame: number): number {
  return (pixel - LEAD_IN) / pixelsPerFrame;
}

/** One tile of a clip's row of thumbnails. */
export interface Tile {
  /** Left edge, pixels from the clip's left edge. */
  x: number;
  /** First project frame of the conformed media that it stands for, and how many. */
  index: number;
  span: number;
}

/**
 * The tiles of a clip that lie in sight. The frames are multiples of a power of two, so that trimming, scrolling and
 * small changes of zoom ask for pictures that are already there.
 * @param clip range of the conformed media
 * @param tileWidth pixels of one tile
 * @param from first pixel in sight, from the clip's left edge; `to` one past the last
 */
export function tilesInSight(
  clip: { in: number; out: number },
  pixelsPerFrame: number,
  tileWidth: number,
  from: number,
  to: number,
): Tile[] {
  const span = 2 ** Math.max(0, Math.floor(Math.log2(tileWidth / pixelsPerFrame)));
  const width = (clip.out - clip.in) * pixelsPerFrame;
  const tiles: Tile[] = [];
  const first = Math.max(0, Math.floor(from / tileWidth));
  for (let i = first; i * tileWidth < Math.min(width, to); i += 1) {
    const index = clip.in + Math.floor((i * tileWidth) / pixelsPerFrame);
    // Rounded to the grid, but never to a frame that the clip does not show.
    const snapped = Math.min(clip.out - 1, Math.max(clip.in, Math.floor(index / span) * span));
    tiles.push({ x: i * tileWidth, index: snapped, span: Math.min(span, clip.out - snapped) });
  }
  return tiles;
}

/**
 * Where to scroll so that a pixel is in sight, with room around it.
 * @returns the new scroll position, or null where the pixel is already in sight
 */
export function scrollToShow(pixel: number, scrollLeft: number, width: number): number | null {
  if (pixel >= scrollLeft + 8 && pixel <= scrollLeft + width - 24) return null;
  const back = pixel < scrollLeft + 8;
  return Math.max(0, back ? pixel - width * 0.2 : pixel - width * 0.15);
}
