import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { psnr } from '../media/painted-frame.ts';
import { AddOnPage, decode } from './add-on-page.ts';

let addOn: AddOnPage;
const at = (selector: string) => addOn.panel.locator(selector);
const tiles = () => at('longtake-variations button[data-variation]');

/** Counts the packets that the panel's reader decodes from now on. @returns tells how many so far */
async function countDecodes(): Promise<() => Promise<number>> {
  const find = () => addOn.page.workers().find((worker) => worker.url().includes('reader'));
  // The clip's picture is read as soon as there is a clip.
  await expect.poll(find).toBeDefined();
  const reader = find()!;
  await reader.evaluate(() => {
    const counted = globalThis as unknown as { decodes: number };
    counted.decodes = 0;
    const { decode } = VideoDecoder.prototype;
    VideoDecoder.prototype.decode = function (...args) {
      counted.decodes++;
      return decode.apply(this, args);
    };
  });
  return () => reader.evaluate(() => (globalThis as unknown as { decodes: number }).decodes);
}
let decodes: () => Promise<number>;

beforeAll(async () => {
  addOn = await AddOnPage.withClip({ seconds: 1 });
}, 240_000);
afterAll(() => addOn?.close());

/** The pixels that a tile shows. */
const shown = (index: number) =>
  tiles()
    .nth(index)
    .locator('canvas')
    .evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      return [...canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data].join();
    });

describe('an editor tries variations', { timeout: 240_000 }, () => {
  it('side by side, made one after another', async () => {
    decodes = await countDecodes();
    await at('#variations sp-action-button[value="3"]').click();
    await at('#generate').click();
    await expect.poll(() => tiles().count()).toBe(3);
    await at('longtake-variations .facts').filter({ hasText: 'Waiting' }).first().waitFor();
    expect(await tiles().first().isDisabled()).toBe(true);
    await at('#progress').waitFor();
    await at('#pick').waitFor({ timeout: 200_000 });
    expect(await at('longtake-variations .facts').allInnerTexts()).toEqual(['#1', '#2', '#3']);
    expect(await at('longtake-clip-list li').count()).toBe(3);
    const pictures = await Promise.all([0, 1, 2].map(shown));
    expect(new Set(pictures).size).toBe(3);
    expect(await addOn.violations()).toEqual([]);
    expect(await addOn.misfits()).toEqual([]);
  });

  it('from one reading of the clip', async () => {
    const first = await decodes();
    // One reading, and at most one for the picture of the frame at the cut.
    expect(first).toBeLessThan(2 * 30 + 10);
    expect(first).toBeGreaterThanOrEqual(30);
  });

  it('plays them together', async () => {
    await at('#play-variations').click();
    const before = await Promise.all([0, 2].map(shown));
    for (const [nth, index] of [0, 2].entries()) {
      await expect.poll(() => shown(index)).not.toBe(before[nth]);
    }
    await at('#play-variations').click();
  });

  it('picks one with the keyboard, inserts it, and comes back to the others', async () => {
    await at('#play-variations').focus();
    // Back through the tiles, which stand before the button: the second one.
    await addOn.page.keyboard.press('Shift+Tab');
    await addOn.page.keyboard.press('Shift+Tab');
    await addOn.page.keyboard.press('Enter');
    await at('#insert').waitFor();
    await expect.poll(() => at('longtake-result .strip').getAttribute('aria-valuemax')).toBe('48');
    await at('#insert').click();
    await at('[data-notice=done]').waitFor({ timeout: 100_000 });
    const { data, bytes } = await addOn.lastVideo();
    expect(data).toMatchObject({ nodeAddOnData: { 'longtake.seed': '2' } });
    expect((await decode(bytes)).facts.frameCount).toBe(24);
    await at('#close-result').click();
    expect(await tiles().count()).toBe(3);
    expect(await at('longtake-clip-list li').count()).toBe(3);
    await tiles().first().click();
    await at('#insert').click();
    await expect.poll(() => addOn.count('addVideo'), { timeout: 100_000 }).toBe(2);
    const other = (await decode((await addOn.lastVideo()).bytes)).frames;
    expect(psnr(other.at(-1)!, (await decode(bytes)).frames.at(-1)!)).toBeLessThan(45);
  });

  it('tries another one with a seed that none of them has', async () => {
    await at('#retry').click();
    await at('#insert').waitFor({ timeout: 100_000 });
    await expect.poll(() => at('longtake-clip-list li').count()).toBe(4);
    expect(await at('longtake-clip-list li').first().innerText()).toContain('#4');
    await at('#close-result').click();
    await at('#generate').waitFor();
    expect(await tiles().count()).toBe(0);
  });

  it('cancels all of them, and keeps what was made', async () => {
    await addOn.setSeconds(3);
    await at('#variations sp-action-button[value="4"]').click();
    await at('#generate').click();
    await expect
      .poll(() => at('longtake-variations .facts').nth(1).innerText(), { timeout: 200_000 })
      .toMatch(/^[1-9]\d* of 72 frames/);
    await at('#cancel').click();
    await at('[data-notice=info]').waitFor();
    expect(await at('[data-notice]').innerText()).toContain('Frames made so far are in My clips.');
    await expect.poll(() => tiles().count()).toBe(2);
    expect(await at('longtake-variations .facts').nth(1).innerText()).toMatch(
      /Stopped after \d+ of 72 frames/,
    );
    expect(await at('longtake-clip-list li').count()).toBe(6);
    await tiles().nth(1).click();
    await at('#resume').click();
    await at('#insert').waitFor({ timeout: 200_000 });
    expect(await at('longtake-clip-list').locator('text=Stopped after').count()).toBe(0);
  });

  it('in every language and theme, with nothing cut off', async () => {
    await at('#close-result').click();
    await addOn.setSeconds(1);
    await at('#variations sp-action-button[value="2"]').click();
    for (const [locale, label] of [
      ['de-DE', 'Varianten'],
      ['pt-BR', 'Variações'],
    ] as const) {
      await addOn.setLocale(locale);
      await expect.poll(() => at('#variations-label').innerText()).toBe(label);
      expect(await addOn.misfits()).toEqual([]);
      await at('#generate').click();
      await at('#cancel').waitFor();
      // A bar of unknown progress runs in and out of its own track, unseen.
      expect((await addOn.misfits()).filter((text) => !text.startsWith('div#.fill'))).toEqual([]);
      await at('#pick').waitFor({ timeout: 100_000 });
      expect(await addOn.misfits()).toEqual([]);
      await addOn.setTheme('dark');
      await expect.poll(() => addOn.violations()).toEqual([]);
      await addOn.setTheme('light');
      await at('#close-variations').click();
    }
    expect(addOn.errors).toEqual([]);
  });
});
