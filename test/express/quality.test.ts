import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AddOnPage } from './add-on-page.ts';

let addOn: AddOnPage;
const at = (selector: string) => addOn.panel.locator(selector);
const estimate = () => at('#estimate').innerText();
const choose = (value: string) => at(`#profile sp-action-button[value=${value}]`).click();

beforeAll(async () => {
  addOn = await AddOnPage.withClip({ seconds: 2 });
}, 240_000);
afterAll(() => addOn?.close());

/** Chooses an empty shot of the largest size, so long that this machine needs many seconds for its frames alone. */
async function chooseMuch(): Promise<void> {
  await at('#change-source').click();
  await at('#cold').click();
  await at('#size').click();
  await at('#size sp-menu-item[value="1920x1080"]').click();
  await at('#start-cold').click();
  await addOn.setSeconds(10);
  await at('#variations sp-action-button[value="4"]').click();
}

/** Sets the time to be done in by typing into its field. */
async function setFit(seconds: number): Promise<void> {
  const field = at('#fit-seconds input');
  await field.fill(String(seconds));
  await field.press('Enter');
}

describe('an editor weighs time against quality', { timeout: 120_000 }, () => {
  it('is told what each profile takes here before anything was made', async () => {
    await expect.poll(estimate, { timeout: 60_000 }).toMatch(/^Takes about \d+ s on this computer\.$/);
    expect(await at('#times').innerText()).toMatch(
      /^Draft\s+about \d+ s\s+Preview\s+about \d+ s\s+Final\s+about \d+ s$/,
    );
    expect(await at('longtake-clip-list li').count()).toBe(0);
    expect(await addOn.violations()).toEqual([]);
  });

  it('at once on the next visit, and for the new length', async () => {
    // The weights never come: what is shown is what was measured before.
    await addOn.page.route('**/weights.safetensors', () => undefined);
    await addOn.reopen();
    await addOn.choose(addOn.clip);
    await expect.poll(estimate).toMatch(/^Takes about \d+ s on this computer\.$/);
    await addOn.page.unroute('**/weights.safetensors');
    await addOn.reopen();
    await addOn.choose(addOn.clip);
    const seconds = async () => {
      const [, value, unit] = /([\d.]+) (s|min)/.exec(await estimate()) ?? [];
      return Number(value) * (unit === 'min' ? 60 : 1);
    };
    await expect.poll(seconds).toBeGreaterThan(0);
    const short = await seconds();
    await chooseMuch();
    await expect.poll(seconds, { timeout: 60_000 }).toBeGreaterThan(short + 3);
  });

  it('has the best quality picked for a time, with the keyboard', async () => {
    await at('#profile sp-action-button[value=final]').focus();
    await addOn.page.keyboard.press('ArrowRight');
    await addOn.page.keyboard.press('Enter');
    await at('#fit-seconds').waitFor();
    await setFit(600);
    await expect
      .poll(() => at('#fit-choice').innerText())
      .toMatch(/^Final fits: it takes about [\d.]+ (s|min)\.$/);
    await expect.poll(() => at('#fit-choice').getAttribute('aria-live')).toBe('polite');
  });

  it('is told when not even Draft is fast enough', async () => {
    await setFit(5);
    await expect
      .poll(() => at('#fit-choice').innerText())
      .toMatch(/^Even Draft needs about [\d.]+ (s|min); it is made all the same\.$/);
    expect(await addOn.violations()).toEqual([]);
  });

  it('in every language and theme, with nothing cut off', async () => {
    await addOn.page.setViewportSize({ width: 1000, height: 1400 });
    for (const [locale, label] of [
      ['de-DE', 'Qualität'],
      ['pt-BR', 'Qualidade'],
      ['en-US', 'Quality'],
    ] as const) {
      await addOn.setLocale(locale);
      await expect.poll(() => at('#profile-label').innerText()).toBe(label);
      for (const seconds of [5, 600]) {
        await setFit(seconds);
        expect(await addOn.misfits()).toEqual([]);
      }
    }
    for (const theme of ['dark', 'light'] as const) {
      await addOn.setTheme(theme);
      await expect.poll(() => at('sp-theme').getAttribute('color')).toBe(theme);
      await expect.poll(() => addOn.violations()).toEqual([]);
    }
  });

  it('gets it in that time, and the same again for a variation', async () => {
    await at('#change-source').click();
    await addOn.choose(addOn.clip);
    await at('#variations sp-action-button[value="1"]').click();
    await addOn.setSeconds(1);
    await setFit(300);
    await at('#generate').click();
    await at('#insert').waitFor({ timeout: 60_000 });
    // As many passes as Final has are of use.
    expect(await at('#fit').innerText()).toBe('Done in the time you gave, with 8 passes.');
    await at('#retry').click();
    await expect.poll(() => at('longtake-clip-list li').count(), { timeout: 60_000 }).toBe(2);
    await at('#fit').waitFor({ timeout: 60_000 });
    await at('#close-result').click();
    expect(await at('#fit-seconds input').inputValue()).toMatch(/^300/);
  });

  it('goes back to a profile', async () => {
    await choose('draft');
    expect(await at('#fit-seconds').count()).toBe(0);
    await choose('fit');
    expect(await at('#fit-seconds input').inputValue()).toMatch(/^300/);
    await choose('preview');
    await at('#generate').click();
    await at('#insert').waitFor({ timeout: 60_000 });
    expect(await at('#fit').count()).toBe(0);
    expect(addOn.errors).toEqual([]);
  });
});
