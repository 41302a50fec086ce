import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contactPage } from '../../src/batch/contact-page.ts';
import { previewsOf, type BatchOutcome } from '../../src/batch/preview.ts';
import { LongtakeError } from '../../src/engine/types.ts';
import { writePaintedClip } from '../media/painted-clip.ts';

const NASTY = `<img src=x onerror="document.title='owned'"> & “Tür”`;

let folder: string;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longtake-page-'));
  await writePaintedClip(join(folder, '001 a#1.webm'), { frames: 24, rate: 24, container: 'webm' });
  await writeFile(join(folder, '001 a#1.png'), PNG.sync.write(new PNG({ width: 64, height: 48 })));
  const items = [1, 2].map((index) => ({
    index,
    name: NASTY,
    settings: {
      seconds: 1,
      profile: 'draft',
      direction: 'forward',
      seed: 3,
      steps: null,
      camera: null,
    } as const,
    open: () => Promise.reject(new Error('not opened here')),
  }));
  const [good, bad] = previewsOf(items, 1);
  const outcomes: BatchOutcome[] = [
    {
      preview: good!,
      status: 'done',
      result: {
        model: 'tiny',
        backend: 'ort',
        profile: 'draft',
        direction: 'forward',
        frames: 12,
        prefixFrames: 12,
        size: { width: 64, height: 48 },
        rate: '24',
        msPerFrame: 3,
        seam: {
          psnrAcrossCut: 27.9,
          psnrWithinPrefix: 32,
          psnrRoughestStep: 30,
          colourStepAcrossCut: 0,
          colourStepWithinPrefix: 0,
          colourStepRoughest: 0,
          detailRatio: 1,
        },
        files: ['001 a#1.webm'],
        poster: '001 a#1.png',
        notices: ['A <b>notice</b>.'],
        tiles: [],
      },
    },
    { preview: bad!, status: 'failed', error: new LongtakeError('input', 'It is <broken>.') },
  ];
  await writeFile(join(folder, 'contact-sheet.html'), contactPage(NASTY, outcomes, 1));
  browser = await chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    headless: false,
    args: ['--headless=new', '--no-sandbox', '--disable-background-networking', '--no-first-run'],
  });
  page = await browser.newPage({ viewport: { width: 320, height: 640 } });
  await page.goto(pathToFileURL(join(folder, 'contact-sheet.html')).href);
});
afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the contact sheet as a page', () => {
  it('shows names as text, the seam in words, and what failed', async () => {
    expect(await page.title()).toBe(`${NASTY}: previews`);
    expect(await page.locator('h1').innerText()).toBe(NASTY);
    const text = await page.locator('main').innerText();
    expect(text).toContain('1 preview, 1 failed');
    expect(text).toContain('Seam: hardly visible, 2.1 dB above the clip’s own motion.');
    expect(text).toContain('12 new frames, 64×48, 24 fps. Draft, seed 3.');
    expect(text).toContain('A <b>notice</b>.');
    expect(text).toContain('Not made: It is <broken>.');
    const loaded = await page
      .locator('img')
      .evaluateAll((images) => images.map((image) => (image as HTMLImageElement).naturalWidth));
    expect(loaded).toEqual([64]);
  });

  it('has no violation, and no control is clipped at 320 px', async () => {
    await page.evaluate(axe.source);
    const found = await page.evaluate(async () => {
      const { axe: checker } = globalThis as unknown as { axe: typeof import('axe-core') };
      return (await checker.run(document)).violations.map(({ id }) => id);
    });
    expect(found).toEqual([]);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(320);
  });

  it('plays a preview when its poster is pressed, by keyboard too', async () => {
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const video = page.locator('video');
    await video.waitFor();
    await page.waitForFunction(() => {
      const element = document.querySelector('video');
      return element !== null && element.currentTime > 0 && element.videoWidth === 64;
    });
    expect(await page.locator('.play').count()).toBe(0);
  });
});
