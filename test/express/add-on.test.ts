import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerMediaCodecs } from '../../src/media/node/register.ts';
import { writePaintedClip } from '../media/painted-clip.ts';
import { paintFrame, psnr, readNumber } from '../media/painted-frame.ts';
import { AddOnPage, decode } from './add-on-page.ts';

const RATE = 24;
const PREFIX = 30;
const SIZE = { width: 320, height: 180 };

let folder: string;
let clip: string;

beforeAll(async () => {
  registerMediaCodecs();
  folder = mkdtempSync(join(tmpdir(), 'longtake-clips-'));
  clip = join(folder, 'street.mp4');
  await writePaintedClip(clip, { ...SIZE, rate: RATE, frames: PREFIX });
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('an editor extends a clip in Adobe Express', { timeout: 120_000 }, () => {
  let addOn: AddOnPage;
  const at = (selector: string) => addOn.panel.locator(selector);

  beforeAll(async () => {
    addOn = await AddOnPage.open({ page: clip });
  }, 120_000);
  afterAll(async () => {
    await addOn?.close();
  });

  it('starts with a way in, and nothing an assistive technology trips over', async () => {
    expect(await at('#generate').isDisabled()).toBe(true);
    expect(await at('#estimate').innerText()).toBe('Choose a clip first, or start without one.');
    expect(await addOn.violations()).toEqual([]);
    expect(await addOn.misfits()).toEqual([]);
  });

  it('says in one sentence why a file is no clip', async () => {
    await addOn.drop(new URL('../../package.json', import.meta.url).pathname, 'notes.mp4');
    await at('[data-notice=error]').waitFor();
    expect(await at('[data-notice=error]').innerText()).toMatch(/“notes\.mp4” is no video file/);
    expect(await addOn.violations()).toEqual([]);
  });

  it('takes a dropped clip', async () => {
    await addOn.drop(clip, 'street.mp4');
    await at('#source-facts').waitFor();
    expect(await at('#source-label').innerText()).toBe('street.mp4');
    expect(await at('#source-facts').innerText()).toMatch(/^320 × 180 · 24\sfps · 1\.3\ss$/);
    expect(await at('[data-notice]').count()).toBe(0);
  });

  it('shows frames as they are made, and cancels', async () => {
    await addOn.setSeconds(10);
    expect(await at('#frames').innerText()).toBe('240 new frames');
    await at('#generate').click();
    await expect
      .poll(() => at('#rollout-facts').innerText(), { timeout: 60_000 })
      .toMatch(/^[1-9]\d* of 240 frames/);
    // The picture on show is one that was just made, not an empty canvas.
    const colours = await at('.screen canvas').evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      return new Set(canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data).size;
    });
    expect(colours).toBeGreaterThan(4);
    await at('#cancel').click();
    await at('[data-notice=info]').waitFor();
    expect(await at('[data-notice]').innerText()).toContain('Frames made so far are in My clips.');
    expect(await at('longtake-clip-list li').innerText()).toMatch(/Stopped after \d+ of 240 frames/);
    expect(await at('#source-label').innerText()).toBe('street.mp4');
  });

  it('discards a clip from its menu with the keyboard', async () => {
    await at('longtake-clip-list sp-action-button[aria-haspopup]').focus();
    await addOn.page.keyboard.press('Enter');
    await at('longtake-clip-list sp-menu-item[value=discard]').waitFor();
    const kept = await at('longtake-clip-list li').innerText();
    const discard = async () => {
      await addOn.page.keyboard.press('End');
      await addOn.page.keyboard.press('Enter');
      await expect.poll(() => at('longtake-clip-list li').count()).toBe(0);
    };
    await discard();
    // By mistake: its frames took long to make.
    expect(await addOn.violations()).toEqual([]);
    await at('longtake-notice').getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => at('longtake-clip-list li').count()).toBe(1);
    expect(await at('longtake-clip-list li').innerText()).toBe(kept);
    await at('longtake-clip-list sp-action-button[aria-haspopup]').focus();
    await addOn.page.keyboard.press('Enter');
    await at('longtake-clip-list sp-menu-item[value=discard]').waitFor();
    await discard();
  });

  it('makes a continuation and adds it to the page', async () => {
    await addOn.setSeconds(2);
    await at('#generate').click();
    await at('#insert').waitFor({ timeout: 60_000 });
    expect(await at('#seam').innerText()).toMatch(/^Seam: /);
    expect(await at('#speed').innerText()).toMatch(/^\d+(\.\d)? ms a frame/);
    expect(await addOn.violations()).toEqual([]);
    await at('#insert').click();
    await at('[data-notice=done]').waitFor({ timeout: 60_000 });

    const { type, attributes, data, bytes } = await addOn.lastVideo();
    expect(type).toBe('video/mp4');
    expect(attributes).toEqual({ title: 'street (continuation)', author: 'Longtake' });
    const expected = {
      'longtake.clip': expect.stringMatching(/^[0-9a-f-]{36}$/),
      'longtake.content': 'continuation',
      'longtake.model': 'tiny',
      'longtake.backend': expect.stringMatching(/^(ort|webgpu)$/),
      'longtake.profile': 'preview',
      'longtake.seed': '1',
      'longtake.direction': 'forward',
      'longtake.frames': '48',
      'longtake.rate': '24/1',
      'longtake.task': 'extend',
    };
    expect(data).toEqual({ nodeAddOnData: expected, mediaAddOnData: expected });
    // Adobe's quota for a node: 3 KB, 20 keys.
    expect(JSON.stringify((data as { nodeAddOnData: unknown }).nodeAddOnData).length).toBeLessThan(3000);
    const { facts, frames } = await decode(bytes);
    expect(facts).toMatchObject({ size: SIZE, rate: { num: RATE, den: 1 }, frameCount: 48, codec: 'avc' });
    expect(frames).toHaveLength(48);
  });

  it('adds the whole clip, longer, with the editor’s own frames untouched', async () => {
    await at('#content sp-radio[value=extended]').click();
    await at('#insert').click();
    await expect.poll(() => addOn.count('addVideo'), { timeout: 60_000 }).toBe(2);
    const { attributes, bytes } = await addOn.lastVideo();
    expect(attributes).toEqual({ title: 'street (extended)', author: 'Longtake' });
    const { facts, frames } = await decode(bytes);
    expect(facts.frameCount).toBe(PREFIX + 48);
    expect(frames.slice(0, PREFIX).map(readNumber)).toEqual(Array.from({ length: PREFIX }, (_, i) => i));
    expect(psnr(frames[7]!, paintFrame(7, SIZE.width, SIZE.height))).toBeGreaterThan(30);
  });

  it('plays and steps through the result with the keyboard', async () => {
    const strip = at('longtake-result .strip');
    await strip.focus();
    await addOn.page.keyboard.press('Home');
    expect(await strip.getAttribute('aria-valuetext')).toBe('Frame 1 of 72, your clip');
    await addOn.page.keyboard.press('End');
    expect(await strip.getAttribute('aria-valuetext')).toBe('Frame 72 of 72, new');
    await addOn.page.keyboard.press('ArrowLeft');
    expect(await strip.getAttribute('aria-valuenow')).toBe('71');
    await at('#compare').click();
    await expect.poll(() => strip.getAttribute('aria-valuetext')).toBe('Frame 24 of 72, your clip');
    await expect.poll(() => strip.getAttribute('aria-valuetext')).toBe('Frame 25 of 72, new');
    await at('#compare').click();
    await at('#play').click();
    const first = await strip.getAttribute('aria-valuenow');
    await expect.poll(() => strip.getAttribute('aria-valuenow')).not.toBe(first);
    await at('#play').click();
  });

  it('opens the actions of a clip by a right-click too', async () => {
    await at('longtake-clip-list li').click({ button: 'right' });
    await at('longtake-clip-list sp-menu-item[value=open]').waitFor();
    expect(await addOn.violations()).toEqual([]);
    await addOn.page.keyboard.press('Escape');
    await at('longtake-clip-list sp-menu-item[value=open]').waitFor({ state: 'hidden' });
  });

  it('drags the result onto the page', async () => {
    await at('longtake-result .screen canvas').evaluate((canvas) =>
      canvas.dispatchEvent(new CustomEvent('standin-drop')),
    );
    await expect.poll(() => addOn.count('dropped'), { timeout: 60_000 }).toBe(1);
  });

  it('keeps the clip when Express refuses it', async () => {
    await addOn.configure({ refuseVideo: 'No active page available.' });
    await at('#insert').click();
    await at('[data-notice=error]').waitFor({ timeout: 60_000 });
    expect(await at('[data-notice=error]').innerText()).toContain(
      'Adobe Express did not take the clip (No active page available); it is kept under My clips, so you can try again.',
    );
    expect(await at('longtake-clip-list li').count()).toBe(1);
    await addOn.configure({ refuseVideo: null });
    await at('#insert').click();
    await at('[data-notice=done]').waitFor({ timeout: 60_000 });
  });

  it('makes a variation with another seed from the same state', async () => {
    await at('#retry').click();
    await expect.poll(() => at('longtake-clip-list li').count(), { timeout: 60_000 }).toBe(2);
    await at('#insert').waitFor({ timeout: 60_000 });
    await at('#content sp-radio[value=continuation]').click();
    const before = await addOn.count('addVideo');
    const first = (await decode((await addOn.lastVideo()).bytes)).frames.slice(PREFIX);
    await at('#insert').click();
    await expect.poll(() => addOn.count('addVideo'), { timeout: 60_000 }).toBe(before + 1);
    const { data, bytes } = await addOn.lastVideo();
    expect(data).toMatchObject({ nodeAddOnData: { 'longtake.seed': '2' } });
    const second = (await decode(bytes)).frames;
    expect(second).toHaveLength(48);
    expect(psnr(first[30]!, second[30]!)).toBeLessThan(40);
  });

  it('follows the theme and the language of Express at once, and nothing is cut off in any', async () => {
    await addOn.setTheme('dark');
    await expect.poll(() => at('sp-theme').getAttribute('color')).toBe('dark');
    await expect.poll(() => addOn.violations()).toEqual([]);
    const texts: Record<string, string> = {
      'de-DE': 'Erneut hinzufügen',
      'pt-BR': 'Adicionar de novo',
      'ja-JP': 'Add again',
      'en-US': 'Add again',
    };
    for (const [locale, insert] of Object.entries(texts)) {
      await addOn.setLocale(locale);
      await expect.poll(() => at('#insert').innerText()).toBe(insert);
      expect(await addOn.misfits()).toEqual([]);
    }
    await at('#close-result').click();
    for (const locale of Object.keys(texts)) {
      await addOn.setLocale(locale);
      await at('longtake-settings').waitFor();
      expect(await addOn.misfits()).toEqual([]);
    }
    expect(await addOn.violations()).toEqual([]);
    await addOn.setTheme('light');
    await expect.poll(() => addOn.violations()).toEqual([]);
  });

  it('finds everything again after Express tore the panel down, and goes on', async () => {
    await addOn.setSeconds(6);
    await at('#generate').click();
    await expect
      .poll(() => at('#rollout-facts').innerText(), { timeout: 60_000 })
      .toMatch(/^[1-9]\d* of 144/);
    await addOn.page.reload();
    await at('longtake-clip-list li').first().waitFor();
    await expect.poll(() => at('longtake-clip-list li').count()).toBe(3);
    const interrupted = at('longtake-clip-list li').first();
    expect(await interrupted.innerText()).toMatch(/Stopped after [1-9]\d* of 144 frames/);
    await interrupted.locator('button.clip').click();
    await at('#resume').click();
    await at('#insert').waitFor({ timeout: 100_000 });
    expect(await at('#seam').innerText()).toBe('Seam: not measured, this clip was made in two goes.');
    const before = await addOn.count('addVideo');
    await at('#insert').click();
    await expect.poll(() => addOn.count('addVideo'), { timeout: 90_000 }).toBe(before + 1);
    expect((await decode((await addOn.lastVideo()).bytes)).facts.frameCount).toBe(144);
    // A finished clip of the session before opens without being made again.
    await at('longtake-clip-list li button.clip').last().click();
    await expect
      .poll(() => at('longtake-result .strip').getAttribute('aria-valuemax'), { timeout: 60_000 })
      .toBe('72');
  });

  it('starts a stopped rollout over, and drops what it had', async () => {
    await at('#close-result').click();
    expect(await at('#source-label').innerText()).toBe('street.mp4');
    await addOn.setSeconds(6);
    await at('#generate').click();
    await expect
      .poll(() => at('#rollout-facts').innerText(), { timeout: 60_000 })
      .toMatch(/^[1-9]\d* of 144/);
    await at('#cancel').click();
    await at('[data-notice=info]').waitFor();
    expect(await at('longtake-clip-list li').count()).toBe(4);
    await at('longtake-clip-list li button.clip').first().click();
    await at('#restart').click();
    await at('#insert').waitFor({ timeout: 100_000 });
    await expect.poll(() => at('longtake-clip-list li').count()).toBe(4);
    expect(await at('longtake-clip-list').locator('text=Stopped after').count()).toBe(0);
    expect(await at('#seam').innerText()).toMatch(/^Seam: (?!not measured)/);
  });

  it('clears all it keeps', async () => {
    await at('#clear-data').click();
    await at('#clear-confirm').click();
    await expect.poll(() => at('longtake-clip-list li').count()).toBe(0);
    await addOn.page.reload();
    await at('longtake-source').waitFor();
    await at('text=Clips you generate are kept here').waitFor();
  });

  it('takes the current page, and drops a rendition that comes too late', async () => {
    await addOn.configure({ renditionDelay: 1500 });
    await at('#page').click();
    await at('text=Rendering the page…').waitFor();
    await at('longtake-source sp-action-button').click();
    await at('#choose').waitFor();
    await addOn.page.waitForTimeout(2000);
    expect(await at('#source-facts').count()).toBe(0);
    await addOn.configure({ renditionDelay: 50 });
    await at('#page').click();
    await at('#source-facts').waitFor();
    expect(await at('#source-facts').innerText()).toMatch(/^320 × 180 · 24\sfps · 1\.3\ss$/);
    await at('text=Text and other layers on the page are part of the picture.').waitFor();
  });

  it('does not ask for a page that may not be exported', async () => {
    await at('#change-source').click();
    await addOn.configure({ exportAllowed: false });
    const before = await addOn.count('createRenditions');
    await at('#page').click();
    await at('[data-notice=error]').waitFor();
    expect(await at('[data-notice=error]').innerText()).toContain('may not be exported until it is approved');
    expect(await addOn.count('createRenditions')).toBe(before);
  });

  it('starts a shot without a clip', async () => {
    await at('#cold').click();
    await at('#start-cold').click();
    await at('#source-facts').waitFor();
    expect(await at('#source-facts').innerText()).toMatch(/^1280 × 720 · 24\sfps$/);
    await addOn.setSeconds(1);
    await at('#generate').click();
    await at('#insert').waitFor({ timeout: 90_000 });
    expect(await at('#seam').innerText()).toBe('No seam: the shot starts here.');
    await at('#insert').click();
    await at('[data-notice=done]').waitFor({ timeout: 90_000 });
    expect((await decode((await addOn.lastVideo()).bytes)).facts).toMatchObject({
      size: { width: 1280, height: 720 },
      frameCount: 24,
    });
  });

  it('left no error behind', () => {
    expect(addOn.errors).toEqual([]);
  });
});
