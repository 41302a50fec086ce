import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { StudioPage } from './studio-page.ts';

describe('a menu of Studio', { timeout: 120_000 }, () => {
  let studio: StudioPage;

  beforeAll(async () => {
    studio = await StudioPage.open();
    const one = await studio.clip('one.mp4', { width: 320, height: 180, fps: 24, frames: 48 });
    await studio.choose('Choose clips…', one);
    await studio.clipMenu('one.mp4', 'Extend clip…');
    await studio.page.getByText('320 × 180 · 24 fps').waitFor();
  }, 240_000);
  afterAll(async () => studio?.close());
  afterEach(() => expect(studio.errors).toEqual([]));

  it('takes nothing with it that is opened right after a choice', async () => {
    const { page } = studio;
    const picker = page.locator('longtake-panel #move');
    const moves = page.getByRole('option', { name: 'Along a drawn path' });
    await picker.scrollIntoViewIfNeeded();
    const { x, y, width, height } = (await picker.boundingBox())!;
    for (let round = 0; round < 5; round += 1) {
      await page.getByRole('button', { name: 'More', exact: true }).click();
      await page.getByRole('menuitem', { name: 'Select all' }).click();
      await page.mouse.click(x + width / 2, y + height / 2);
      await moves.waitFor({ timeout: 5000 });
      await page.waitForTimeout(500);
      expect(await moves.isVisible()).toBe(true);
      await page.keyboard.press('Escape');
      await moves.waitFor({ state: 'hidden' });
    }
  });

  it('is gone, and has given the focus back, by the time its entry is carried out', async () => {
    const { page } = studio;
    const clip = page.getByRole('option', { name: /^one\.mp4/ });
    await clip.click();
    await page.getByRole('button', { name: 'More', exact: true }).click();
    const entry = page.getByRole('menuitem', { name: 'Select all' });
    await entry.waitFor();
    const seen = entry.evaluate((element) => {
      const popover = element.closest('sp-popover')!;
      return new Promise<boolean>((resolve) => {
        element.addEventListener('click', () => setTimeout(() => resolve(popover.isConnected)));
      });
    });
    await entry.click();
    expect(await seen).toBe(false);
    await clip.click();
    await page.keyboard.press('Shift+F10');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('sp-popover.menu').count()).toBe(0);
    await expect.poll(() => clip.evaluate((element) => element.matches(':focus'))).toBe(true);
  });

  it('fits a window of 1280 × 800 without scrolling', async () => {
    const { page } = studio;
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByRole('button', { name: 'More', exact: true }).click();
    const menu = page.getByRole('menu', { name: 'More' });
    await menu.waitFor();
    await studio.settled();
    for (const name of ['New project', 'Playback and view'])
      await expect.poll(() => menu.getByRole('menuitem', { name }).isVisible()).toBe(true);
    const box = (await menu.getByRole('menuitem', { name: 'Playback and view' }).boundingBox())!;
    expect(box.y + box.height).toBeLessThan(800);
    expect(await menu.evaluate((element) => element.scrollHeight - element.clientHeight)).toBe(0);
    await page.keyboard.press('Escape');
    await menu.waitFor({ state: 'hidden' });
  });

  it('opens another beside it, with the mouse', async () => {
    const { page } = studio;
    await page.getByRole('option', { name: /^one\.mp4/ }).click();
    await page.keyboard.press('Home');
    for (let presses = 0; presses < 2; presses += 1) await page.keyboard.press('Shift+ArrowRight');
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Edit clip' }).hover();
    await page.getByRole('menuitem', { name: /^Split at playhead/ }).click();
    await expect.poll(async () => (await studio.clips()).map(({ frames }) => frames)).toEqual([20, 28]);
    await expect.poll(() => page.locator('sp-popover.menu').count()).toBe(0);
    await page.keyboard.press('Control+z');
    expect(await studio.clips()).toHaveLength(1);
  });

  it('opens another beside it, with the keyboard', async () => {
    const { page } = studio;
    const more = page.getByRole('button', { name: 'More', exact: true });
    // An entry that opens under the pointer would take the focus.
    await page.mouse.move(400, 300);
    await more.focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => studio.focusedText()).toMatch(/^New project/);
    await page.keyboard.press('ArrowUp');
    await expect.poll(() => studio.focusedText()).toMatch(/^Playback and view/);
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => studio.focusedText()).toMatch(/^Play or pause/);
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => studio.focusedText()).toMatch(/^Playback and view/);
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => studio.focusedText()).toMatch(/^Play or pause/);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => studio.focusedText()).toMatch(/^To the last frame/);
    expect(await studio.violations()).toEqual([]);
    await page.keyboard.press('Enter');
    await expect.poll(() => studio.timecode()).toBe('00:01:23');
    await expect.poll(() => page.locator('sp-popover.menu').count()).toBe(0);
    await expect.poll(() => more.evaluate((button) => button.matches(':focus'))).toBe(true);
  });

  it('opens another in its own place where there is no room beside it', async () => {
    const { page } = studio;
    await page.setViewportSize({ width: 320, height: 640 });
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Playback and view' }).click();
    const entry = page.getByRole('menuitem', { name: /^To the start/ });
    await entry.waitFor();
    // The menu becomes narrower with its entries, and then finds its place anew.
    await expect
      .poll(async () => {
        const { x, width } = (await entry.boundingBox())!;
        return x >= 0 && x + width <= 320 ? 'in sight' : `from ${x} to ${x + width}`;
      })
      .toBe('in sight');
    await entry.click();
    await expect.poll(() => page.locator('sp-popover.menu').count()).toBe(0);
    // In a narrow window the panel lies over the timecode.
    await page.setViewportSize({ width: 1280, height: 800 });
    await expect.poll(() => studio.timecode()).toBe('00:00:00');
  });
});
