import type { Direction } from '../../engine/tasks/extend-request.ts';

/** The pictures on show: prefix frames beside the cut and the new frames, in the order of time. */
export class FrameReel {
  #edge: ImageBitmap[] = [];
  #made: ImageBitmap[] = [];
  #direction: Direction = 'forward';

  /** Number of pictures. */
  get length(): number {
    return this.#edge.length + this.#made.length;
  }

  /** Index of the first picture after the cut; 0 or `length` where one side is empty. */
  get cut(): number {
    return this.#direction === 'forward' ? this.#edge.length : this.#made.length;
  }

  /** Index, in time, of the new frame made last; -1 while there is none. */
  get newest(): number {
    if (this.#made.length === 0) return -1;
    return this.#direction === 'forward' ? this.length - 1 : 0;
  }

  /** Number of new frames. */
  get madeCount(): number {
    return this.#made.length;
  }

  /** Whether the picture at a place in time is a new frame. */
  isNew(index: number): boolean {
    return this.#direction === 'forward' ? index >= this.#edge.length : index < this.#made.length;
  }

  /** The picture at a place in time, or undefined outside. */
  at(index: number): ImageBitmap | undefined {
    if (this.#direction === 'forward') {
      return index < this.#edge.length ? this.#edge[index] : this.#made[index - this.#edge.length];
    }
    return index < this.#made.length
      ? this.#made[this.#made.length - 1 - index]
      : this.#edge[index - this.#made.length];
  }

  /** Empties the reel for another clip. */
  reset(direction: Direction): void {
    for (const bitmap of [...this.#edge, ...this.#made]) bitmap.close();
    this.#edge = [];
    this.#made = [];
    this.#direction = direction;
  }

  /** Sets the prefix frames beside the cut, in the order of time. */
  setEdge(pictures: ImageBitmap[]): void {
    for (const bitmap of this.#edge) bitmap.close();
    this.#edge = pictures;
  }

  /** Adds a new frame, in the order of making. */
  add(picture: ImageBitmap): void {
    this.#made.push(picture);
  }
}
