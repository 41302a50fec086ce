import { join } from 'node:path';
import type { Locator } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decode, psnr } from './decoded.ts';
import { readNumber } from './make-clip.ts';
import { StudioPage } from './studio-page.ts';

const WHOLE = [{ label: 'walk.mp4', start: '00:00:00', frames: 96, made: false }];
const REPAINTED = [
  { label: 'walk.mp4', start: '00:00:00', frames: 40, made: false },
  { label: 'walk (repainted)', start: '00:01:16', frames: 12, made: true },
  { label: 'walk.mp4', start: '00:02:04', frames: 44, made: false },
];

/** At the left of the line stands the frame that was there before, another one for each repainted frame. */
async function comparesWithWhatWasThere(panel: Locator): Promise<void> {
  const shown = () =>
    panel.locator('.screen canvas').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
  await panel.getByRole('button', { name: 'Split' }).click();
  const line = panel.getByRole('slider', { name: 'Line between your clip and the new frames' });
  await line.press('Home');
  const repainted = await shown();
  await line.press('End');
  await expect.poll(shown).not.toBe(repainted);
  const before = await shown();
  await panel.getByRole('slider', { name: 'Position' }).press('ArrowRight');
  await expect.poll(shown).not.toBe(before);
  await panel.getByRole('slider', { name: 'Position' }).press('ArrowLeft');
  await expect.poll(shown).toBe(before);
  await panel.getByRole('button', { name: 'Split' }).click();
  await expect.poll(shown).toBe(repainted);
}

describe('an editor repaints a part of the picture in Studio', { timeout: 120_000 }, () => {
  let studio: StudioPage;
  let source: string;

  beforeAll(async () => {
    studio = await StudioPage.open();
    source = await studio.clip('walk.mp4', { width: 320, height: 180, fps: 24, frames: 96 });
    await studio.choose('Choose clips…', source);
    await studio.page.locator('studio-clip').waitFor();
  }, 240_000);
  afterAll(async () => studio?.close());
  afterEach(() => expect(studio.errors).toEqual([]));

  /** Types a frame number into a field. */
  async function setFrame(label: string, frame: number): Promise<void> {
    await studio.page.getByLabel(label, { exact: true }).fill(String(frame));
    await studio.page.keyboard.press('Tab');
  }

  it('opens from the context menu with a mask over the viewer', async () => {
    const { page } = studio;
    await page.getByRole('option').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Repaint region…' }).click();
    const panel = page.getByRole('complementary', { name: 'Repaint region' });
    await panel.getByText('96 frames of the clip').waitFor();
    await panel.getByText('Nothing is painted yet.').waitFor();
    expect(await page.getByRole('button', { name: 'Generate' }).isDisabled()).toBe(true);
    expect(await panel.locator('#length').count()).toBe(0);
    expect(await studio.violations()).toEqual([]);
  });

  it('takes frames by number; the mask is there where the playhead is among them', async () => {
    const { page } = studio;
    await setFrame('From frame', 40);
    await setFrame('to frame', 51);
    await page.getByText('12 frames of the clip').waitFor();
    await page.getByText('The playhead stands outside these frames.').waitFor();
    expect(await page.getByRole('application').count()).toBe(0);
    await page.locator('timeline-ruler').click({ position: { x: 5, y: 10 } });
    await page.keyboard.press('Home');
    for (let i = 0; i < 4; i += 1) await page.keyboard.press('Shift+ArrowRight');
    await page.getByRole('application').waitFor();
    await expect.poll(() => studio.shownNumber()).toBe(40);
  });

  it('paints, erases and clears with the mouse', async () => {
    const { page } = studio;
    const box = (await page.getByRole('application').boundingBox())!;
    const stroke = async (y: number): Promise<void> => {
      await page.mouse.move(box.x + 0.6 * box.width, box.y + y * box.height);
      await page.mouse.down();
      await page.mouse.move(box.x + 0.9 * box.width, box.y + y * box.height, { steps: 5 });
      await page.mouse.up();
    };
    await stroke(0.7);
    await page.getByText(/^8 % of the picture is made anew/).waitFor();
    await stroke(0.3);
    await page.getByText(/^16 % of the picture is made anew/).waitFor();
    await page.getByRole('radio', { name: 'Erase' }).click();
    await stroke(0.3);
    await page.getByText(/^8 % of the picture is made anew/).waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('Nothing is painted yet.').waitFor();
    await page.getByRole('radio', { name: 'Paint' }).click();
    await stroke(0.7);
    await page.getByText(/^8 % of the picture is made anew/).waitFor();
    expect(await studio.violations()).toEqual([]);
  });

  it('generates frame by frame and replaces just these frames, in one undo step', async () => {
    const { page } = studio;
    await page.getByRole('button', { name: 'Generate' }).click();
    const insert = page.getByRole('button', { name: 'Insert', exact: true });
    await insert.waitFor({ timeout: 90_000 });
    const panel = page.getByRole('complementary', { name: 'Repaint region' });
    expect(await panel.locator('#seam').innerText()).toMatch(/^Into the repainted frames\s+Seam: visible/);
    expect(await panel.locator('#seam-after').innerText()).toMatch(
      /^Out of the repainted frames\s+Seam: visible/,
    );
    await comparesWithWhatWasThere(panel);
    await insert.click();
    await expect.poll(() => studio.clips(), { timeout: 60_000 }).toEqual(REPAINTED);
    expect(await page.getByRole('application').count()).toBe(0);
    await page.getByText('The clip was inserted.').waitFor();
    await page.locator('studio-clip .badge').getByText('tiny · seed 1 · preview').waitFor();
    expect(await studio.violations()).toEqual([]);
    await page.getByRole('button', { name: 'Undo: Repaint region' }).click();
    expect(await studio.clips()).toEqual(WHOLE);
    await page.getByRole('button', { name: 'Redo: Repaint region' }).click();
    expect(await studio.clips()).toEqual(REPAINTED);
  });

  it('exports every frame in its place, new inside the mask and the editor’s own outside', async () => {
    const path = join(studio.folder, 'repainted.mp4');
    await studio.export('MP4 video (H.264)', path);
    const exported = (await decode(path)).pictures;
    const original = (await decode(source)).pictures;
    expect(exported.map((picture) => readNumber(picture.y, 320, 180))).toEqual([...Array(96).keys()]);
    const outside = (x: number, y: number) => x < 160 || y < 96;
    const inside = (x: number, y: number) => x >= 200 && x < 280 && y >= 116 && y < 136;
    for (let frame = 0; frame < 96; frame += 1) {
      const [a, b] = [exported[frame]!, original[frame]!];
      expect(psnr(a, b, outside), `frame ${frame}`).toBeGreaterThan(40);
      const made = frame >= 40 && frame < 52;
      expect(psnr(a, b, inside) < 25, `inside, frame ${frame}`).toBe(made);
    }
  });

  it('does it with the keyboard alone, and can be stopped', async () => {
    const { page } = studio;
    await page.keyboard.press('Control+z');
    await expect.poll(() => studio.clips()).toEqual(WHOLE);
    await page.getByRole('button', { name: 'Close panel' }).press('Enter');
    await studio.tabTo('option', /^walk\.mp4/);
    await page.keyboard.press('Home');
    await page.keyboard.press('r');
    await page.getByText('96 frames of the clip').waitFor();
    await studio.tabTo('application', /^Mask over the picture/);
    await page.keyboard.press('Shift+ArrowUp');
    await page.keyboard.press('Enter');
    await page
      .getByRole('status')
      .getByText(/^Corner at 160, 68/)
      .waitFor();
    for (const key of ['Shift+ArrowRight', 'Shift+ArrowRight', 'Shift+ArrowDown', 'ArrowDown'])
      await page.keyboard.press(key);
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('Rectangle painted').waitFor();
    await page.getByText(/^2 % of the picture is made anew/).waitFor();
    expect(await studio.clips()).toEqual(WHOLE);
    await studio.tabTo('button', /^Generate$/);
    await page.keyboard.press('Enter');
    await expect
      .poll(() => page.getByText(/\d+ of 96 frames/).innerText(), { timeout: 90_000 })
      .toMatch(/^[1-9]/);
    await page.getByRole('button', { name: 'Cancel' }).press('Enter');
    await page.getByText('Cancelled. Frames made so far are in My clips.').waitFor();
    await page.getByRole('button', { name: /Stopped after \d+ of 96 frames/ }).press('Enter');
    await page.getByRole('button', { name: 'Go on' }).press('Enter');
    await page.getByRole('button', { name: 'Insert', exact: true }).waitFor({ timeout: 90_000 });
    await studio.tabTo('button', /^Insert$/);
    await page.keyboard.press('Enter');
    await expect
      .poll(() => studio.clips(), { timeout: 60_000 })
      .toEqual([{ label: 'walk (repainted)', start: '00:00:00', frames: 96, made: true }]);
    await page.keyboard.press('Control+z');
    expect(await studio.clips()).toEqual(WHOLE);
  });

  it('fits a window of 640 × 400', async () => {
    const { page } = studio;
    await page.getByRole('button', { name: 'Close panel' }).press('Enter');
    await studio.tabTo('option', /^walk\.mp4/);
    await page.keyboard.press('r');
    await page.getByText('Nothing is painted yet.').waitFor();
    // A notice takes a row of its own here until it goes away by itself.
    await expect.poll(() => page.locator('sp-toast').count(), { timeout: 15_000 }).toBe(0);
    await page.setViewportSize({ width: 640, height: 400 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(640);
    expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThanOrEqual(400);
    // What is painted on stays in sight beside the panel, and takes a stroke.
    const box = (await page.getByRole('application').boundingBox())!;
    expect(box.height).toBeGreaterThan(60);
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await page.getByText(/^2 % of the picture is made anew/).waitFor();
    for (const name of ['Paint', 'Erase', 'From here', 'To here']) {
      const control = (await page.getByText(name, { exact: true }).boundingBox())!;
      expect(control.x >= 0 && control.x + control.width <= 640, name).toBe(true);
      expect(control.y >= 0 && control.y + control.height <= 400, name).toBe(true);
    }
    expect(await studio.violations()).toEqual([]);
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByRole('button', { name: 'Close panel' }).press('Enter');
  });

  it('is disabled where the model was not trained for it, with the reason', async () => {
    const { page } = studio;
    await page.route('**/model.json', async (route) => {
      const response = await route.fetch();
      const model = (await response.json()) as { tasks: string[] };
      await route.fulfill({ response, json: { ...model, tasks: ['extend', 'gap'] } });
    });
    await studio.reload();
    await page.getByRole('option').click({ button: 'right' });
    const item = page.getByRole('menuitem', { name: 'Repaint region…' });
    await item.getByText('The world model was not trained to repaint parts of the picture.').waitFor();
    expect(await item.isDisabled()).toBe(true);
    await page.keyboard.press('Escape');
    await item.waitFor({ state: 'hidden' });
    await page.keyboard.press('r');
    expect(await page.getByRole('complementary').count()).toBe(0);
  });
});
