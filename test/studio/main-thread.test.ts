import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batchDialog, typeInBatch } from './batch-dialog.ts';
import { StudioPage } from './studio-page.ts';

describe('the window', { timeout: 240_000 }, () => {
  let studio: StudioPage;

  beforeAll(async () => {
    studio = await StudioPage.open();
    const clip = await studio.clip('large.mp4', { width: 1920, height: 1080, fps: 24, frames: 30 });
    await studio.choose('Choose clips…', clip);
    await studio.page.locator('studio-clip').waitFor();
  }, 240_000);
  afterAll(async () => studio?.close());

  it('never keeps an editor waiting while the playhead is dragged: no task of over 50 ms, with a clip of 1080p', async () => {
    const { page } = studio;
    const ruler = (await page.locator('timeline-ruler').boundingBox())!;
    const viewer = page.locator('studio-viewer canvas');
    // The canvas takes its memory with the first pictures; without a graphics card that is a task of its own.
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => viewer.getAttribute('data-playhead')).toBe('1');
    const tasks = await studio.longTasks(50, async () => {
      await page.mouse.move(ruler.x + 80, ruler.y + 10);
      await page.mouse.down();
      for (let move = 0; move < 60; move += 1)
        await page.mouse.move(ruler.x + 80 + 400 * Math.abs(Math.sin(move / 9)), ruler.y + 10);
      await page.mouse.up();
      for (const key of ['Home', 'Shift+ArrowRight', 'ArrowRight', 'ArrowLeft', 'End', 'ArrowLeft']) {
        await page.keyboard.press(key);
        const wanted = await page.getByRole('slider', { name: 'Playhead' }).getAttribute('aria-valuenow');
        await expect.poll(() => viewer.getAttribute('data-playhead')).toBe(wanted);
      }
    });
    expect(tasks).toEqual([]);
  });

  it('never keeps an editor waiting while frames are made: no task of over 50 ms, with a clip of 1080p', async () => {
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

  it('never keeps an editor waiting while a batch is made, either', async () => {
    const { page } = studio;
    await page.keyboard.press('Escape');
    await page.keyboard.press('b');
    await batchDialog(studio).waitFor();
    await typeInBatch(studio, 'Length of each continuation', '1');
    const tasks = await studio.longTasks(50, async () => {
      const saved = page.waitForEvent('download');
      await batchDialog(studio).getByRole('button', { name: 'Make previews' }).click();
      await saved;
    });
    await batchDialog(studio).getByRole('button', { name: 'Close', exact: true }).click();
    expect(tasks).toEqual([]);
  });

  it('never keeps an editor waiting while the timeline is exported', async () => {
    const { page } = studio;
    for (const format of ['MP4 video (H.264)', 'PNG pictures (zip)']) {
      const tasks = await studio.longTasks(50, async () => {
        const saved = page.waitForEvent('download', { timeout: 100_000 });
        await page.keyboard.press('Control+e');
        await page.getByRole('menuitem', { name: format }).click();
        await saved;
      });
      expect(tasks, format).toEqual([]);
    }
  });
});
