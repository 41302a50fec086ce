import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { registerMediaCodecs } from '../../src/media/node/register.ts';
import { writePaintedClip } from '../media/painted-clip.ts';
import { AddOnPage } from './add-on-page.ts';

let folder: string;
let addOn: AddOnPage;
const at = (selector: string) => addOn.panel.locator(selector);
const facts = () => at('longtake-variations .facts').allInnerTexts();
/** Variations of which some of the 72 frames are there. */
const underWay = async () => (await facts()).filter((text) => /^[1-9]\d* of 72 frames/.test(text)).length;

beforeAll(async () => {
  registerMediaCodecs();
  folder = mkdtempSync(join(tmpdir(), 'longtake-at-once-'));
  const clip = join(folder, 'street.mp4');
  await writePaintedClip(clip, { width: 320, height: 180, rate: 24, frames: 30 });
  addOn = await AddOnPage.open({ page: clip });
  await addOn.page.route('**/longtake.config.json', (route) =>
    route.fulfill({ json: { model: 'models/tiny/', backend: 'webgpu' } }),
  );
  await addOn.choose(clip);
  await addOn.setSeconds(3);
  await at('#variations sp-action-button[value="3"]').click();
}, 240_000);
afterAll(async () => {
  await addOn?.close();
  rmSync(folder, { recursive: true, force: true });
});

it('makes variations at the same time on a graphics device', { timeout: 240_000 }, async () => {
  await at('#generate').click();
  await expect.poll(underWay, { timeout: 200_000, interval: 50 }).toBe(3);
  expect(await at('#rollout-facts').innerText()).toMatch(/ of 216 frames/);
  expect(await at('longtake-clip-list li').count()).toBe(3);
  expect(await addOn.misfits()).toEqual([]);
  await at('#pick').waitFor({ timeout: 200_000 });
  expect(await facts()).toEqual(['#1', '#2', '#3']);
  const pictures = await at('longtake-variations canvas').evaluateAll((elements) =>
    elements.map((element) => (element as HTMLCanvasElement).toDataURL()),
  );
  expect(new Set(pictures).size).toBe(3);
  await at('#close-variations').click();
});

it('cancels all of them, keeps their frames and goes on with one', { timeout: 240_000 }, async () => {
  await at('#generate').click();
  await expect.poll(underWay, { timeout: 200_000, interval: 50 }).toBe(3);
  await at('#cancel').click();
  await at('[data-notice=info]').waitFor();
  expect(await at('[data-notice]').innerText()).toContain('Frames made so far are in My clips.');
  await at('#pick').waitFor();
  for (const text of await facts()) expect(text).toMatch(/^Stopped after \d+ of 72 frames/);
  await at('longtake-variations button[data-variation]').nth(2).click();
  await at('#resume').click();
  await at('#insert').waitFor({ timeout: 200_000 });
  expect(addOn.errors).toEqual([]);
});
