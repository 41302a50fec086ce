import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decode, psnr } from './decoded.ts';
import { readNumber } from './make-clip.ts';
import { StudioPage } from './studio-page.ts';

describe('an editor extends a clip in Studio', { timeout: 120_000 }, () => {
  let studio: StudioPage;
  let source: string;

  beforeAll(async () => {
    studio = await StudioPage.open();
    source = await studio.clip('walk.mp4', { width: 320, height: 180, fps: 24, frames: 96 });
  }, 240_000);
  afterAll(async () => studio?.close());
  afterEach(() => expect(studio.errors).toEqual([]));

  it('starts empty, with a way in', async () => {
    expect(await studio.violations()).toEqual([]);
    expect(await studio.page.getByRole('button', { name: 'Export…' }).isDisabled()).toBe(true);
  });

  it('opens a clip and shows its thumbnails', async () => {
    await studio.choose('Choose clips…', source);
    await expect
      .poll(() => studio.clips())
      .toEqual([{ label: 'walk.mp4', start: '00:00:00', frames: 96, made: false }]);
    const strip = studio.page.locator('studio-clip canvas');
    await expect
      .poll(async () => {
        const [done, all] = (await strip.getAttribute('data-thumbnails'))!.split('/').map(Number);
        return all! > 3 && done === all;
      })
      .toBe(true);
    const shades = await strip.evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const { data } = canvas.getContext('2d')!.getImageData(0, canvas.height / 2, canvas.width, 1);
      return new Set(data).size;
    });
    expect(shades).toBeGreaterThan(20);
    expect(await studio.violations()).toEqual([]);
  });

  it('shows exactly the frame under the playhead', async () => {
    const { keyboard } = studio.page;
    await expect.poll(() => studio.shownNumber()).toBe(0);
    for (const [keys, frame] of [
      [['ArrowRight', 'ArrowRight', 'ArrowRight'], 3],
      [['Shift+ArrowRight', 'ArrowLeft'], 12],
      [['End'], 95],
      [['ArrowLeft', 'ArrowLeft'], 93],
      [['Shift+ArrowLeft', 'Shift+ArrowLeft'], 73],
      [['ArrowUp'], 0],
    ] as const) {
      for (const key of keys) await keyboard.press(key);
      await expect.poll(() => studio.shownNumber()).toBe(frame);
    }
  });

  it('scrubs with the mouse', async () => {
    const ruler = (await studio.page.locator('timeline-ruler').boundingBox())!;
    await studio.page.mouse.move(ruler.x + 60, ruler.y + 10);
    await studio.page.mouse.down();
    await studio.page.mouse.move(ruler.x + 300, ruler.y + 12, { steps: 12 });
    await studio.page.mouse.up();
    const [minutes, seconds, frames] = (await studio.timecode()).split(':').map(Number);
    const playhead = (minutes! * 60 + seconds!) * 24 + frames!;
    expect(playhead).toBeGreaterThan(5);
    await expect.poll(() => studio.shownNumber()).toBe(playhead);
  });

  it('plays and stops with J, K and L', async () => {
    const { keyboard } = studio.page;
    await keyboard.press('Home');
    await keyboard.press('l');
    await expect.poll(() => studio.timecode(), { timeout: 10_000 }).not.toBe('00:00:00');
    await keyboard.press('k');
    const stopped = await studio.timecode();
    const [, seconds, frames] = stopped.split(':').map(Number);
    await expect.poll(() => studio.shownNumber()).toBe(seconds! * 24 + frames!);
    expect(await studio.timecode()).toBe(stopped);
    await keyboard.press('End');
    await keyboard.press('j');
    await expect.poll(() => studio.timecode(), { timeout: 10_000 }).not.toBe('00:03:23');
    await keyboard.press(' ');
    const back = await studio.timecode();
    const [, s, f] = back.split(':').map(Number);
    await expect.poll(() => studio.shownNumber()).toBe(s! * 24 + f!);
  });

  it('trims with the handle, in one undo step', async () => {
    const { page } = studio;
    const box = (await page.getByRole('option').boundingBox())!;
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width - 3, y);
    await page.mouse.down();
    await page.mouse.move(box.x + (box.width * 80) / 96 - 2, y, { steps: 8 });
    await page.mouse.up();
    const [trimmed] = await studio.clips();
    expect(trimmed!.frames).toBeGreaterThan(70);
    expect(trimmed!.frames).toBeLessThan(90);
    await page.keyboard.press('Control+z');
    expect((await studio.clips())[0]!.frames).toBe(96);
    // To a known length with the keyboard: 80 frames.
    await page.keyboard.press('Home');
    for (let i = 0; i < 8; i += 1) await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('w');
    expect((await studio.clips())[0]!.frames).toBe(80);
  });

  it('opens the panel from the right-click menu', async () => {
    const { page } = studio;
    await page.getByRole('option').click({ button: 'right' });
    const extend = page.getByRole('menuitem', { name: 'Extend clip…' });
    await extend.waitFor();
    expect(await studio.violations()).toEqual([]);
    await extend.click();
    const panel = page.getByRole('complementary', { name: 'Extend clip' });
    await panel.getByText('320 × 180').waitFor();
    await panel.getByText('48 new frames').waitFor();
    expect(await studio.violations()).toEqual([]);
  });

  it('shows frames as they come and stops on Cancel', async () => {
    const { page } = studio;
    await studio.setLength(10);
    await page.getByText('240 new frames').waitFor();
    await page.getByRole('button', { name: 'Generate' }).click();
    await expect
      .poll(() => page.getByText(/\d+ of 240 frames/).innerText(), { timeout: 90_000 })
      .toMatch(/^[1-9]/);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Cancelled. Frames made so far are in My clips.').waitFor();
    expect(await studio.clips()).toHaveLength(1);
  });

  it('generates, inserts after the clip, and takes it back and again', async () => {
    const { page } = studio;
    await studio.setLength(1);
    await page.getByText('24 new frames').waitFor();
    await page.getByRole('button', { name: 'Generate' }).click();
    const insert = page.getByRole('button', { name: 'Insert', exact: true });
    await insert.waitFor({ timeout: 90_000 });
    await insert.click();
    const extended = [
      { label: 'walk.mp4', start: '00:00:00', frames: 80, made: false },
      { label: 'walk (continuation)', start: '00:03:08', frames: 24, made: true },
    ];
    await expect.poll(() => studio.clips(), { timeout: 60_000 }).toEqual(extended);
    expect(await studio.timecode()).toBe('00:03:08');
    await page.locator('studio-clip .badge').getByText('tiny · seed 1 · preview').waitFor();
    expect(await studio.violations()).toEqual([]);

    await page.getByRole('button', { name: /^Undo/ }).click();
    expect(await studio.clips()).toEqual(extended.slice(0, 1));
    await page.getByRole('button', { name: /^Redo/ }).click();
    expect(await studio.clips()).toEqual(extended);
  });

  it('exports exactly what is on the timeline', async () => {
    const path = join(studio.folder, 'exported.mp4');
    await studio.export('MP4 video (H.264)', path);
    const exported = await decode(path);
    const original = await decode(source);
    expect(exported.facts).toMatchObject({
      codec: 'avc',
      size: { width: 320, height: 180 },
      rate: { num: 24, den: 1 },
      frameCount: 104,
      colour: original.facts.colour,
    });
    const numbers = exported.pictures.slice(0, 80).map((picture) => readNumber(picture.y, 320, 180));
    expect(numbers).toEqual(Array.from({ length: 80 }, (_, i) => i));
    const worst = Math.min(...exported.pictures.slice(0, 80).map((p, i) => psnr(p, original.pictures[i]!)));
    expect(worst).toBeGreaterThan(40);
  });

  it('is still there after a reload', async () => {
    const { page } = studio;
    await studio.reload();
    await expect.poll(() => studio.clips()).toHaveLength(2);
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => studio.shownNumber()).toBe(1);
    await page.locator('studio-clip .badge').getByText('tiny · seed 1 · preview').waitFor();
  });

  it('takes a dropped clip, and refuses what is no video with words', async () => {
    const webm = await studio.clip('second.webm', {
      width: 320,
      height: 180,
      fps: 24,
      frames: 30,
      format: 'webm',
      first: 100,
    });
    await studio.drop(webm);
    await expect.poll(() => studio.clips()).toHaveLength(3);
    expect((await studio.clips())[2]).toEqual({
      label: 'second.webm',
      start: '00:04:08',
      frames: 30,
      made: false,
    });
    await expect.poll(() => studio.shownNumber()).toBe(100);
    await studio.refused();
    expect(await studio.clips()).toHaveLength(3);
  });

  it('looks right to axe in the light theme', async () => {
    await studio.page.getByRole('button', { name: 'Light theme' }).click();
    await studio.page.mouse.move(400, 300);
    expect(await studio.violations()).toEqual([]);
  });
});

describe('the same without a mouse', { timeout: 120_000 }, () => {
  let studio: StudioPage;

  beforeAll(async () => {
    studio = await StudioPage.open();
  }, 240_000);
  afterAll(async () => studio?.close());
  afterEach(() => expect(studio.errors).toEqual([]));

  it('opens a clip and its menu', async () => {
    const { page } = studio;
    const source = await studio.clip('keys.mp4', { width: 320, height: 180, fps: 24, frames: 48 });
    const chooser = page.waitForEvent('filechooser');
    await page.keyboard.press('Control+o');
    await (await chooser).setFiles(source);
    await page.getByRole('option').waitFor();
    await studio.tabTo('option', /^keys\.mp4/);
    await page.keyboard.press('Shift+F10');
    await page.getByRole('menuitem', { name: 'Extend clip…' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('menuitem', { name: 'Extend clip…' }).waitFor({ state: 'hidden' });
    await page.keyboard.press('ContextMenu');
    await expect.poll(() => studio.focusedText()).toMatch(/^Extend clip…/);
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => studio.focusedText()).toMatch(/^Extend backwards…/);
    await page.keyboard.press('Enter');
    await page.getByRole('radio', { name: 'Before the clip', checked: true }).waitFor();
  });

  it('extends backwards: the new part goes before the clip', async () => {
    const { page } = studio;
    await page.getByText('48 new frames').waitFor();
    await studio.tabTo('button', /^Generate$/);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Insert', exact: true }).waitFor({ timeout: 90_000 });
    await studio.tabTo('button', /^Insert$/);
    await page.keyboard.press('Enter');
    await expect
      .poll(() => studio.clips(), { timeout: 60_000 })
      .toEqual([
        { label: 'keys (continuation)', start: '00:00:00', frames: 48, made: true },
        { label: 'keys.mp4', start: '00:02:00', frames: 48, made: false },
      ]);
    await page.keyboard.press('Control+z');
    expect(await studio.clips()).toEqual([{ label: 'keys.mp4', start: '00:00:00', frames: 48, made: false }]);
    await page.keyboard.press('Control+Shift+z');
    expect(await studio.clips()).toHaveLength(2);
  });

  it('fits a window of 640 × 400, which is 200 % zoom on a common screen', async () => {
    const { page } = studio;
    await page.setViewportSize({ width: 640, height: 400 });
    await page.getByRole('button', { name: 'Close panel' }).press('Enter');
    await page.getByRole('complementary').waitFor({ state: 'hidden' });
    for (const name of ['Open clips…', 'Export…', 'Play', 'Zoom in', 'Delete']) {
      const box = await page.getByRole('button', { name, exact: true }).boundingBox();
      expect(box, name).not.toBeNull();
      expect(box!.x >= 0 && box!.x + box!.width <= 640, name).toBe(true);
      expect(box!.y >= 0 && box!.y + box!.height <= 400, name).toBe(true);
    }
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(640);
    expect(await studio.violations()).toEqual([]);
  });

  it('offers an extension where a clip is dragged past its end', async () => {
    const { page } = studio;
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.keyboard.press('-');
    await page.keyboard.press('-');
    const box = (await page.getByRole('option').last().boundingBox())!;
    const y = box.y + 40;
    await page.mouse.move(box.x + box.width - 3, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 1.75 - 3, y, { steps: 6 });
    await page.getByText('+1.5 s').waitFor();
    await page.mouse.up();
    await page.getByText('36 new frames').waitFor();
    expect(await studio.clips()).toHaveLength(2);
  });

  it('stops an export on Cancel and leaves no file behind', async () => {
    const { page } = studio;
    await studio.drop(await studio.clip('long.mp4', { width: 1280, height: 720, fps: 24, frames: 120 }));
    await expect.poll(() => studio.clips()).toHaveLength(3);
    let downloads = 0;
    page.on('download', () => (downloads += 1));
    await page.getByRole('button', { name: 'Export…' }).click();
    await page.getByRole('menuitem', { name: 'MP4 video (H.264)' }).click();
    await page.getByRole('button', { name: 'Cancel export' }).click();
    await page.getByRole('button', { name: 'Cancel export' }).waitFor({ state: 'hidden' });
    expect(downloads).toBe(0);
    expect(await page.getByText('is in your downloads').count()).toBe(0);
    const left = await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const names: string[] = [];
      for await (const name of (await root.getDirectoryHandle('studio')).keys()) names.push(name);
      return names;
    });
    expect(left.filter((name) => name.startsWith('export-'))).toEqual([]);
    expect(await studio.clips()).toHaveLength(3);
  });
});
