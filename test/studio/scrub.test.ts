import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { StudioPage } from './studio-page.ts';

let studio: StudioPage;

/**
 * Lets the page hold decoded frames back, as a large picture on a slow processor does (thumbnails are made another way), and
 * keeps the decoders that were opened.
 */
const WATCH = () => {
  const page = globalThis as unknown as Watched;
  page.held = null;
  page.hold = () => (page.held = new Promise((resolve) => (page.letGo = resolve)));
  const copy = VideoFrame.prototype.copyTo;
  VideoFrame.prototype.copyTo = async function (...args) {
    await page.held;
    return copy.apply(this, args);
  };
  page.decoders = new Set();
  page.opened = 0;
  const { configure } = VideoDecoder.prototype;
  VideoDecoder.prototype.configure = function (...args) {
    page.decoders.add(this);
    page.opened += 1;
    configure.apply(this, args);
  };
};

interface Watched {
  held: Promise<void> | null;
  hold: () => void;
  letGo: () => void;
  decoders: Set<VideoDecoder>;
  opened: number;
}

const FRAMES = 960;
/** The browser's complaints about frames that nobody closed. */
const leaks: string[] = [];

beforeAll(async () => {
  studio = await StudioPage.open();
  await studio.page.addInitScript(WATCH);
  studio.page.on('console', (message) => {
    if (/garbage collected/i.test(message.text())) leaks.push(message.text());
  });
  await studio.page.reload();
  const file = await studio.clip('long.mp4', { width: 320, height: 180, fps: 24, frames: FRAMES });
  await studio.choose('Choose clips…', file);
  await studio.page.locator('studio-clip').waitFor();
}, 240_000);
afterAll(() => studio?.close());

it('shows the nearest thumbnail after a jump until its frame is decoded, and the frame then', async () => {
  const { page } = studio;
  const viewer = page.locator('studio-viewer canvas');
  // Enough of the timeline's pictures are there when the last of the clip is.
  await page.locator('studio-clip canvas[data-thumbnails]').first().waitFor();
  await expect
    .poll(() =>
      page
        .locator('studio-clip canvas[data-thumbnails]')
        .first()
        .evaluate((canvas: HTMLCanvasElement) => {
          const [made, all] = canvas.dataset['thumbnails']!.split('/').map(Number);
          return all! > 2 && made === all;
        }),
    )
    .toBe(true);
  expect(await studio.shownNumber()).toBe(0);
  const ruler = (await page.locator('timeline-ruler').boundingBox())!;
  const playhead = page.getByRole('slider', { name: 'Playhead' });
  // Forwards, then back: neither decodes more than it has to before the frame is shown.
  for (const share of [0.5, 0.2]) {
    await page.evaluate(() => void (globalThis as unknown as Watched).hold());
    await page.mouse.click(ruler.x + share * ruler.width, ruler.y + 10);
    await expect.poll(() => viewer.getAttribute('data-near')).not.toBeNull();
    const wanted = Number(await playhead.getAttribute('aria-valuenow'));
    const near = Number(await viewer.getAttribute('data-near'));
    expect(Math.abs(near - wanted)).toBeLessThan(120);
    // A key frame of the stretch stands for it; the numbers begin again after 256 frames.
    expect((256 + (await studio.shownNumber()) - (near % 256)) % 256).toBeLessThan(60);
    await page.evaluate(() => (globalThis as unknown as Watched).letGo());
    await expect.poll(() => viewer.getAttribute('data-near')).toBeNull();
    await expect.poll(() => viewer.getAttribute('data-playhead')).toBe(String(wanted));
    expect(await studio.shownNumber()).toBe(wanted % 256);
  }
  expect(studio.errors).toEqual([]);
}, 120_000);

/** Waits until the viewer shows the very frame under the playhead. @returns its number */
async function settled(): Promise<number> {
  const playhead = studio.page.getByRole('slider', { name: 'Playhead' });
  const viewer = studio.page.locator('studio-viewer canvas');
  let wanted = 0;
  await expect
    .poll(async () => {
      wanted = Number(await playhead.getAttribute('aria-valuenow'));
      const near = await viewer.getAttribute('data-near');
      return near === null && Number(await viewer.getAttribute('data-playhead')) === wanted;
    })
    .toBe(true);
  return wanted;
}

/** Checks that the picture is the frame under the playhead, once it is settled. @returns the frame's number */
async function exact(): Promise<number> {
  const wanted = await settled();
  expect(await studio.shownNumber()).toBe(wanted % 256);
  return wanted;
}

async function decoders(): Promise<number> {
  // One that failed is closed by the browser itself.
  return studio.page.evaluate(
    () => [...(globalThis as unknown as Watched).decoders].filter(({ state }) => state !== 'closed').length,
  );
}

it('shows the very frame wherever it is dragged: on, back, to and fro, and by keys', async () => {
  const { page } = studio;
  const ruler = (await page.locator('timeline-ruler').boundingBox())!;
  const y = ruler.y + 10;
  let x = ruler.x + 200;
  await page.mouse.move(x, y);
  await page.mouse.down();
  // On in steps of about a frame and of a second and more, back the same way, and across.
  for (const step of [3, 3, 3, 40, 40, 3, -3, -3, -20, -40, -3, 300, -290, 500, -60, -60, -60]) {
    await page.mouse.move((x += step), y);
    await exact();
  }
  await page.mouse.up();
  const before = await exact();
  for (const [key, by] of [
    ['ArrowRight', 1],
    ['Shift+ArrowRight', 10],
    ['Shift+ArrowLeft', -10],
    ['ArrowLeft', -1],
    ['ArrowLeft', -1],
    ['Shift+ArrowLeft', -10],
  ] as const) {
    const from = await exact();
    await page.keyboard.press(key);
    await expect.poll(settled).toBe(from + by);
    await exact();
  }
  expect(await exact()).toBe(before - 11);
  await page.keyboard.press('End');
  expect(await exact()).toBe(FRAMES - 1);
  await page.keyboard.press('Home');
  expect(await exact()).toBe(0);
}, 120_000);

it('keeps up with a mouse that never rests: the newest place wins, and nothing is decoded for the others', async () => {
  const { page } = studio;
  const ruler = (await page.locator('timeline-ruler').boundingBox())!;
  const opened = () => page.evaluate(() => (globalThis as unknown as Watched).opened);
  await page.mouse.move(ruler.x + 80, ruler.y + 10);
  await page.mouse.down();
  for (let move = 0; move < 120; move += 1)
    await page.mouse.move(ruler.x + 80 + 800 * Math.abs(Math.sin(move / 7)), ruler.y + 10);
  await page.mouse.up();
  await exact();
  // Steps on from where one is need no other decoder: it stands there already.
  await page.keyboard.press('ArrowRight');
  await settled();
  await page.keyboard.press('Shift+ArrowRight');
  await settled();
  const before = await opened();
  for (let step = 0; step < 40; step += 1) {
    const from = await settled();
    await page.keyboard.press('ArrowRight');
    await expect.poll(settled).toBe(from + 1);
  }
  expect((await opened()) - before).toBeLessThan(3);
  await exact();
}, 120_000);

it('says which frame is damaged when it is the one to show, and shows those around it', async () => {
  const { page } = studio;
  const path = await studio.clip('damaged.mp4', { width: 320, height: 180, fps: 24, frames: 240 });
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  writeFileSync(path, bytes.fill(0, middle - 20_000, middle + 20_000));
  await studio.drop(path);
  await page.locator('studio-clip').nth(1).waitFor();
  const alert = page.locator('studio-viewer [role=alert]');
  // From the cut to a whole frame before the damage, which is decoded ahead but not shown.
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowUp');
  for (let step = 0; step < 10; step += 1) {
    await page.keyboard.press('Shift+ArrowRight');
    await settled();
  }
  expect(await settled()).toBe(FRAMES + 100);
  expect(await alert.count()).toBe(0);
  expect(await studio.shownNumber()).toBe(100);
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  await alert.getByText('frame 121 of 240 can not be decoded').waitFor();
  for (let step = 0; step < 3; step += 1) await page.keyboard.press('Shift+ArrowRight');
  expect(await settled()).toBe(FRAMES + 150);
  expect(await studio.shownNumber()).toBe(150);
  expect(await alert.count()).toBe(0);
  await page.keyboard.press('Control+z');
  await page.locator('studio-clip').nth(1).waitFor({ state: 'detached' });
}, 120_000);

it('lets go of decoders when nobody sees the clip, and leaves no frame open', async () => {
  const { page } = studio;
  await page.keyboard.press('Home');
  for (let step = 0; step < 5; step += 1) await page.keyboard.press('Shift+ArrowRight');
  const there = await settled();
  // What is decoded ahead comes after a moment.
  await expect.poll(decoders).toBe(1);
  const show = await studio.hide();
  await expect.poll(decoders).toBe(0);
  await show();
  // Past what was decoded ahead before and is still there.
  for (let step = 0; step < 5; step += 1) await page.keyboard.press('Shift+ArrowRight');
  await expect.poll(settled).toBe(there + 50);
  expect(await studio.shownNumber()).toBe((there + 50) % 256);
  await expect.poll(decoders).toBe(1);
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');
  await expect.poll(decoders).toBe(0);
  await page.keyboard.press('Control+z');
  await page.locator('studio-clip').waitFor();
  await page.keyboard.press('Home');
  await settled();
  expect(await studio.shownNumber()).toBe(0);
  const tools = await studio.devTools();
  await tools.send('HeapProfiler.collectGarbage');
  await tools.detach();
  expect(leaks).toEqual([]);
  expect(studio.errors).toEqual([]);
}, 120_000);
