import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { StudioPage } from './studio-page.ts';

/** A usual notebook's window, the same at a zoom of 200 %, and a side window of 320 px. */
const WINDOWS = [
  [1280, 800],
  [640, 400],
  [320, 640],
] as const;

describe('what the panel comes down to', { timeout: 120_000 }, () => {
  let studio: StudioPage;

  beforeAll(async () => {
    studio = await StudioPage.open();
    const one = await studio.clip('one.mp4', { width: 320, height: 180, fps: 24, frames: 48 });
    await studio.choose('Choose clips…', one);
    await studio.clipMenu('one.mp4', 'Extend clip…');
    await studio.page.getByText('48 new frames').waitFor();
  }, 240_000);
  afterAll(async () => studio?.close());
  afterEach(() => expect(studio.errors).toEqual([]));

  /** Looks for a button in every window and both themes without scrolling. */
  async function inSight(name: string): Promise<void> {
    const { page } = studio;
    const button = page.getByRole('button', { name, exact: true });
    for (let theme = 0; theme < 2; theme += 1) {
      for (const [width, height] of WINDOWS) {
        await page.setViewportSize({ width, height });
        await studio.settled();
        const box = (await button.boundingBox())!;
        const window = `${name} in ${width} × ${height}`;
        expect(box.y >= 0 && box.y + box.height <= height, window).toBe(true);
        // A trial press: where something lay over it, it would not be reached.
        await button.click({ trial: true, position: { x: 4 + box.width / 4, y: box.height / 2 } });
      }
      await page.setViewportSize({ width: 1280, height: 800 });
      await studio.otherTheme();
    }
  }

  it('is in sight from the start, with the notice about the graphics processor above it', async () => {
    const { page } = studio;
    const notice = page.getByText('No graphics processor (WebGPU): it takes several times longer.');
    expect(await notice.isVisible()).toBe(true);
    await inSight('Generate');
    await notice.press('Enter');
    await page.getByText('so it runs on the main processor').waitFor();
    await inSight('Generate');
    await notice.press('Enter');
  });

  it('never lies over what the keyboard reaches', async () => {
    const { page } = studio;
    for (const [width, height] of WINDOWS) {
      await page.setViewportSize({ width, height });
      await page.getByRole('complementary').getByRole('heading', { name: 'Extend clip' }).focus();
      for (const name of [/^Preview$/, /^As it comes/, /^1$/]) {
        const role = name.source === '^As it comes' ? 'button' : 'radio';
        await studio.tabTo(role, name);
        const box = (await page.getByRole(role, { name }).first().boundingBox())!;
        const generate = (await page.getByRole('button', { name: 'Generate' }).boundingBox())!;
        expect(box.y + box.height, `${name} in ${width} × ${height}`).toBeLessThanOrEqual(generate.y);
      }
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('is Insert, then says that it is inserted, and Done leads back to the timeline', async () => {
    const { page } = studio;
    await studio.setLength(1);
    await studio.generate();
    await inSight('Insert');
    await page.getByRole('button', { name: 'Insert', exact: true }).click();
    const panel = page.getByRole('complementary', { name: 'Extend clip' });
    await panel.getByText('Inserted on the timeline').waitFor();
    expect(await panel.getByRole('button', { name: 'Insert', exact: true }).count()).toBe(0);
    const colour = (name: string) =>
      panel
        .getByRole('button', { name, exact: true })
        .evaluate((button) => getComputedStyle(button).backgroundColor);
    await studio.settled();
    expect(await colour('Done')).not.toBe(await colour('Insert again'));
    expect(await colour('Insert again')).toBe('rgba(0, 0, 0, 0)');
    await inSight('Done');
    expect(await studio.violations()).toEqual([]);
    await panel.getByRole('button', { name: 'Done' }).press('Enter');
    await panel.waitFor({ state: 'hidden' });
    const made = page.getByRole('option', { name: /made by Longtake/ });
    await expect.poll(() => made.evaluate((element) => element.matches(':focus'))).toBe(true);
  });

  it('says so again when the clip is opened from the list, and can be inserted once more', async () => {
    const { page } = studio;
    await page.keyboard.press('e');
    const panel = page.getByRole('complementary', { name: 'Extend clip' });
    await panel.getByRole('button', { name: /^one\.mp4.*Inserted/ }).click();
    await panel.getByText('Inserted on the timeline').waitFor();
    // What is on the timeline does not go with it, so it is not called discarding.
    expect(await panel.getByRole('button', { name: 'Discard' }).count()).toBe(0);
    expect(await panel.getByRole('button', { name: 'Remove from My clips' }).count()).toBe(1);
    await panel.getByRole('button', { name: 'Insert again' }).click();
    await expect.poll(async () => (await studio.clips()).length, { timeout: 60_000 }).toBe(3);
  });

  it('is Insert again after the insertion is undone, and Done when it is redone', async () => {
    const { page } = studio;
    const panel = page.getByRole('complementary', { name: 'Extend clip' });
    const inserted = panel.getByText('Inserted on the timeline');
    await page.keyboard.press('Control+z');
    // The first of the two is still there.
    await expect.poll(async () => (await studio.clips()).length).toBe(2);
    expect(await inserted.count()).toBe(1);
    await panel.getByRole('button', { name: 'Done' }).click();
    await studio.clipMenu('one.mp4', 'Extend clip…');
    await panel.getByRole('button', { name: /^one\.mp4.*Inserted/ }).click();
    await inserted.waitFor();
    await page.keyboard.press('Control+z');
    await inserted.waitFor({ state: 'hidden' });
    expect(await studio.clips()).toHaveLength(1);
    await inSight('Insert');
    expect(await panel.getByRole('button', { name: 'Discard' }).count()).toBe(1);
    await page.keyboard.press('Control+Shift+z');
    await inserted.waitFor();
    await inSight('Done');
  });
});
