import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClipFile } from '../../src/media/node/clip-file.ts';
import { decode } from './decoded.ts';
import { batchDialog, typeInBatch } from './batch-dialog.ts';
import { StudioPage } from './studio-page.ts';

let studio: StudioPage;

beforeAll(async () => {
  studio = await StudioPage.open();
  const good = await studio.clip('good walk.mp4', { width: 64, height: 48, fps: 12, frames: 24 });
  const bad = await studio.clip('bad walk.mp4', { width: 64, height: 48, fps: 12, frames: 24, first: 64 });
  // A transfer that went wrong: the index and the first frames are whole, the pictures after them are not.
  const bytes = readFileSync(bad);
  const media = bytes.indexOf('mdat');
  bytes.fill(0xa5, media + 4 + Math.floor((bytes.length - media) / 3));
  writeFileSync(bad, bytes);
  await studio.choose('Choose clips…', good, bad);
  await studio.page.locator('studio-clip').nth(1).waitFor();
  // The page is built first.
}, 300_000);
afterAll(() => studio.close());

const dialog = () => batchDialog(studio);
const type = (label: string, text: string) => typeInBatch(studio, label, text);

describe('Batch preview', () => {
  it('opens for the whole project from the menu, is left by Escape, and gives the focus back', async () => {
    const { page } = studio;
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Batch preview…' }).click();
    await dialog().getByText('All of the project: 2 clips').waitFor();
    expect(await studio.focusedText()).toBe('Batch preview');
    for (const theme of ['Light theme', 'Dark theme']) {
      expect(await studio.violations()).toEqual([]);
      await page.keyboard.press('Escape');
      await dialog().waitFor({ state: 'hidden' });
      await page.getByRole('button', { name: theme }).click();
      // A tooltip stays behind the dialog: Escape is the dialog's all the same.
      await page.mouse.move(640, 300);
      await page.getByRole('button', { name: theme === 'Dark theme' ? 'Light theme' : 'Dark theme' }).hover();
      await page.locator('sp-tooltip[open]').waitFor({ state: 'attached' });
      await page.keyboard.press('b');
      await dialog().waitFor();
    }
    // Keys belong to the dialog while it is open: Delete would remove clips.
    await page.keyboard.press('Delete');
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'hidden' });
    expect(await studio.clips()).toHaveLength(2);
  });

  it('makes previews into a zip, and names the clip that can not be read', async () => {
    const { page } = studio;
    await page.locator('studio-clip').first().click();
    await page.keyboard.press('Control+a');
    await page.locator('studio-clip').first().click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Batch preview…' }).click();
    await dialog().getByText('2 clips selected').waitFor();
    await type('Length of each continuation', '0.5');
    await type('Variations of each', '2');
    await dialog().getByRole('radio', { name: 'Draft' }).click();
    const saved = page.waitForEvent('download');
    await dialog().getByRole('button', { name: 'Make previews' }).click();
    const download = await saved;
    expect(download.suggestedFilename()).toBe('good walk previews.zip');
    await dialog()
      .getByText('2 previews made, 1 failed. good walk previews.zip is in your downloads.')
      .waitFor();
    expect(await studio.violations()).toEqual([]);
    expect(await dialog().getByRole('listitem').allInnerTexts()).toEqual([
      expect.stringMatching(/1\. good walk\.mp4\s+2 of 2 made/),
      expect.stringMatching(/2\. bad walk\.mp4\s+Failed: .+/),
    ]);

    const folder = join(studio.folder, 'zip');
    mkdirSync(folder);
    const path = join(studio.folder, 'previews.zip');
    await download.saveAs(path);
    // Another program's eyes on the archive: names, sizes and checksums.
    execFileSync('python3', ['-c', UNZIP, path, folder]);
    expect(readdirSync(folder).sort()).toEqual([
      '001-good-walk-v1.mp4',
      '001-good-walk-v1.png',
      '001-good-walk-v2.mp4',
      '001-good-walk-v2.png',
      'contact-sheet.html',
      'contact-sheet.png',
      'report.json',
    ]);
    for (const name of ['001-good-walk-v1.mp4', '001-good-walk-v2.mp4']) {
      const clip = await openClipFile(join(folder, name));
      let frames = 0;
      for await (const frame of clip.frames()) frames += frame.width === 64 && frame.height === 48 ? 1 : 0;
      clip.dispose();
      expect(frames).toBe(24 + 6);
    }
    const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as {
      clips: { name: string; status: string; error?: string }[];
    };
    expect(report.clips.map(({ name, status }) => [name, status])).toEqual([
      ['good walk.mp4', 'done'],
      ['good walk.mp4', 'done'],
      ['bad walk.mp4', 'failed'],
    ]);
    expect(report.clips[2]!.error).toMatch(/bad walk/);
    expect(readFileSync(join(folder, 'contact-sheet.html'), 'utf8')).toContain('./001-good-walk-v2.mp4');
    await dialog().getByRole('button', { name: 'Close' }).click();
  });

  it('goes on behind the closed dialog, can be cancelled, and hands over what was made', async () => {
    const { page } = studio;
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Escape');
    await page.locator('studio-clip').first().click();
    await page.keyboard.press('b');
    await dialog().getByText('1 clip selected').waitFor();
    await type('Length of each continuation', '20');
    await type('Variations of each', '9');
    // From here with the keyboard alone.
    for (let i = 0; i < 12 && (await studio.focusedText()) !== 'Make previews'; i++)
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await dialog()
      .getByText(/Variation 1 of 9: Making new frames/)
      .waitFor();
    expect(await studio.violations()).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'hidden' });
    await page.keyboard.press('b');
    await dialog()
      .getByText(/Variation [2-9] of 9/)
      .waitFor();
    await dialog().getByRole('button', { name: 'Cancel batch' }).click();
    await dialog()
      .getByText(/\d previews? made\. Cancelled\./)
      .waitFor();
    const saved = page.waitForEvent('download');
    await dialog().getByRole('button', { name: 'Save what is made' }).click();
    expect((await saved).suggestedFilename()).toBe('good walk previews.zip');
    await dialog().getByRole('button', { name: 'New batch' }).click();
    await dialog().getByRole('button', { name: 'Make previews' }).waitFor();
    await dialog().getByRole('button', { name: 'Close' }).click();
  });

  for (const [how, away] of [
    ['a reload', () => studio.page.reload()],
    ['a crash of its tab', () => studio.crash()],
  ] as const) {
    it(`goes on after ${how} from what was finished`, async () => {
      await studio.saved();
      await studio.page.locator('studio-clip').first().click();
      await studio.page.keyboard.press('b');
      await dialog().getByText('1 clip selected').waitFor();
      // Long enough not to be done while the page goes away, however fast the machine is.
      await type('Length of each continuation', '100');
      await type('Variations of each', '3');
      await dialog().getByRole('button', { name: 'Make previews' }).click();
      await dialog()
        .getByText(/Variation 2 of 3/)
        .waitFor({ timeout: 120_000 });
      await away();
      const saved = studio.page.waitForEvent('download', { timeout: 120_000 });
      await studio.page.getByRole('button', { name: /^Batch preview, \d+ %/ }).waitFor();
      // It is told for six seconds, which decoding the previews may take.
      const told = studio.page
        .getByText(/3 previews made|is in your downloads/)
        .first()
        .waitFor({ timeout: 120_000 });
      const path = join(studio.folder, `${how}.zip`);
      const [download] = await Promise.all([saved, told]);
      await download.saveAs(path);
      const entries = unzipSync(readFileSync(path));
      const report = JSON.parse(Buffer.from(entries['report.json']!).toString()) as {
        clips: { status: string; frames: number }[];
      };
      expect(report.clips.map(({ status }) => status)).toEqual(['kept', 'done', 'done']);
      for (const name of ['001-good-walk-v1.mp4', '001-good-walk-v2.mp4', '001-good-walk-v3.mp4']) {
        const file = join(studio.folder, name);
        writeFileSync(file, entries[name]!);
        expect((await decode(file)).pictures.length).toBe(24 + 1200);
      }
      // The sheet shows the kept preview as it shows the others.
      const sheet = PNG.sync.read(Buffer.from(entries['contact-sheet.png']!));
      expect(sheet.height).toBeGreaterThan(3 * 100);
      // It is done with: another visit finds nothing to go on with.
      await studio.page.reload();
      await studio.page.locator('studio-clip').first().waitFor();
      expect(await studio.page.getByRole('button', { name: /^Batch preview/ }).count()).toBe(0);
    }, 200_000);
  }

  it('goes on after a reload in the folder that is chosen again', async () => {
    const { page } = studio;
    // The browser's own dialog cannot be used by a script: a folder of the private storage takes the place of the chosen one.
    await page.addInitScript(() => {
      window.showDirectoryPicker = async () =>
        (await navigator.storage.getDirectory()).getDirectoryHandle('previews', { create: true });
    });
    await studio.saved();
    await page.reload();
    const inFolder = () =>
      page.evaluate(async () => {
        const folder = await (
          await navigator.storage.getDirectory()
        ).getDirectoryHandle('previews', { create: true });
        const files: Record<string, string> = {};
        for await (const [name, handle] of folder.entries()) {
          const bytes = new Uint8Array(
            await (await (handle as FileSystemFileHandle).getFile()).arrayBuffer(),
          );
          let text = '';
          for (const byte of bytes) text += String.fromCharCode(byte);
          files[name] = btoa(text);
        }
        return files;
      });
    await page.locator('studio-clip').first().click();
    await page.keyboard.press('b');
    await dialog().getByText('1 clip selected').waitFor();
    await type('Length of each continuation', '60');
    await type('Variations of each', '3');
    await dialog().getByRole('radio', { name: 'Files in a folder…' }).click();
    await dialog().getByRole('button', { name: 'Make previews' }).click();
    await dialog()
      .getByText(/Variation 2 of 3/)
      .waitFor({ timeout: 120_000 });
    expect(Object.keys(await inFolder()).filter((name) => name.endsWith('.mp4'))).toEqual([
      '001-good-walk-v1.mp4',
    ]);
    await page.reload();
    // It does not go on by itself: the folder has to be chosen.
    const badge = page.getByRole('button', { name: /^Batch preview/ });
    await badge.waitFor();
    expect(await badge.innerText()).toBe('Batch preview: go on…');
    await badge.click();
    await dialog().getByText('This batch was cut short when its page went away').waitFor();
    expect(await studio.violations()).toEqual([]);
    await dialog().getByRole('button', { name: 'Go on' }).click();
    await dialog()
      .getByText('3 previews made. Everything is in the folder “previews”.')
      .waitFor({ timeout: 120_000 });
    const files = await inFolder();
    expect(Object.keys(files).sort()).toEqual([
      ...[1, 2, 3].flatMap((v) => [`001-good-walk-v${v}.mp4`, `001-good-walk-v${v}.png`]),
      ...['contact-sheet.html', 'contact-sheet.png', 'report.json'],
    ]);
    const report = JSON.parse(Buffer.from(files['report.json']!, 'base64').toString()) as {
      clips: { status: string }[];
    };
    expect(report.clips.map(({ status }) => status)).toEqual(['kept', 'done', 'done']);
    for (const variation of [1, 2, 3]) {
      const file = join(studio.folder, `folder-v${variation}.mp4`);
      writeFileSync(file, Buffer.from(files[`001-good-walk-v${variation}.mp4`]!, 'base64'));
      expect((await decode(file)).pictures.length).toBe(24 + 720);
    }
    await dialog().getByRole('button', { name: 'Close' }).click();
    await page.reload();
    await page.locator('studio-clip').first().waitFor();
    expect(await page.getByRole('button', { name: /^Batch preview/ }).count()).toBe(0);
  }, 240_000);

  it('has no control clipped in a narrow window', async () => {
    const { page } = studio;
    await page.setViewportSize({ width: 320, height: 640 });
    await page.keyboard.press('b');
    await dialog().waitFor();
    const outside = await dialog().evaluate((element) =>
      [...element.querySelectorAll('sp-button, sp-radio, sp-number-field, p')]
        .map((control) => ({ name: control.textContent, box: control.getBoundingClientRect() }))
        .filter(({ box }) => box.left < 0 || box.right > window.innerWidth || box.width === 0)
        .map(({ name }) => name),
    );
    expect(outside).toEqual([]);
    expect(studio.errors).toEqual([]);
  });
});

/** Tests and unpacks an archive. */
const UNZIP = `
import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
archive.extractall(sys.argv[2])
`;
