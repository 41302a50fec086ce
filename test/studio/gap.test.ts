import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BufferSource } from 'mediabunny';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openClip } from '../../src/media/open-clip.ts';
import { readNumber } from './make-clip.ts';
import { StudioPage } from './studio-page.ts';

const CUT = [
  { label: 'walk.mp4', start: '00:00:00', frames: 40, made: false },
  { label: 'walk.mp4', start: '00:02:04', frames: 44, made: false },
];
const FILLED = [CUT[0], { label: 'walk (gap filled)', start: '00:01:16', frames: 12, made: true }, CUT[1]];

describe('an editor fills a gap and closes a loop in Studio', { timeout: 120_000 }, () => {
  let studio: StudioPage;

  beforeAll(async () => {
    studio = await StudioPage.open();
    await studio.choose(
      'Choose clips…',
      await studio.clip('walk.mp4', { width: 320, height: 180, fps: 24, frames: 96 }),
    );
    await studio.page.locator('studio-clip').waitFor();
  }, 240_000);
  afterAll(async () => studio?.close());
  afterEach(() => expect(studio.errors).toEqual([]));

  it('cuts a bad stretch out: a gap of twelve frames stays', async () => {
    const { keyboard } = studio.page;
    for (const key of [...Array<string>(4).fill('Shift+ArrowRight'), 's']) await keyboard.press(key);
    for (const key of ['Shift+ArrowRight', 'ArrowRight', 'ArrowRight', 's']) await keyboard.press(key);
    for (const key of ['Escape', 'ArrowLeft', 'Shift+Delete']) await keyboard.press(key);
    await expect.poll(() => studio.clips()).toEqual(CUT);
    await studio.page.getByRole('option', { name: 'Gap of 12 frames, from 00:01:16' }).waitFor();
    expect(await studio.violations()).toEqual([]);
  });

  it('fills it from the context menu, to the frame', async () => {
    const { page } = studio;
    await page.getByRole('option', { name: /^Gap of/ }).click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Fill gap…' }).click();
    const panel = page.getByRole('complementary', { name: 'Fill gap' });
    await panel.getByText('40 frames before · 44 frames after').waitFor();
    // It is marked on the timeline while the panel speaks of it.
    await page.getByRole('option', { name: /^Gap of/, selected: true }).waitFor();
    await panel.getByText('12 frames are missing; exactly as many are made.').waitFor();
    expect(await panel.locator('#length').count()).toBe(0);
    expect(await panel.locator('#direction').count()).toBe(0);
    await panel.getByText('Both ends of the gap say where the camera goes.').waitFor();
    expect(await panel.locator('#move').getAttribute('disabled')).not.toBeNull();
    await panel.getByText('What the model sees').click();
    await panel.getByText('It reads all 40 frames before the gap and').waitFor();
    expect(await studio.violations()).toEqual([]);
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.getByRole('button', { name: 'Insert', exact: true }).waitFor({ timeout: 90_000 });
    expect(await panel.locator('#seam').innerText()).toMatch(/^Into the gap\s+Seam: /);
    expect(await panel.locator('#seam-after').innerText()).toMatch(/^Out of the gap\s+Seam: /);
    expect(await studio.violations()).toEqual([]);
    await page.getByRole('button', { name: 'Insert', exact: true }).click();
    await expect.poll(() => studio.clips(), { timeout: 60_000 }).toEqual(FILLED);
    await page.locator('studio-clip .badge').getByText('tiny · seed 1 · preview').waitFor();
    expect(await page.getByRole('option', { name: /^Gap of/ }).count()).toBe(0);
    await page.getByRole('button', { name: 'Undo: Fill gap' }).click();
    expect(await studio.clips()).toEqual(CUT);
    await page.getByRole('button', { name: 'Redo: Fill gap' }).click();
    expect(await studio.clips()).toEqual(FILLED);
  });

  it('exports every frame of the editor in its old place', async () => {
    const path = join(studio.folder, 'filled.mp4');
    await studio.export('MP4 video (H.264)', path);
    const clip = await openClip(new BufferSource(readFileSync(path)), path);
    const numbers: number[] = [];
    for await (const picture of clip.pictures()) numbers.push(readNumber(picture.y, 320, 180));
    clip.dispose();
    expect(numbers).toHaveLength(96);
    const own = [...Array(96).keys()].filter((frame) => frame < 40 || frame >= 52);
    expect(own.map((frame) => numbers[frame])).toEqual(own);
  });

  it('fills it with the keyboard alone', async () => {
    const { page } = studio;
    await page.keyboard.press('Control+z');
    await expect.poll(() => studio.clips()).toEqual(CUT);
    await page.getByRole('button', { name: 'Close panel' }).press('Enter');
    await studio.tabTo('option', /^Gap of 12 frames/);
    expect(await studio.timecode()).toBe('00:01:16');
    await page.keyboard.press('Shift+F10');
    await expect.poll(() => studio.focusedText()).toMatch(/^Fill gap…/);
    await page.keyboard.press('Enter');
    await page.getByText('12 frames are missing; exactly as many are made.').waitFor();
    await studio.tabTo('button', /^Generate$/);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Insert', exact: true }).waitFor({ timeout: 90_000 });
    await studio.tabTo('button', /^Insert$/);
    await page.keyboard.press('Enter');
    await expect.poll(() => studio.clips(), { timeout: 60_000 }).toEqual(FILLED);
    await page.keyboard.press('Control+z');
    expect(await studio.clips()).toEqual(CUT);
  });

  it('takes what is typed straight after a menu was used, while it still fades', async () => {
    const { page } = studio;
    for (let round = 0; round < 4; round += 1) {
      await page
        .getByRole('option', { name: /^walk\.mp4/ })
        .first()
        .click({ button: 'right' });
      await page.getByRole('menuitem', { name: 'Make loop…' }).click();
      await page.getByText('48 new frames').waitFor();
      await studio.setLength(3);
      await page.getByText('72 new frames').waitFor();
      await studio.setLength(2);
      await page.getByText('48 new frames').waitFor();
      await page.getByRole('button', { name: 'Close panel' }).click();
    }
  });

  it('closes a loop in two goes: the new frames go after the clip', async () => {
    const { page } = studio;
    await page
      .getByRole('option', { name: /^walk\.mp4/ })
      .last()
      .click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Make loop…' }).click();
    const panel = page.getByRole('complementary', { name: 'Make loop' });
    await panel.getByText('The new frames lead from the clip’s end back to its beginning.').waitFor();
    await panel.getByText('The clip’s end and its beginning say where the camera goes.').waitFor();
    await panel.getByText('48 new frames').waitFor();
    await studio.setLength(10);
    await panel.getByText('240 new frames').waitFor();
    await page.getByRole('button', { name: 'Generate' }).click();
    await expect
      .poll(() => page.getByText(/\d+ of 240 frames/).innerText(), { timeout: 90_000 })
      .toMatch(/^[1-9]/);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Cancelled. Frames made so far are in My clips.').waitFor();
    await panel.getByRole('button', { name: /Stopped after \d+ of 240 frames/ }).click();
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('button', { name: 'Insert', exact: true }).waitFor({ timeout: 90_000 });
    expect(await panel.locator('#seam').innerText()).toMatch(/^At the clip’s end\s+Seam: not measured/);
    expect(await panel.locator('#seam-after').innerText()).toMatch(/^Back to the beginning\s+Seam: /);
    await page.getByRole('button', { name: 'Insert', exact: true }).click();
    await expect
      .poll(() => studio.clips(), { timeout: 60_000 })
      .toEqual([...CUT, { label: 'walk (loop)', start: '00:04:00', frames: 240, made: true }]);
  });

  it('offers what the model was not trained for as disabled, with the reason', async () => {
    const { page } = studio;
    await page.route('**/model.json', async (route) => {
      const response = await route.fetch();
      const model = (await response.json()) as { tasks: string[] };
      await route.fulfill({ response, json: { ...model, tasks: ['extend'] } });
    });
    await studio.reload();
    await page.getByRole('option', { name: /^Gap of 12 frames/ }).click({ button: 'right' });
    const item = page.getByRole('menuitem', { name: 'Fill gap…' });
    await item.getByText('The world model was not trained to fill gaps.').waitFor();
    expect(await item.isDisabled()).toBe(true);
    expect(await studio.violations()).toEqual([]);
    await page.keyboard.press('Escape');
    await item.waitFor({ state: 'hidden' });
    await page.keyboard.press('g');
    expect(await page.getByRole('complementary').count()).toBe(0);
  });
});
