/** A part of a picture, in pixels; right and bottom exclusive. */
export interface PixelBox {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface Point {
  x: number;
  y: number;
}

/** Value of a pixel that is to be made anew. */
const PAINTED = 255;

/** What the editor has painted over a clip's picture: one mask for all its frames, at the media's own size. */
export class MaskPainting {
  /** Rows from the top; 0 or 255. */
  readonly data: Uint8Array;
  private count = 0;

  /** @param clipId the clip whose picture it lies over */
  constructor(
    readonly clipId: string,
    readonly width: number,
    readonly height: number,
  ) {
    this.data = new Uint8Array(width * height);
  }

  /** Share of the picture that is painted, 0…1. */
  get share(): number {
    return this.count / this.data.length;
  }

  /** A copy for the engine. */
  picture(): { width: number; height: number; data: Uint8Array } {
    return { width: this.width, height: this.height, data: this.data.slice() };
  }

  /**
   * Paints a straight stroke with round ends, in pixels of the picture.
   * @param radius at least half a pixel
   * @param paint false erases
   * @returns what may have changed
   */
  stroke(from: Point, to: Point, radius: number, paint: boolean): PixelBox {
    const box = this.inside({
      left: Math.min(from.x, to.x) - radius,
      top: Math.min(from.y, to.y) - radius,
      right: Math.max(from.x, to.x) + radius + 1,
      bottom: Math.max(from.y, to.y) + radius + 1,
    });
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const square = dx * dx + dy * dy;
    for (let y = box.top; y < box.bottom; y++) {
      for (let x = box.left; x < box.right; x++) {
        // Distance of the pixel's middle from the line.
        const [px, py] = [x + 0.5 - from.x, y + 0.5 - from.y];
        const along = square === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / square));
        const [ox, oy] = [px - along * dx, py - along * dy];
        if (ox * ox + oy * oy <= radius * radius) this.set(y * this.width + x, paint);
      }
    }
    return box;
  }

  /** Paints or erases a rectangle between two corners. @returns what may have changed */
  rectangle(a: Point, b: Point, paint: boolean): PixelBox {
    const box = this.inside({
      left: Math.min(a.x, b.x),
      top: Math.min(a.y, b.y),
      right: Math.max(a.x, b.x),
      bottom: Math.max(a.y, b.y),
    });
    for (let y = box.top; y < box.bottom; y++)
      for (let x = box.left; x < box.right; x++) this.set(y * this.width + x, paint);
    return box;
  }

  clear(): void {
    this.data.fill(0);
    this.count = 0;
  }

  private set(at: number, paint: boolean): void {
    const painted = this.data[at] === PAINTED;
    if (painted === paint) return;
    this.data[at] = paint ? PAINTED : 0;
    this.count += paint ? 1 : -1;
  }

  private inside({ left, top, right, bottom }: PixelBox): PixelBox {
    const clamp = (value: number, side: number): number => Math.min(side, Math.max(0, Math.round(value)));
    return {
      left: clamp(left, this.width),
      top: clamp(top, this.height),
      right: clamp(right, this.width),
      bottom: clamp(bottom, this.height),
    };
  }
}
