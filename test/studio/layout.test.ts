import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { StudioPage } from './studio-page.ts';

/** A side window of 320 px, a screen of 1280 × 800 at a zoom of 200 %, and one of 1280 × 1024 at 400 %. */
const NARROW = [
  [320, 640],
  [640, 400],
  [320, 256],
] as const;

describe('Studio in a narrow window and at a zoom of up to 400 %', { timeout: 120_000 }, () => {
  let studio: StudioPage;

  beforeAll(async () => {
    studio = await StudioPage.open();
  }, 240_000);
  afterAll(async () => studio?.close());
  afterEach(() => expect(studio.errors).toEqual([]));

  /** Looks at the state that is on screen in every size and, where the button can be pressed, in both themes. */
  async function look(themes = true): Promise<void> {
    const { page } = studio;
    for (let theme = 0; theme < (themes ? 2 : 1); theme += 1) {
      for (const [width, height] of NARROW) {
        expect(await studio.layoutFaults(width, height), `${width} × ${height}`).toEqual([]);
        expect(await studio.violations(), `${width} × ${height}`).toEqual([]);
      }
      if (themes) await studio.otherTheme();
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  }

  it('without a clip, and with a refusal over it', async () => {
    await look();
    await studio.refused();
    await look();
    await studio.page.locator('sp-toast').getByRole('button', { name: 'Close' }).click();
  });

  it('with a clip and the panel closed', async () => {
    const file = await studio.clip('a clip with quite a long name.mp4', {
      width: 320,
      height: 180,
      fps: 24,
      frames: 48,
    });
    await studio.choose('Choose clips…', file);
    await studio.page.getByRole('option').waitFor();
    await look();
  });

  it('with the panel open, and a path drawn for the camera', async () => {
    const { page } = studio;
    await page.keyboard.press('e');
    await page.getByText('48 new frames').waitFor();
    await look();
    await page.locator('#move').click();
    await page.getByRole('option', { name: 'Along a drawn path' }).click();
    await studio.drawPath([0.5, 0.5], [0.7, 0.3]);
    await page.getByText('More options').click();
    await look();
  });

  it('with variations side by side', async () => {
    const { page } = studio;
    await studio.setVariations(2);
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.getByText('Pick one to look closer').waitFor({ timeout: 90_000 });
    await look();
  });

  it('with a result that was inserted: the notice covers nothing, wherever the panel is scrolled to', async () => {
    const { page } = studio;
    await page.getByRole('button', { name: 'Variation 2' }).click();
    const insert = page.getByRole('button', { name: 'Insert', exact: true });
    await insert.click();
    await page.getByText('The clip was inserted.').waitFor();
    for (const place of ['Back', 'Compare', 'Remove from My clips', 'Clear all data'])
      await page.getByRole('button', { name: place, exact: true }).scrollIntoViewIfNeeded();
    expect(await studio.layoutFaults(1280, 800)).toEqual([]);
    await look();
  });

  it('with a mask over the picture', async () => {
    const { page } = studio;
    await page.keyboard.press('r');
    await page.getByText('Nothing is painted yet.').waitFor();
    await look();
    await page.getByRole('button', { name: 'Close panel' }).click();
  });

  it('with the batch dialog', async () => {
    const { page } = studio;
    await page.keyboard.press('b');
    await page.getByRole('dialog', { name: 'Batch preview' }).waitFor();
    await look(false);
    await page.keyboard.press('Escape');
    await studio.otherTheme();
    await page.keyboard.press('b');
    await page.getByRole('dialog', { name: 'Batch preview' }).waitFor();
    await look(false);
    await page.keyboard.press('Escape');
  });
});
