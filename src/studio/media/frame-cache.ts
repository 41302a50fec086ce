/** Decoded frames of the project's media, the least recently used dropped first. A dropped frame is closed. */
export class FrameCache {
  private readonly entries = new Map<string, VideoFrame>();
  private bytes = 0;

  /** @param capacity bytes of pixels kept at most; one frame is always kept */
  constructor(readonly capacity: number) {}

  get(mediaId: string, frame: number): VideoFrame | undefined {
    const id = key(mediaId, frame);
    const kept = this.entries.get(id);
    if (kept) {
      this.entries.delete(id);
      this.entries.set(id, kept);
    }
    return kept;
  }

  has(mediaId: string, frame: number): boolean {
    return this.entries.has(key(mediaId, frame));
  }

  /** Takes a frame over: the cache closes it. */
  set(mediaId: string, frame: number, picture: VideoFrame): void {
    const id = key(mediaId, frame);
    this.drop(id);
    this.entries.set(id, picture);
    this.bytes += picture.allocationSize();
    for (const oldest of this.entries.keys()) {
      if (this.bytes <= this.capacity || this.entries.size === 1) break;
      this.drop(oldest);
    }
  }

  /** Drops the frames of one media item. */
  forget(mediaId: string): void {
    for (const id of [...this.entries.keys()]) if (id.startsWith(`${mediaId}/`)) this.drop(id);
  }

  clear(): void {
    for (const id of [...this.entries.keys()]) this.drop(id);
  }

  private drop(id: string): void {
    const picture = this.entries.get(id);
    if (!picture) return;
    this.entries.delete(id);
    this.bytes -= picture.allocationSize();
    picture.close();
  }
}

function key(mediaId: string, frame: number): string {
  return `${mediaId}/${frame}`;
}
