import { afterAll, beforeAll, expect, it } from 'vitest';
import { StudioPage } from './studio-page.ts';

let studio: StudioPage;

beforeAll(async () => {
  studio = await StudioPage.open();
  const clip = await studio.clip('a clip with quite a long name.mp4', {
    width: 320,
    height: 180,
    fps: 24,
    frames: 48,
  });
  await studio.choose('Choose clips…', clip);
  await studio.page.locator('studio-clip').waitFor();
}, 240_000);
afterAll(async () => studio?.close());

it('nothing in the panel moves under the pointer when the picture at the cut comes late', async () => {
  const { page } = studio;
  let letGo = (): void => undefined;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  await page.route('**/reader.js', async (route) => {
    await held;
    await route.continue();
  });
  await page.keyboard.press('e');
  await page.getByText('48 new frames').waitFor();
  await page.locator('#move').click();
  await page.getByRole('option', { name: 'Along a drawn path' }).click();
  const field = page.locator('longtake-camera-path .field');
  await field.scrollIntoViewIfNeeded();
  await studio.settled();
  const places = async () => ({
    field: await field.boundingBox(),
    facts: await page.locator('#source-facts').boundingBox(),
  });
  const before = await places();
  expect(await field.locator('canvas').isVisible()).toBe(false);
  letGo();
  await field.locator('canvas').waitFor();
  await studio.settled();
  expect(await places()).toEqual(before);
}, 120_000);
