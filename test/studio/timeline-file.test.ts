import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { StudioPage } from './studio-page.ts';

const CUT = [
  { label: 'one.mp4', start: '00:00:00', frames: 20, made: false },
  { label: 'one.mp4', start: '00:01:06', frames: 18, made: false },
  { label: 'two.webm', start: '00:02:00', frames: 30, made: false },
];

describe('an editor saves a timeline and opens it again', { timeout: 120_000 }, () => {
  let studio: StudioPage;
  let one: string;
  let two: string;
  let saved: string;

  beforeAll(async () => {
    studio = await StudioPage.open();
    const facts = { width: 320, height: 180, fps: 24 };
    one = await studio.clip('one.mp4', { ...facts, frames: 48 });
    two = await studio.clip('two.webm', { ...facts, frames: 30, first: 100, format: 'webm' });
    saved = join(studio.folder, 'saved.otio');
    await studio.choose('Choose clips…', one, two);
    await studio.page.locator('studio-clip').nth(1).waitFor();
  }, 240_000);
  afterAll(async () => studio?.close());
  afterEach(() => expect(studio.errors).toEqual([]));

  /** Opens files with the keyboard, as a timeline. */
  async function openTimeline(...paths: string[]): Promise<void> {
    const chooser = studio.page.waitForEvent('filechooser');
    await studio.page.keyboard.press('Control+Shift+o');
    await (await chooser).setFiles(paths);
  }

  async function newProject(): Promise<void> {
    await studio.page.getByRole('button', { name: 'More' }).click();
    await studio.page.getByRole('menuitem', { name: 'New project' }).click();
    await expect.poll(() => studio.clips()).toEqual([]);
  }

  it('saves with Ctrl+S', async () => {
    const { keyboard } = studio.page;
    await keyboard.press('Home');
    for (const key of ['Shift+ArrowRight', 'Shift+ArrowRight', 's', 'Shift+ArrowRight', 's'])
      await keyboard.press(key);
    for (const key of ['Escape', 'ArrowLeft', 'Shift+Delete']) await keyboard.press(key);
    await expect.poll(() => studio.clips()).toEqual(CUT);
    const download = studio.page.waitForEvent('download');
    await keyboard.press('Control+s');
    const file = await download;
    expect(file.suggestedFilename()).toBe('one (Studio).otio');
    await file.saveAs(saved);
    expect(JSON.parse(readFileSync(saved, 'utf8')).OTIO_SCHEMA).toBe('Timeline.1');
    await studio.page.getByText('one (Studio).otio is in your downloads.').waitFor();
  });

  it('opens it with its clips: the same timeline, the same frames', async () => {
    await newProject();
    await openTimeline(saved, two, one);
    await expect.poll(() => studio.clips()).toEqual(CUT);
    await studio.page.keyboard.press('End');
    await expect.poll(() => studio.shownNumber()).toBe(129);
    await studio.page.keyboard.press('ArrowUp');
    await studio.page.keyboard.press('ArrowUp');
    await expect.poll(() => studio.shownNumber()).toBe(30);
    await studio.page.getByRole('button', { name: 'Undo: Open timeline' }).click();
    expect(await studio.clips()).toEqual([]);
  });

  it('asks for missing clips by name, in a fresh window', async () => {
    const { page } = studio;
    await studio.reload();
    await page.getByRole('button', { name: 'Choose clips…' }).waitFor();
    await openTimeline(saved, one);
    const dialog = page.getByRole('dialog', { name: 'Media of “Untitled” are missing' });
    await dialog.getByText('Not among the files you chose: two.webm.').waitFor();
    expect(await studio.violations()).toEqual([]);
    const chooser = page.waitForEvent('filechooser');
    await dialog.getByRole('button', { name: 'Choose the files…' }).click();
    await (await chooser).setFiles(two);
    await expect.poll(() => studio.clips()).toEqual(CUT);
    expect(await dialog.count()).toBe(0);
  });

  it('opens the rest, and leaves everything on Escape', async () => {
    const { page } = studio;
    await newProject();
    await studio.reload();
    await page.getByRole('button', { name: 'Choose clips…' }).waitFor();
    await openTimeline(saved, two);
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(await studio.clips()).toEqual([]);
    await studio.drop(saved, two);
    await dialog.getByRole('button', { name: 'Open without them' }).press('Enter');
    await expect.poll(() => studio.clips()).toEqual([CUT[2]]);
    await page.getByText('Left out, because they are missing: one.mp4.').waitFor();
  });

  it('refuses a damaged timeline with one sentence and loses nothing', async () => {
    const damaged = join(studio.folder, 'damaged.otio');
    writeFileSync(damaged, readFileSync(saved, 'utf8').slice(0, 400));
    await openTimeline(damaged, one, two);
    await studio.page.getByText('“damaged.otio” is no OpenTimelineIO file: it is not valid JSON.').waitFor();
    expect(await studio.clips()).toEqual([CUT[2]]);
  });
});
