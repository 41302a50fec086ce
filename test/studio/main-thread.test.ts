import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StudioPage } from './studio-page.ts';

describe('the window while frames are made', { timeout: 240_000 }, () => {
  let studio: StudioPage;

  beforeAll(async () => {
    studio = await StudioPage.open();
    const clip = await studio.clip('large.mp4', { width: 1920, height: 1080, fps: 24, frames: 30 });
    await studio.choose('Choose clips…', clip);
    await studio.page.locator('studio-clip').waitFor();
  }, 240_000);
  afterAll(async () => studio?.close());

  it('never keeps an editor waiting: no task of over 50 ms, with a clip of 1080p', async () => {
    const { page } = studio;
    await page.keyboard.press('e');
    await page.getByText('48 new frames').waitFor();
    await studio.setLength(1);
    const tasks = await studio.longTasks(50, async () => {
      await page.getByRole('button', { name: 'Generate' }).click();
      await page.getByRole('button', { name: 'Insert', exact: true }).waitFor({ timeout: 200_000 });
    });
    expect(tasks).toEqual([]);
  });
});
