import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { StudioPage } from './studio-page.ts';

describe('variations whose page is reloaded', { timeout: 240_000 }, () => {
  let studio: StudioPage;
  const facts = () => studio.page.locator('longtake-variations .facts').allInnerTexts();
  const kept = () => studio.page.locator('longtake-clip-list li').count();

  beforeAll(async () => {
    studio = await StudioPage.open();
    const one = await studio.clip('one.mp4', { width: 320, height: 180, fps: 24, frames: 48 });
    await studio.choose('Choose clips…', one);
    await studio.page.locator('studio-clip').waitFor();
    await studio.saved();
  }, 240_000);
  afterAll(async () => studio?.close());
  afterEach(() => expect(studio.errors).toEqual([]));

  /** Generates three variations of 72 frames. */
  async function generate(): Promise<void> {
    const { page } = studio;
    await page.getByRole('option', { name: /^one\.mp4/ }).click();
    await page.keyboard.press('e');
    await page.getByText('320 × 180 · 24 fps').waitFor();
    await studio.setLength(3);
    await studio.setVariations(3);
    await page.getByRole('button', { name: 'Generate' }).click();
  }

  /** From now on variations are made at the same time, on the backend that can. */
  async function together(): Promise<void> {
    const { page } = studio;
    await page.route('**/longtake.config.json', async (route) => {
      const config = (await (await route.fetch()).json()) as object;
      await route.fulfill({ json: { ...config, backend: 'webgpu' } });
    });
    await studio.reload();
  }

  /** Waits until the three are there again and finished. */
  async function finished(): Promise<void> {
    await studio.page.getByText('Pick one to look closer').waitFor({ timeout: 200_000 });
    expect(await facts()).toEqual(['#1', '#2', '#3']);
  }

  it('the one under way goes on, the one that waited is begun, the finished one is beside them', async () => {
    const { page } = studio;
    await generate();
    await expect
      .poll(async () => (await facts())[1], { timeout: 200_000, interval: 50 })
      .toMatch(/^[1-9]\d* of 72/);
    expect((await facts())[2]).toBe('Waiting');
    await page.reload();
    await page.getByText('Variation 3').waitFor();
    expect((await facts())[0]).toBe('#1');
    await finished();
    expect(await kept()).toBe(3);
    expect(await studio.violations()).toEqual([]);
    await page.getByRole('button', { name: 'Variation 2' }).click();
    await page.getByRole('heading', { name: 'Variation 2 · one.mp4' }).waitFor();
    await page.getByText('this clip was made in two goes').waitFor();
    await page.getByRole('button', { name: 'Back', exact: true }).click();
    await page.getByRole('button', { name: 'Variation 3' }).click();
    await page.getByRole('button', { name: 'Insert', exact: true }).click();
    await expect.poll(() => studio.clips().then((clips) => clips.length), { timeout: 60_000 }).toBe(2);
    await page.locator('studio-clip .badge').getByText('seed 3').waitFor();
    await page.keyboard.press('Control+z');
  });

  it('what was cancelled stays so', async () => {
    const { page } = studio;
    await generate();
    // The figures are those of the one that is being made.
    await page
      .getByText(/Variation 1 of 3: /)
      .first()
      .waitFor();
    await expect.poll(async () => (await facts())[0], { interval: 50 }).toMatch(/^[1-9]\d* of 72/);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Frames made so far are in My clips').waitFor();
    expect(await facts()).toHaveLength(1);
    await studio.reload();
    await page.getByRole('option', { name: /^one\.mp4/ }).click();
    await page.keyboard.press('e');
    await expect.poll(kept).toBe(4);
    await page.getByRole('button', { name: /Stopped after/ }).click();
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('this clip was made in two goes').waitFor({ timeout: 90_000 });
    expect(await kept()).toBe(4);
    await page.getByRole('button', { name: 'Back', exact: true }).click();
  });

  it('all go on that were made at the same time', async () => {
    const { page } = studio;
    await together();
    await generate();
    const underWay = async () => (await facts()).filter((text) => /^[1-9]\d* of 72/.test(text)).length;
    await expect.poll(underWay, { timeout: 200_000, interval: 50 }).toBe(3);
    await page.reload();
    await page.getByText('Variation 3').waitFor();
    await finished();
    expect(await kept()).toBe(7);
  });

  it('those that were discarded before the set goes on do not come back, and the others keep their order', async () => {
    const { page } = studio;
    await page.addInitScript(() => {
      // A page whose engine never answers: its rollouts make no frame.
      if (sessionStorage.getItem('test.no-engine') !== null)
        globalThis.Worker = class extends EventTarget {
          postMessage(): void {}
          terminate(): void {}
        } as unknown as typeof Worker;
    });
    await together();
    await page.getByRole('option', { name: /^one\.mp4/ }).waitFor();
    await generate();
    const underWay = async () => (await facts()).filter((text) => /^[1-9]\d* of 72/.test(text)).length;
    await expect.poll(underWay, { timeout: 200_000, interval: 50 }).toBe(3);
    const before = (await kept()) - 3;
    const place = await page.evaluate(() => localStorage.getItem('studio.recalled'));
    await page.evaluate(() => sessionStorage.setItem('test.no-engine', ''));
    await page.reload();
    // Taken up once and no frame since: from now on it is only offered.
    await expect
      .poll(() => page.evaluate(() => localStorage.getItem('studio.recalled')), { interval: 20 })
      .not.toBe(place);
    await page.evaluate(() => sessionStorage.removeItem('test.no-engine'));
    await page.reload();
    // The last of the set is the one on show.
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    await page.getByRole('button', { name: 'Discard' }).click();
    await expect.poll(kept).toBe(before + 2);
    // The list begins with the newest.
    await page
      .getByRole('button', { name: /Stopped after/ })
      .nth(1)
      .click();
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('Pick one to look closer').waitFor({ timeout: 200_000 });
    expect(await facts()).toEqual(['#1', '#2']);
    expect(await kept()).toBe(before + 2);
  });
});
