/**
 * Makes the pictures of the add-on in docs/images: `npx tsx test/express/screenshots.ts [ADD_ON]`. ADD_ON is a built
 * add-on, by default dist/express with the real model; the pictures show it in the stand-in host.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AddOnPage } from './add-on-page.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const addOn = process.argv[2] ?? join(root, 'dist', 'express');
const clip = join(root, 'examples', 'maze-walk.mp4');
const track = join(root, 'examples', 'maze-walk.camera.json');
const images = join(root, 'docs', 'images');
mkdirSync(images, { recursive: true });

/** A rollout on a machine without a graphics device takes minutes, not seconds. */
const PATIENCE = 600_000;

async function walk(theme: 'light' | 'dark', locale: string): Promise<void> {
  const page = await AddOnPage.open({
    addOn,
    page: clip,
    viewport: { width: 1100, height: 820 },
    query: `theme=${theme}&locale=${locale}`,
  });
  const at = (selector: string) => page.panel.locator(selector);
  /** Waits for a state, but not after the panel said what is wrong. */
  const reach = async (state: ReturnType<typeof at>) => {
    const failed = at('[data-notice=error]');
    await state.or(failed).first().waitFor({ timeout: PATIENCE });
    if ((await failed.count()) > 0) throw new Error(await failed.innerText());
  };
  const shot = async (name: string, whole = false) => {
    // Spectrum's transitions and the fonts settle first.
    await page.page.waitForTimeout(600);
    const path = join(images, `express-${name}-${theme}.png`);
    if (whole) await page.page.screenshot({ path });
    else await page.page.locator('iframe').screenshot({ path });
  };
  try {
    await at('#choose').waitFor();
    await shot('start');
    await page.choose(clip);
    await page.setSeconds(2);
    // The way the camera is to go on: it is what this model follows best.
    await at('longtake-settings summary').click();
    const [dialog] = await Promise.all([page.page.waitForEvent('filechooser'), at('#camera').click()]);
    await dialog.setFiles(track);
    await shot('settings');
    await at('#generate').click();
    await reach(at('#rollout-facts').filter({ hasText: /\b(8|9|1\d)\b/ }));
    await shot('generating');
    await reach(at('#insert'));
    await shot('result');
    await at('#content sp-radio[value=extended]').click();
    await at('#insert').click();
    await reach(at('[data-notice=done]'));
    // The host shows the end of the new part.
    await page.page.locator('#page video').evaluate(async (element) => {
      const video = element as HTMLVideoElement;
      video.currentTime = Math.max(0, video.duration - 0.5);
      await new Promise((seeked) => video.addEventListener('seeked', seeked, { once: true }));
    });
    await shot('inserted', true);
  } finally {
    await page.close();
  }
}

await walk('light', 'en-US');
await walk('dark', 'de-DE');
