import { afterAll, beforeAll, expect, it } from 'vitest';
import { StudioPage } from './studio-page.ts';

let studio: StudioPage;

/** Lets the page hold decoded frames back, as a large picture on a slow processor does; thumbnails are made another way. */
const HOLD = () => {
  const page = globalThis as unknown as { held: Promise<void> | null; hold: () => void; letGo: () => void };
  page.held = null;
  page.hold = () => (page.held = new Promise((resolve) => (page.letGo = resolve)));
  const make = globalThis.createImageBitmap as (...args: unknown[]) => Promise<ImageBitmap>;
  const late = async (...args: unknown[]) => {
    await page.held;
    return make(...args);
  };
  globalThis.createImageBitmap = late as typeof globalThis.createImageBitmap;
};

beforeAll(async () => {
  studio = await StudioPage.open();
  await studio.page.addInitScript(HOLD);
  await studio.page.reload();
  const file = await studio.clip('long.mp4', { width: 320, height: 180, fps: 24, frames: 960 });
  await studio.choose('Choose clips…', file);
  await studio.page.locator('studio-clip').waitFor();
}, 240_000);
afterAll(() => studio?.close());

it('shows the nearest thumbnail after a jump until its frame is decoded, and the frame then', async () => {
  const { page } = studio;
  const viewer = page.locator('studio-viewer canvas');
  // Enough of the timeline's pictures are there when the last of the clip is.
  await page.locator('studio-clip canvas[data-thumbnails]').first().waitFor();
  await expect
    .poll(() =>
      page
        .locator('studio-clip canvas[data-thumbnails]')
        .first()
        .evaluate((canvas: HTMLCanvasElement) => {
          const [made, all] = canvas.dataset['thumbnails']!.split('/').map(Number);
          return all! > 2 && made === all;
        }),
    )
    .toBe(true);
  expect(await studio.shownNumber()).toBe(0);
  const ruler = (await page.locator('timeline-ruler').boundingBox())!;
  const playhead = page.getByRole('slider', { name: 'Playhead' });
  // Forwards, then back: neither decodes more than it has to before the frame is shown.
  for (const share of [0.5, 0.2]) {
    await page.evaluate(() => void (globalThis as unknown as { hold: () => void }).hold());
    await page.mouse.click(ruler.x + share * ruler.width, ruler.y + 10);
    await expect.poll(() => viewer.getAttribute('data-near')).not.toBeNull();
    const wanted = Number(await playhead.getAttribute('aria-valuenow'));
    const near = Number(await viewer.getAttribute('data-near'));
    expect(Math.abs(near - wanted)).toBeLessThan(120);
    // A key frame of the stretch stands for it; the numbers begin again after 256 frames.
    expect((256 + (await studio.shownNumber()) - (near % 256)) % 256).toBeLessThan(60);
    await page.evaluate(() => (globalThis as unknown as { letGo: () => void }).letGo());
    await expect.poll(() => viewer.getAttribute('data-near')).toBeNull();
    await expect.poll(() => viewer.getAttribute('data-playhead')).toBe(String(wanted));
    expect(await studio.shownNumber()).toBe(wanted % 256);
  }
  expect(studio.errors).toEqual([]);
}, 120_000);
