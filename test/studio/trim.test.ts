import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { StudioPage } from './studio-page.ts';

describe('an edge that is dragged', { timeout: 120_000 }, () => {
  let studio: StudioPage;

  beforeAll(async () => {
    studio = await StudioPage.open();
    const facts = { width: 320, height: 180, fps: 24, frames: 96 };
    await studio.choose('Choose clips…', await studio.clip('one.mp4', facts));
    await studio.page.getByRole('option').waitFor();
  }, 240_000);
  afterAll(async () => studio?.close());
  afterEach(() => expect(studio.errors).toEqual([]));

  /** Takes an edge of the clip with the mouse and moves it to a frame of the clip, without letting go. */
  async function drag(edge: 'in' | 'out', frame: number): Promise<void> {
    const { mouse } = studio.page;
    const box = (await studio.page.getByRole('option').boundingBox())!;
    const y = box.y + box.height / 2;
    const from = edge === 'in' ? 3 : box.width - 3;
    await mouse.move(box.x + from, y);
    await mouse.down();
    const by = ((frame - (edge === 'in' ? 0 : 96)) * (box.width + 1)) / 96;
    await mouse.move(box.x + from + by, y, { steps: 8 });
  }

  it('shows the last frame that stays, and says how much is cut off', async () => {
    const { page } = studio;
    await drag('out', 60);
    await page.getByText('−36 frames · 00:02:12').waitFor();
    await expect.poll(() => studio.shownNumber()).toBe(59);
    expect(await page.getByRole('img', { name: 'Frame 00:02:11 of one.mp4' }).count()).toBe(1);
    expect(await studio.violations()).toEqual([]);
    // The playhead stays where it is.
    expect(await studio.timecode()).toBe('00:00:00');
  });

  it('shows the playhead’s frame again when it is taken back', async () => {
    const { page } = studio;
    await page.keyboard.press('Escape');
    await page.mouse.up();
    await page.getByText('−36 frames').waitFor({ state: 'hidden' });
    await expect.poll(() => studio.shownNumber()).toBe(0);
    expect((await studio.clips())[0]!.frames).toBe(96);
  });

  it('shows the first frame that stays', async () => {
    const { page } = studio;
    await drag('in', 24);
    await page.getByText('−24 frames · 00:03:00').waitFor();
    await expect.poll(() => studio.shownNumber()).toBe(24);
    await page.mouse.up();
    await page.getByText('−24 frames').waitFor({ state: 'hidden' });
    expect((await studio.clips())[0]!.frames).toBe(72);
  });
});
