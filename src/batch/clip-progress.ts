import type { ExtensionProgress } from '../media/extension.ts';
import type { Preview } from './preview.ts';

/** How far one preview is or, where several of a clip are made at the same time, all of them. */
export interface PreviewProgress extends ExtensionProgress {
  /** Who has moved. */
  preview: Preview;
  /** Previews that the figures tell of: one, or all that are to be made of the clip. */
  together: number;
}

/** Tells of a clip's previews: each by itself while one is made at a time, else the frames of all together. */
export class ClipProgress {
  /** New frames of each that was heard of. */
  readonly #frames = new Map<Preview, number>();
  #together = false;

  /**
   * @param count previews that are to be made of the clip
   * @param frameCount new frames of each
   */
  constructor(
    private readonly count: number,
    private readonly frameCount: number,
  ) {}

  /** @param several whether others are under way too; from then on all are told of together */
  told(preview: Preview, progress: ExtensionProgress, several: boolean): PreviewProgress {
    const { phase, done } = progress;
    const frames = phase === 'writing' ? this.frameCount : phase === 'generating' ? done : 0;
    this.#frames.set(preview, Math.max(this.#frames.get(preview) ?? 0, frames));
    this.#together ||= several;
    if (!this.#together) return { ...progress, preview, together: 1 };
    const made = [...this.#frames.values()].reduce((sum, each) => sum + each, 0);
    const total = this.count * this.frameCount;
    return { phase: 'generating', done: made, total, preview, together: this.count };
  }
}
