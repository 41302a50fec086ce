import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AddOnPage } from './add-on-page.ts';

let addOn: AddOnPage;
const at = (selector: string) => addOn.panel.locator(selector);
const strip = () => at('longtake-result .strip');
const line = () => at('longtake-dividing-line [role=slider]');

beforeAll(async () => {
  addOn = await AddOnPage.withClip({ seconds: 2 });
}, 240_000);
afterAll(() => addOn?.close());

/** What the viewer shows in a column of the picture, `place` 0…1 of its width. */
const column = (place: number) =>
  at('longtake-result .screen canvas').evaluate((element, place) => {
    const canvas = element as HTMLCanvasElement;
    const x = Math.round(place * (canvas.width - 1));
    return [...canvas.getContext('2d')!.getImageData(x, 0, 1, canvas.height).data].join();
  }, place);

/** Steps to a picture, counted from 1. */
async function goTo(picture: number): Promise<void> {
  await strip().focus();
  await addOn.page.keyboard.press('Home');
  for (let i = 1; i < picture; i++) await addOn.page.keyboard.press('ArrowRight');
  await expect.poll(() => strip().getAttribute('aria-valuenow')).toBe(String(picture));
}

describe('an editor sees what the model sees', { timeout: 120_000 }, () => {
  it('in words an editor understands, and in pictures', async () => {
    await at('longtake-model-view summary').click();
    expect(await at('#model-reads').innerText()).toBe(
      'It reads all 30 frames of the clip and keeps them in mind. To it these are 5 pictures, 4 a second, 16 × 16 pixels each.',
    );
    const pictures = at('longtake-model-view canvas');
    await pictures.waitFor();
    expect(await pictures.getAttribute('aria-label')).toBe(
      'The 4 pictures nearest the cut, as the model sees them',
    );
    const colours = await pictures.evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      return { size: [canvas.width, canvas.height], colours: new Set(data).size };
    });
    expect(colours.size).toEqual([64, 16]);
    expect(colours.colours).toBeGreaterThan(20);
    expect(await addOn.violations()).toEqual([]);
  });

  it('of the other end of the clip, where that is continued', async () => {
    const pictures = () =>
      at('longtake-model-view canvas').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    const end = await pictures();
    await at('#direction sp-action-button[value=backward]').click();
    await expect.poll(pictures).not.toBe(end);
    await at('#direction sp-action-button[value=forward]').click();
    await expect.poll(pictures).toBe(end);
  });

  it('in every language, with nothing cut off', async () => {
    for (const [locale, title] of [
      ['de-DE', 'Was das Modell sieht'],
      ['pt-BR', 'O que o modelo vê'],
      ['en-US', 'What the model sees'],
    ] as const) {
      await addOn.setLocale(locale);
      await expect.poll(() => at('longtake-model-view summary').innerText()).toBe(title);
      expect(await addOn.misfits()).toEqual([]);
    }
  });
});

describe('an editor compares the result with the clip', { timeout: 120_000 }, () => {
  it('on both sides of a line', async () => {
    await at('#generate').click();
    await at('#insert').waitFor({ timeout: 60_000 });
    await at('#split').click();
    await line().waitFor();
    await goTo(30);
    const [left, right] = await Promise.all([column(0.2), column(0.8)]);
    await goTo(60);
    await expect.poll(() => column(0.8)).not.toBe(right);
    expect(await column(0.2)).toBe(left);
    // At the left stands the clip's last frame.
    await at('#split').click();
    expect(await line().count()).toBe(0);
    await expect.poll(() => column(0.2)).not.toBe(left);
    await goTo(24);
    await expect.poll(() => column(0.2)).toBe(left);
  });

  it('moves the line with the pointer and with the keyboard', async () => {
    await goTo(60);
    const whole = await column(0.8);
    await at('#split').click();
    await expect.poll(() => line().getAttribute('aria-valuetext')).toBe('50 %');
    const box = (await at('longtake-result .screen canvas').boundingBox())!;
    const y = box.y + box.height / 3;
    await addOn.page.mouse.move(box.x + 0.5 * box.width, y);
    await addOn.page.mouse.down();
    await addOn.page.mouse.move(box.x + 0.9 * box.width, y, { steps: 6 });
    await addOn.page.mouse.up();
    await expect.poll(() => line().getAttribute('aria-valuetext')).toBe('90 %');
    expect(await column(0.8)).not.toBe(whole);
    await addOn.page.keyboard.press('Home');
    await addOn.page.keyboard.press('ArrowRight');
    await expect.poll(() => line().getAttribute('aria-valuetext')).toBe('5 %');
    expect(await column(0.8)).toBe(whole);
  });

  it('plays the new frames beside the clip', async () => {
    await addOn.page.keyboard.press('End');
    await addOn.page.keyboard.press('ArrowLeft');
    await at('#play').click();
    const before = await column(0.99);
    await expect.poll(() => column(0.99)).not.toBe(before);
    await at('#play').click();
    await line().waitFor();
  });

  it('in every language and theme, with nothing cut off', async () => {
    for (const [locale, label] of [
      ['de-DE', 'Geteilt'],
      ['pt-BR', 'Dividir'],
      ['en-US', 'Split'],
    ] as const) {
      await addOn.setLocale(locale);
      await expect.poll(() => at('#split').innerText()).toBe(label);
      expect(await addOn.misfits()).toEqual([]);
    }
    for (const theme of ['dark', 'light'] as const) {
      await addOn.setTheme(theme);
      await expect.poll(() => addOn.violations()).toEqual([]);
    }
    // The two sides in turn take the line's place.
    await at('#compare').click();
    await expect.poll(() => line().count()).toBe(0);
    await at('#compare').click();
    expect(addOn.errors).toEqual([]);
  });
});
