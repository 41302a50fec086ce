import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { StudioPage } from './studio-page.ts';

describe('what goes wrong around Studio', { timeout: 180_000 }, () => {
  let studio: StudioPage;
  let one: string;

  beforeAll(async () => {
    studio = await StudioPage.open();
    one = await studio.clip('one.mp4', { width: 320, height: 180, fps: 24, frames: 48 });
    await studio.choose('Choose clips…', one);
    await studio.page.locator('studio-clip').waitFor();
    await studio.saved();
  }, 240_000);
  afterAll(async () => studio?.close());
  afterEach(() => expect(studio.errors).toEqual([]));

  /** Lets the origin keep as many bytes more than it has now; null takes the limit away. */
  async function room(bytes: number | null): Promise<void> {
    const { usage } = await studio.page.evaluate(() => navigator.storage.estimate());
    const client = await studio.devTools();
    await client.send('Storage.overrideQuotaForOrigin', {
      origin: new URL(studio.url).origin,
      ...(bytes === null ? {} : { quotaSize: (usage ?? 0) + bytes }),
    });
  }

  async function startLong(): Promise<void> {
    const { page } = studio;
    await page
      .getByRole('option', { name: /^one\.mp4/ })
      .first()
      .click();
    await page.keyboard.press('e');
    await page.getByText('320 × 180 · 24 fps').waitFor();
    await studio.setLength(10);
    await page.getByText('240 new frames').waitFor();
    await page.getByRole('button', { name: 'Generate' }).click();
  }

  it('no room for a clip: it says so, the project goes on, and is saved again when there is room', async () => {
    const { page } = studio;
    await room(1000);
    const two = await studio.clip('two.mp4', { width: 320, height: 180, fps: 24, frames: 24, first: 100 });
    await studio.drop(two);
    await page
      .getByText(/^The disk space that this browser allows is used up: the project stays open/)
      .waitFor();
    expect(await studio.clips()).toHaveLength(2);
    await page.keyboard.press('End');
    await expect.poll(() => studio.shownNumber()).toBe(123);
    await page.locator('sp-toast').getByRole('button', { name: 'Close' }).click();
    await room(null);
    await page.keyboard.press('Control+z');
    await page.keyboard.press('Control+Shift+z');
    await studio.reload();
    await expect.poll(() => studio.clips()).toHaveLength(2);
    await page.keyboard.press('Control+a');
    await page.keyboard.press('End');
    await expect.poll(() => studio.shownNumber()).toBe(123);
  });

  it('no room for an export: nothing is left of it, and the project is as it was', async () => {
    const { page } = studio;
    await room(2000);
    await page.keyboard.press('Control+e');
    await page.getByRole('menuitem', { name: 'PNG pictures (zip)' }).click();
    await page.getByText('The disk space that this browser allows is used up: nothing was written').waitFor();
    await room(null);
    expect(await studio.clips()).toHaveLength(2);
    await page.locator('sp-toast').getByRole('button', { name: 'Close' }).click();
  });

  it('no room for new frames: those so far are kept, and it goes on when there is room', async () => {
    const { page } = studio;
    await startLong();
    await studio.framesMade(240);
    await room(1000);
    await page.getByText('The browser has no room left to keep generated clips').waitFor({ timeout: 60_000 });
    expect(await studio.clips()).toHaveLength(2);
    await room(null);
    await page.getByRole('button', { name: /Stopped after \d+ of 240 frames/ }).click();
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('this clip was made in two goes').waitFor({ timeout: 90_000 });
    await page.getByRole('button', { name: 'Back', exact: true }).click();
  });

  for (const how of ['loud', 'silent'] as const) {
    it(`the engine’s worker dies (${how}): the frames so far are kept, and it goes on in a fresh one`, async () => {
      const { page } = studio;
      await startLong();
      await studio.framesMade(240);
      await studio.endWorker('engine', how);
      await page.getByText('The engine stopped unexpectedly; what was made is kept').waitFor();
      await page
        .getByRole('button', { name: /Stopped after \d+ of 240 frames/ })
        .first()
        .click();
      await page.getByRole('button', { name: 'Go on' }).click();
      await page.getByText('this clip was made in two goes').waitFor({ timeout: 90_000 });
      await page.getByRole('button', { name: 'Back', exact: true }).click();
    });
  }

  it('the worker that keeps frames dies: no frame is lost, whether it was writing one or not', async () => {
    const { page } = studio;
    await startLong();
    await studio.framesMade(240);
    await studio.endWorker('keeper', 'silent');
    const stopped = page.getByText('A new frame could not be kept: the frames so far are there');
    const whole = page.getByRole('button', { name: 'Insert', exact: true });
    await stopped.or(whole).waitFor();
    if (await stopped.isVisible()) {
      await page
        .getByRole('button', { name: /Stopped after \d+ of 240 frames/ })
        .first()
        .click();
      await page.getByRole('button', { name: 'Go on' }).click();
    }
    await whole.waitFor({ timeout: 90_000 });
    await page.getByRole('button', { name: 'Back', exact: true }).click();
  });

  it('the worker that reads the clip dies: nothing is lost, and the next try works', async () => {
    const { page } = studio;
    await startLong();
    await studio.endWorker('reader', 'silent');
    const stopped = page.getByText(
      'Reading the clip stopped unexpectedly; what was made is kept, try again.',
    );
    const whole = page.getByRole('button', { name: 'Insert', exact: true });
    await stopped.or(whole).waitFor({ timeout: 90_000 });
    // It reads before the first frame is made; a clip without any leaves nothing behind.
    if (await stopped.isVisible()) await page.getByRole('button', { name: 'Generate' }).click();
    await whole.waitFor({ timeout: 90_000 });
    await page.getByRole('button', { name: 'Back', exact: true }).click();
  });

  it('the engine’s worker dies while it has nothing to do: the next clip is made as if nothing had been', async () => {
    const { page } = studio;
    await studio.endWorker('engine', 'silent');
    await page.waitForTimeout(500);
    await studio.setLength(1);
    await studio.generate();
    expect(await page.getByText('The engine stopped').count()).toBe(0);
  });

  it('the encoder’s worker dies: it says so, and inserting works the next time', async () => {
    const { page } = studio;
    const before = (await studio.clips()).length;
    const insert = page.getByRole('button', { name: 'Insert', exact: true });
    await insert.click();
    await studio.endWorker('encoder', 'silent');
    await page.getByText('The video encoder stopped unexpectedly; try again.').waitFor();
    expect(await studio.clips()).toHaveLength(before);
    await insert.click();
    await expect.poll(() => studio.clips(), { timeout: 60_000 }).toHaveLength(before + 1);
    await page.keyboard.press('Control+z');
    await page.getByRole('button', { name: 'Back', exact: true }).click();
  });

  it('the tab is hidden while frames are made: they are made all the same', async () => {
    const { page } = studio;
    await startLong();
    await studio.framesMade(240);
    const show = await studio.hide();
    const insert = page.getByRole('button', { name: 'Insert', exact: true });
    await expect.poll(() => insert.count(), { timeout: 120_000 }).toBe(1);
    await show();
    await insert.click();
    await expect.poll(() => studio.clips(), { timeout: 60_000 }).toHaveLength(3);
    await page.getByRole('button', { name: 'Close panel' }).click();
  });

  it('a clip’s file is gone on reload: its clips stay, it is named, and choosing it again brings it back', async () => {
    const { page } = studio;
    await studio.saved();
    const before = await studio.clips();
    await studio.page.evaluate(async () => {
      const home = await (await navigator.storage.getDirectory()).getDirectoryHandle('studio');
      const project = JSON.parse(
        await (await (await home.getFileHandle('project.json')).getFile()).text(),
      ) as {
        media: Record<string, { id: string; name: string }>;
      };
      const { id } = Object.values(project.media).find(({ name }) => name === 'one.mp4')!;
      await (await home.getDirectoryHandle('media')).removeEntry(id);
    });
    await page.reload();
    await page.getByText('Gone from the browser’s storage: “one.mp4”.').waitFor();
    expect(await studio.clips()).toEqual(before);
    expect(await studio.violations()).toEqual([]);
    await studio.drop(one);
    await page.getByText('“one.mp4” is in its place again.').waitFor();
    expect(await studio.clips()).toEqual(before);
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => studio.shownNumber()).toBe(1);
    await studio.reload();
    await page.getByRole('option').first().waitFor();
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    await expect.poll(() => studio.shownNumber()).toBe(0);
    expect(await page.getByText('Gone from the browser’s storage').count()).toBe(0);
  });
});
