import type { StudioPage } from '../test/studio/studio-page.ts';

/** One move of the playhead with the mouse, and how long the viewer took, in milliseconds. */
export interface Wait {
  /** Until a picture from near the place is shown. */
  near: number;
  /** Until the very frame is shown. */
  exact: number;
}

interface Watched {
  /** Time of the last press or move. */
  moved: number;
  near: number | null;
  exact: number | null;
}

/** Measures in the page itself: what drives it takes a while on a busy machine. */
export class Scrubbing {
  private constructor(
    readonly studio: StudioPage,
    private readonly ruler: { x: number; y: number; width: number },
  ) {}

  static async of(studio: StudioPage): Promise<Scrubbing> {
    const { page } = studio;
    await page.locator('studio-viewer canvas').evaluate((element: HTMLElement) => {
      const watched: Watched = { moved: 0, near: null, exact: null };
      (globalThis as unknown as { watched: Watched }).watched = watched;
      // No named functions: tsx would mark them with a helper that the page does not have.
      new MutationObserver(() => {
        const wait = performance.now() - watched.moved;
        watched.near ??= wait;
        if (element.dataset['near'] === undefined) watched.exact = wait;
      }).observe(element, { attributeFilter: ['data-near', 'data-playhead'] });
      for (const type of ['pointerdown', 'pointermove'])
        addEventListener(
          type,
          (event) => Object.assign(watched, { moved: event.timeStamp, near: null, exact: null }),
          { capture: true },
        );
    });
    return new Scrubbing(studio, (await page.locator('timeline-ruler').boundingBox())!);
  }

  /** Where on the screen a part of the visible timeline is. */
  at(share: number): number {
    return this.ruler.x + 60 + share * (this.ruler.width - 180);
  }

  async press(x: number): Promise<Wait | null> {
    const { mouse } = this.studio.page;
    await mouse.move(x, this.ruler.y + 10);
    await mouse.down();
    const wait = await this.exact();
    await mouse.up();
    return wait;
  }

  /** Presses and holds; then `drag`. */
  async take(x: number): Promise<void> {
    await this.studio.page.mouse.move(x, this.ruler.y + 10);
    await this.studio.page.mouse.down();
    await this.exact();
  }

  async drag(x: number): Promise<Wait | null> {
    await this.studio.page.mouse.move(x, this.ruler.y + 10);
    return this.exact();
  }

  /** Drags at the mouse's own pace. @returns times at which a very frame was shown, in milliseconds from the first move */
  async sweep(from: number, to: number, moves: number, pace: number): Promise<number[]> {
    const { page } = this.studio;
    await this.take(from);
    const watch = page.locator('studio-viewer canvas').evaluate((element: HTMLElement, length) => {
      const began = performance.now();
      const times: number[] = [];
      new MutationObserver(() => {
        if (element.dataset['near'] === undefined) times.push(performance.now() - began);
      }).observe(element, { attributeFilter: ['data-playhead'] });
      return new Promise<number[]>((resolve) => setTimeout(() => resolve(times), length));
    }, moves * pace);
    for (const began = performance.now(), move = { done: 0 }; move.done < moves; move.done++) {
      await page.mouse.move(from + ((to - from) * (move.done + 1)) / moves, this.ruler.y + 10);
      const late = performance.now() - began - (move.done + 1) * pace;
      if (late < 0) await page.waitForTimeout(-late);
    }
    const times = await watch;
    await this.exact();
    await page.mouse.up();
    return times;
  }

  /** Waits until the frame under the playhead is shown; null where the playhead did not move. */
  private async exact(): Promise<Wait | null> {
    const { page } = this.studio;
    const playhead = page.getByRole('slider', { name: 'Playhead' });
    const shown = page.locator('studio-viewer canvas');
    for (const began = performance.now(); performance.now() - began < 20_000;) {
      const frame = await playhead.getAttribute('aria-valuenow');
      const settled = await shown.evaluate((element: HTMLElement, wanted) => {
        if (element.dataset['near'] !== undefined || element.dataset['playhead'] !== wanted) return null;
        const { near, exact } = (globalThis as unknown as { watched: Watched }).watched;
        return { near, exact };
      }, frame);
      if (!settled) continue;
      return settled.near === null || settled.exact === null
        ? null
        : { near: settled.near, exact: settled.exact };
    }
    throw new Error('The frame under the playhead never came.');
  }
}
