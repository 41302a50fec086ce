/**
 * Makes the pictures of docs/studio.md again: `npx tsx test/studio/screenshots.ts [MODEL-FOLDER] [CLIP]`. Without
 * arguments it extends the example clip with models/maze-64.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StudioPage } from './studio-page.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const [model = join(root, 'models/maze-64'), clip = join(root, 'examples/maze-walk.mp4')] =
  process.argv.slice(2);
const images = join(root, 'docs/images');

mkdirSync(images, { recursive: true });
const studio = await StudioPage.open(model);
try {
  const { page } = studio;
  const picture = async (name: string) => {
    // Tooltips belong to the hand, not to the picture.
    await page.mouse.move(500, 20);
    await page.waitForTimeout(700);
    await page.screenshot({ path: join(images, `${name}.png`) });
    console.log(`docs/images/${name}.png`);
  };

  await studio.choose('Choose clips…', clip);
  await page.getByRole('option').first().waitFor();
  await page.waitForTimeout(1500);
  await page.keyboard.press('End');
  await page
    .getByRole('option')
    .first()
    .click({ button: 'right', position: { x: 420, y: 40 } });
  await page.getByRole('menuitem', { name: 'Extend clip…' }).hover();
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(images, 'studio-before.png') });
  console.log('docs/images/studio-before.png');
  await page.getByRole('menuitem', { name: 'Extend clip…' }).click();

  const panel = page.getByRole('complementary', { name: 'Extend clip' });
  await panel.getByText(/new frames/).waitFor();
  const camera = clip.replace(/\.mp4$/, '.camera.json');
  if (existsSync(camera)) {
    await panel.getByText('More options').click();
    await studio.choose('Choose a track…', camera);
    await panel.getByText(basename(camera)).waitFor();
    await panel.getByText('More options').click();
  }
  await page.getByRole('button', { name: 'Generate' }).click();
  const progress = panel.getByText(/\d+ of \d+ frames/);
  const refusal = panel.getByRole('alert');
  await progress.or(refusal).first().waitFor({ timeout: 300_000 });
  if (!(await progress.isVisible())) throw new Error(await refusal.innerText());
  for (let done = 0, total = 1; done < total * 0.4;) {
    [done, total] = (await progress.innerText()).match(/\d+/g)!.map(Number) as [number, number];
    await page.waitForTimeout(100);
  }
  await page.screenshot({ path: join(images, 'studio-during.png') });
  console.log('docs/images/studio-during.png');

  await page.getByRole('button', { name: 'Insert', exact: true }).click({ timeout: 600_000 });
  await page.getByRole('option', { name: /made by Longtake/ }).waitFor({ timeout: 120_000 });
  await page.waitForTimeout(1500);
  await picture('studio-after');

  /** A part of the window alone. */
  const part = async (name: string, selector: string) => {
    await page.mouse.move(500, 20);
    await page.waitForTimeout(700);
    await page.locator(selector).screenshot({ path: join(images, `${name}.png`) });
    console.log(`docs/images/${name}.png`);
  };

  await studio.clipMenu(basename(clip), 'Extend clip…');
  await panel.getByText(/new frames/).waitFor();
  // A menu that fades closes those opened after it.
  await page.waitForTimeout(500);
  await panel.locator('#move').click();
  await page.getByRole('option', { name: 'Along a drawn path' }).click();
  await page.waitForTimeout(1000);
  await studio.drawPath([0.5, 0.5], [0.58, 0.62], [0.72, 0.6], [0.84, 0.4]);
  await part('studio-path', 'longtake-panel longtake-camera-control');

  await studio.setLength(1);
  await panel.getByRole('radio', { name: 'Draft' }).click();
  await studio.setVariations(4);
  await page.getByRole('button', { name: 'Generate' }).click();
  await panel.getByText('Pick one to look closer').or(refusal).first().waitFor({ timeout: 600_000 });
  await part('studio-variations', 'aside');

  await studio.clipMenu(basename(clip), 'Repaint region…');
  await page.getByText('Nothing is painted yet.').waitFor();
  const mask = (await page.getByRole('application').boundingBox())!;
  await page.mouse.move(mask.x + 0.62 * mask.width, mask.y + 0.6 * mask.height);
  await page.mouse.down();
  for (const [x, y] of [
    [0.7, 0.45],
    [0.8, 0.55],
    [0.74, 0.7],
  ] as const)
    await page.mouse.move(mask.x + x * mask.width, mask.y + y * mask.height, { steps: 6 });
  await page.mouse.up();
  await part('studio-mask', 'main');
  await page.getByRole('button', { name: 'Close panel' }).click();

  await page.keyboard.press('b');
  await page.getByRole('dialog', { name: 'Batch preview' }).waitFor();
  await part('studio-batch', 'batch-dialog dialog');
  await page.keyboard.press('Escape');

  await page.keyboard.press('Home');
  for (let i = 0; i < 4; i += 1) await page.keyboard.press('Shift+ArrowRight');
  for (const key of ['s', 'Shift+ArrowRight', 'Shift+ArrowRight', 's', 'Escape', 'ArrowLeft', 'Shift+Delete'])
    await page.keyboard.press(key);
  await page.getByRole('option', { name: /^Gap of/ }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Fill gap…' }).hover();
  await page.waitForTimeout(500);
  const timeline = (await page.locator('studio-timeline').boundingBox())!;
  await page.screenshot({ path: join(images, 'studio-gap.png'), clip: timeline });
  console.log('docs/images/studio-gap.png');
} finally {
  await studio.close();
}
if (studio.errors.length > 0) throw new Error(studio.errors.join('\n'));
