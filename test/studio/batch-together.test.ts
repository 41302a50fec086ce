import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { batchDialog, typeInBatch } from './batch-dialog.ts';
import { StudioPage } from './studio-page.ts';

let studio: StudioPage;

beforeAll(async () => {
  studio = await StudioPage.open();
  const { page } = studio;
  await page.route('**/longtake.config.json', async (route) => {
    const config = (await (await route.fetch()).json()) as object;
    await route.fulfill({ json: { ...config, backend: 'webgpu' } });
  });
  const clip = await studio.clip('walk.mp4', { width: 64, height: 48, fps: 12, frames: 24 });
  await studio.choose('Choose clips…', clip);
  await page.locator('studio-clip').first().waitFor();
  await studio.reload();
  await page.locator('studio-clip').first().waitFor();
  // The page is built first.
}, 300_000);
afterAll(() => studio.close());

const dialog = () => batchDialog(studio);
const type = (label: string, text: string) => typeInBatch(studio, label, text);

const together = (made: string) =>
  dialog().getByText(new RegExp(`3 variations together: Making new frames, ${made} of 108`));

it('a batch on the graphics device makes variations together and goes on after a reload', async () => {
  const { page } = studio;
  await page.locator('studio-clip').first().click();
  await page.keyboard.press('b');
  await dialog().getByText('1 clip selected').waitFor();
  await type('Length of each continuation', '3');
  await type('Variations of each', '3');
  await dialog().getByRole('radio', { name: 'Draft' }).click();
  await dialog().getByRole('button', { name: 'Make previews' }).click();
  await together('\\d+').waitFor({ timeout: 200_000 });
  const saved = page.waitForEvent('download', { timeout: 200_000 });
  await page.reload();
  await page.getByRole('button', { name: /^Batch preview, \d+ %/ }).click();
  // All of them are begun anew, at the same time.
  await together('\\d{2}').waitFor({ timeout: 200_000 });
  const download = await saved;
  await dialog().getByText('3 previews made. walk previews.zip is in your downloads.').waitFor();
  expect(await dialog().getByRole('listitem').allInnerTexts()).toEqual([
    expect.stringMatching(/1\. walk\.mp4\s+3 of 3 made/),
  ]);
  const path = join(studio.folder, 'together.zip');
  await download.saveAs(path);
  const entries = unzipSync(readFileSync(path));
  const report = JSON.parse(Buffer.from(entries['report.json']!).toString()) as {
    clips: { status: string; variation: number; backend: string; frames: number }[];
  };
  expect(report.clips).toMatchObject(
    [1, 2, 3].map((variation) => ({ status: 'done', variation, backend: 'webgpu', frames: 36 })),
  );
  expect(studio.errors).toEqual([]);
}, 600_000);
