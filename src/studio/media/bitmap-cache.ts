/** Pictures ready to draw, the least recently used dropped first. A dropped picture is closed. */
export class BitmapCache {
  private readonly entries = new Map<string, ImageBitmap>();
  private bytes = 0;

  /** @param capacity bytes of pixels kept at most; one picture is always kept */
  constructor(private readonly capacity: number) {}

  get(key: string): ImageBitmap | undefined {
    const bitmap = this.entries.get(key);
    if (bitmap) {
      this.entries.delete(key);
      this.entries.set(key, bitmap);
    }
    return bitmap;
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  set(key: string, bitmap: ImageBitmap): void {
    this.drop(key);
    this.entries.set(key, bitmap);
    this.bytes += size(bitmap);
    for (const oldest of this.entries.keys()) {
      if (this.bytes <= this.capacity || this.entries.size === 1) break;
      this.drop(oldest);
    }
  }

  clear(): void {
    for (const key of [...this.entries.keys()]) this.drop(key);
  }

  private drop(key: string): void {
    const bitmap = this.entries.get(key);
    if (!bitmap) return;
    this.entries.delete(key);
    this.bytes -= size(bitmap);
    bitmap.close();
  }
}

function size(bitmap: ImageBitmap): number {
  return bitmap.width * bitmap.height * 4;
}
