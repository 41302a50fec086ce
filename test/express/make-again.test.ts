import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RgbaFrame } from '../../src/engine/types.ts';
import { psnr } from '../media/painted-frame.ts';
import { AddOnPage } from './add-on-page.ts';

let addOn: AddOnPage;
const at = (selector: string) => addOn.panel.locator(selector);
const strip = () => at('longtake-result .strip');

beforeAll(async () => {
  addOn = await AddOnPage.withClip({ seconds: 2 });
}, 240_000);
afterAll(() => addOn?.close());

/** Of two clips some frames are the same, up to the loss of two encodings, and others are not. */
function expectKept(a: RgbaFrame[], b: RgbaFrame[], same: number[], other: number[]): void {
  const likeness = (indices: number[]) => indices.map((index) => psnr(a[index]!, b[index]!));
  expect(Math.min(...likeness(same))).toBeGreaterThan(Math.max(...likeness(other)) + 6);
}

/** Steps the viewer to a picture, counted from 1, with the keyboard. */
async function goTo(picture: number): Promise<void> {
  await strip().focus();
  await addOn.page.keyboard.press('Home');
  for (let i = 1; i < picture; i++) await addOn.page.keyboard.press('ArrowRight');
  expect(await strip().getAttribute('aria-valuenow')).toBe(String(picture));
}

async function again(): Promise<void> {
  await at('#again').click();
  await at('longtake-rollout').waitFor();
  await at('#insert').waitFor({ timeout: 60_000 });
}

describe('an editor makes a clip again from a frame on', { timeout: 120_000 }, () => {
  it('is told where that is possible', async () => {
    await at('#generate').click();
    await at('#insert').waitFor({ timeout: 60_000 });
    await strip().focus();
    for (const [key, possible] of [
      ['Home', false],
      ['End', false],
      ['ArrowLeft', true],
    ] as const) {
      await addOn.page.keyboard.press(key);
      await expect.poll(() => at('#again').isEnabled()).toBe(possible);
    }
    expect(await at('#again-hint').innerText()).toBe(
      'New frames up to the one shown stay (47); 1 are made again.',
    );
    expect(await addOn.violations()).toEqual([]);
  });

  it('keeps the frames up to the one on show, and the figures of the cut', async () => {
    const seam = await at('#seam').innerText();
    const first = await addOn.insertResult();
    // The clip's last 24 frames stand before the cut.
    await goTo(24 + 20);
    expect(await at('#again-hint').innerText()).toContain('stay (20); 28 are made again');
    await again();
    expect(await at('longtake-clip-list li').count()).toBe(2);
    expect(await at('longtake-clip-list li').first().innerText()).toContain('#2');
    expect(await strip().getAttribute('aria-valuemax')).toBe('72');
    expect(await at('#seam').innerText()).toBe(seam);
    const second = await addOn.insertResult();
    expect(second).toHaveLength(48);
    expectKept(first, second, [0, 10, 19], [24, 40]);
  });

  it('before a clip keeps the frames beside it', async () => {
    await at('#close-result').click();
    await at('#direction sp-action-button[value=backward]').click();
    await at('#generate').click();
    await at('#insert').waitFor({ timeout: 60_000 });
    const first = await addOn.insertResult();
    // 48 new frames, then the clip: picture 39 is the tenth from the cut.
    await goTo(39);
    expect(await at('#again-hint').innerText()).toContain('stay (10); 38 are made again');
    await again();
    const second = await addOn.insertResult();
    expectKept(first, second, [38, 43, 47], [5, 30]);
  });

  it('goes on from the kept frames after a Cancel', async () => {
    await goTo(30);
    await at('#again').click();
    await at('#cancel').click();
    await at('[data-notice=info]').waitFor();
    const item = at('longtake-clip-list li').first();
    expect(await item.innerText()).toMatch(/Stopped after \d+ of 48 frames/);
    await item.locator('button.clip').click();
    await at('#resume').click();
    await at('#insert').waitFor({ timeout: 60_000 });
    expect(await at('longtake-clip-list').locator('text=Stopped after').count()).toBe(0);
  });

  it('plays and compares with the clip before the end of a rollout', async () => {
    await at('#close-result').click();
    await at('#direction sp-action-button[value=forward]').click();
    await addOn.setSeconds(10);
    await at('#generate').click();
    await expect
      .poll(() => at('#rollout-facts').innerText(), { timeout: 60_000 })
      .toMatch(/^[1-9]\d* of 240/);
    const live = at('longtake-rollout .strip');
    await at('#compare').click();
    await expect
      .poll(() => live.getAttribute('aria-valuetext'), { timeout: 10_000 })
      .toMatch(/^Frame 24 of \d+, your clip$/);
    await expect
      .poll(() => live.getAttribute('aria-valuetext'), { timeout: 10_000 })
      .toMatch(/^Frame 25 of \d+, new$/);
    await at('#play').click();
    const started = await live.getAttribute('aria-valuenow');
    await expect.poll(() => live.getAttribute('aria-valuenow')).not.toBe(started);
    await at('#cancel').click();
    await at('[data-notice=info]').waitFor();
    await at('longtake-clip-list li button.clip').nth(1).click();
    await at('#insert').waitFor();
  });

  it('in every language and theme, with nothing cut off', async () => {
    await goTo(30);
    for (const [locale, label] of [
      ['de-DE', 'Ab hier neu machen'],
      ['pt-BR', 'Refazer a partir daqui'],
      ['en-US', 'Make again from here'],
    ] as const) {
      await addOn.setLocale(locale);
      await expect.poll(() => at('#again').innerText()).toBe(label);
      expect(await addOn.misfits()).toEqual([]);
    }
    for (const theme of ['dark', 'light'] as const) {
      await addOn.setTheme(theme);
      await expect.poll(() => addOn.violations()).toEqual([]);
    }
    expect(addOn.errors).toEqual([]);
  });
});
