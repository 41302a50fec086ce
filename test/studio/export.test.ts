import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { BufferSource } from 'mediabunny';
import { PNG } from 'pngjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openClip } from '../../src/media/open-clip.ts';
import { BITS, readNumber } from './make-clip.ts';
import { StudioPage } from './studio-page.ts';

const CUT = [
  { label: 'one.mp4', start: '00:00:00', frames: 20, made: false },
  { label: 'one.mp4', start: '00:01:06', frames: 18, made: false },
];
/** Number painted into each frame of the timeline; null where it is black. */
const NUMBERS = [...Array(48).keys()].map((frame) => (frame >= 20 && frame < 30 ? null : frame));

describe('an editor exports from Studio', { timeout: 120_000 }, () => {
  let studio: StudioPage;

  beforeAll(async () => {
    studio = await StudioPage.open();
    const one = await studio.clip('one.mp4', { width: 320, height: 180, fps: 24, frames: 48 });
    await studio.choose('Choose clips…', one);
    await studio.page.locator('studio-clip').waitFor();
    const { keyboard } = studio.page;
    await keyboard.press('Home');
    for (const key of ['Shift+ArrowRight', 'Shift+ArrowRight', 's', 'Shift+ArrowRight', 's'])
      await keyboard.press(key);
    for (const key of ['Escape', 'ArrowLeft', 'Shift+Delete']) await keyboard.press(key);
  }, 240_000);
  afterAll(async () => studio?.close());
  afterEach(() => expect(studio.errors).toEqual([]));

  it('opens the menu with Ctrl+E, for the keyboard too', async () => {
    const { page } = studio;
    await expect.poll(() => studio.clips()).toEqual(CUT);
    await page.keyboard.press('Control+e');
    await expect.poll(() => studio.focusedText()).toBe('MP4 video (H.264)');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => studio.focusedText()).toBe('WebM video (VP9)');
    expect(await studio.violations()).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('menuitem', { name: 'MP4 video (H.264)' }).waitFor({ state: 'hidden' });
  });

  it('writes WebM with VP9, frame for frame', async () => {
    const path = join(studio.folder, 'out.webm');
    expect(await studio.export('WebM video (VP9)', path)).toBe('one (Studio).webm');
    const clip = await openClip(new BufferSource(readFileSync(path)), path);
    expect(clip.facts).toMatchObject({ codec: 'vp9', frameCount: 48, rate: { num: 24, den: 1 } });
    const numbers: (number | null)[] = [];
    for await (const picture of clip.pictures()) {
      const black = picture.y.every((value) => value < 24);
      numbers.push(black ? null : readNumber(picture.y, 320, 180));
    }
    clip.dispose();
    expect(numbers).toEqual(NUMBERS);
  });

  it('writes a picture for every frame, in a zip', async () => {
    const path = join(studio.folder, 'out.zip');
    expect(await studio.export('PNG pictures (zip)', path)).toBe('one (Studio) PNG.zip');
    const files = Object.entries(unzipSync(readFileSync(path)));
    expect(files.map(([name]) => name)).toEqual(
      NUMBERS.map((_, frame) => `one (Studio).${String(frame).padStart(5, '0')}.png`),
    );
    const numbers = files.map(([, bytes]) => {
      const { width, height, data } = PNG.sync.read(Buffer.from(bytes));
      expect([width, height]).toEqual([320, 180]);
      if (data.every((value, i) => i % 4 === 3 || value < 8)) return null;
      let number = 0;
      for (let bit = 0; bit < BITS; bit += 1)
        if (data[4 * (11 * width + Math.floor(((bit + 0.5) * width) / BITS))]! > 126) number |= 1 << bit;
      return number;
    });
    expect(numbers).toEqual(NUMBERS);
  });

  it('saves the timeline with its clips; unpacked it opens again in a fresh window', async () => {
    const { page } = studio;
    const download = page.waitForEvent('download');
    await page.keyboard.press('Control+Shift+s');
    const path = join(studio.folder, 'with-clips.zip');
    const file = await download;
    expect(file.suggestedFilename()).toBe('one (Studio).zip');
    await file.saveAs(path);
    const paths = Object.entries(unzipSync(readFileSync(path))).map(([name, bytes]) => {
      const to = join(studio.folder, name.replace('/', '-'));
      writeFileSync(to, bytes);
      return to.replace(`one (Studio)-one.mp4`, 'one.mp4');
    });
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'New project' }).click();
    await studio.reload();
    await page.getByRole('button', { name: 'Choose clips…' }).waitFor();
    expect(await studio.clips()).toEqual([]);
    await studio.drop(...paths);
    await expect.poll(() => studio.clips()).toEqual(CUT);
  });

  it('stops the pictures on Cancel and leaves no file behind', async () => {
    const { page } = studio;
    await studio.drop(await studio.clip('long.mp4', { width: 960, height: 540, fps: 24, frames: 72 }));
    await expect.poll(() => studio.clips()).toHaveLength(3);
    let downloads = 0;
    page.on('download', () => (downloads += 1));
    await page.keyboard.press('Control+e');
    await page.getByRole('menuitem', { name: 'PNG pictures (zip)' }).click();
    await page.getByRole('progressbar', { name: /^Exporting one \(Studio\) PNG\.zip/ }).waitFor();
    await page.getByRole('button', { name: 'Cancel export' }).click();
    await page.getByRole('button', { name: 'Cancel export' }).waitFor({ state: 'hidden' });
    expect(downloads).toBe(0);
    const left = await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const names: string[] = [];
      for await (const name of (await root.getDirectoryHandle('studio')).keys()) names.push(name);
      return names;
    });
    expect(left.filter((name) => name.startsWith('export-'))).toEqual([]);
  });
});
