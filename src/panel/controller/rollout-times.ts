/** How long the parts of a rollout took, read off its events. Milliseconds by `performance.now`. */
export class RolloutTimes {
  readonly #began = performance.now();
  #read: number | null = null;
  #primed: number | null = null;
  #framesRead = 0;

  /** Reports an event as it comes. */
  note(event: { kind: string; framesRead?: number }): void {
    if (event.kind === 'reading') this.#framesRead = event.framesRead ?? 0;
    else this.#read ??= performance.now();
    if (event.kind === 'priming' || event.kind === 'primed') this.#primed = performance.now();
  }

  /** Milliseconds that a frame of the clip took to be read; null where none was. */
  get perFrameRead(): number | null {
    if (this.#framesRead === 0 || this.#read === null) return null;
    return (this.#read - this.#began) / this.#framesRead;
  }

  /** Milliseconds since the state was past the clip. */
  making(): number {
    return performance.now() - (this.#primed ?? this.#began);
  }
}
