/**
 * How Studio bears a long clip: `npx tsx bench/studio-long-clip.ts [MINUTES] [CYCLES]`, 10 minutes of 1920 × 1080 and 100
 * cycles unless given. Makes the clip, opens it, and prints the time to the first thumbnail, how long the viewer takes to show
 * a picture from near a press on the ruler and the very frame, and the heap of the page before and after so many times extend, insert and undo
 * (of a short clip beside the long one, with the tiny test model).
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ALL_FORMATS,
  BufferSource,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  FilePathTarget,
  Input,
  Mp4OutputFormat,
  Output,
} from 'mediabunny';
import { makeClip } from '../test/studio/make-clip.ts';
import { StudioPage } from '../test/studio/studio-page.ts';
import { median } from './median.ts';

const [minutes = 10, cycles = 100] = process.argv.slice(2).map(Number);
const FPS = 24;
/** Seconds that are encoded; the rest repeats their packets. */
const PART = 10;
const PRESSES = 40;

const folder = mkdtempSync(join(tmpdir(), 'longtake-long-'));
const studio = await StudioPage.open();
try {
  const path = join(folder, 'long.mp4');
  await writeLongClip(path);
  console.log(`${minutes} min of 1920 × 1080, ${(statSync(path).size / 2 ** 20).toFixed(0)} MiB`);
  console.log(`first thumbnail  ${((await firstThumbnail(path)) / 1000).toFixed(2)} s`);
  const { near, exact } = await scrub();
  console.log(`scrub, nearest   ${spread(near)}`);
  console.log(`scrub, exact     ${spread(exact)}`);
  await extendAndUndo();
} finally {
  await studio.close();
  rmSync(folder, { recursive: true, force: true });
}

async function writeLongClip(path: string): Promise<void> {
  const part = await makeClip({ width: 1920, height: 1080, fps: FPS, frames: PART * FPS });
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(part) });
  const track = (await input.getPrimaryVideoTrack())!;
  const decoderConfig = (await track.getDecoderConfig())!;
  const packets = [];
  for await (const packet of new EncodedPacketSink(track).packets()) packets.push(packet);
  const output = new Output({
    format: new Mp4OutputFormat({ fastStart: false }),
    target: new FilePathTarget(path),
  });
  const source = new EncodedVideoPacketSource('avc');
  output.addVideoTrack(source, { frameRate: FPS });
  await output.start();
  for (let from = 0; from < minutes * 60; from += PART)
    for (const packet of packets)
      await source.add(packet.clone({ timestamp: packet.timestamp + from }), { decoderConfig });
  await output.finalize();
  input.dispose();
}

/** Milliseconds from the choice of the file until its first thumbnail is on the timeline. */
async function firstThumbnail(path: string): Promise<number> {
  const chooser = studio.page.waitForEvent('filechooser');
  await studio.page.getByRole('button', { name: 'Choose clips…' }).click();
  const dialog = await chooser;
  const began = performance.now();
  await dialog.setFiles(path);
  await studio.page
    .locator('studio-clip canvas[data-thumbnails]:not([data-thumbnails^="0/"])')
    .first()
    .waitFor();
  return performance.now() - began;
}

function spread(waits: number[]): string {
  const sorted = waits.toSorted((a, b) => a - b);
  const late = sorted[Math.ceil(0.95 * sorted.length) - 1]!;
  return `${median(sorted).toFixed(0)} ms median, ${late.toFixed(0)} ms 95th percentile`;
}

/**
 * Milliseconds from each of many presses on the ruler until the viewer shows a picture from near the place, and until it
 * shows the very frame.
 */
async function scrub(): Promise<{ near: number[]; exact: number[] }> {
  const { page } = studio;
  const ruler = (await page.locator('timeline-ruler').boundingBox())!;
  const canvas = page.locator('studio-viewer canvas');
  // In the page itself: what the test drives it with takes a while on a busy machine.
  await canvas.evaluate((element: HTMLElement) => {
    const page = globalThis as unknown as { presses: { near?: number; exact?: number }[] };
    let pressed = 0;
    page.presses = [];
    // No named functions: tsx would mark them with a helper that the page does not have.
    new MutationObserver(() => {
      const press = page.presses.at(-1);
      if (!press || press.exact !== undefined) return;
      press.near ??= performance.now() - pressed;
      if (element.dataset['near'] === undefined) press.exact = performance.now() - pressed;
    }).observe(element, { attributeFilter: ['data-near', 'data-playhead'] });
    addEventListener(
      'pointerdown',
      (event) => {
        pressed = event.timeStamp;
        page.presses.push({});
      },
      { capture: true },
    );
  });
  const last = () =>
    page.evaluate(() =>
      (globalThis as unknown as { presses: { near?: number; exact?: number }[] }).presses.at(-1),
    );
  const near: number[] = [];
  const exact: number[] = [];
  for (let press = 0; press < PRESSES; press++) {
    // Places all over the clip, in no order that a cache could follow.
    const x = ruler.x + 60 + ((press * 0.618) % 1) * (ruler.width - 180);
    const began = performance.now();
    await page.mouse.click(x, ruler.y + 10);
    let waits = await last();
    for (; waits?.exact === undefined; waits = await last())
      if (performance.now() - began > 20_000) throw new Error(`The frame at ${x} px never came.`);
    near.push(waits.near!);
    exact.push(waits.exact);
  }
  return { near, exact };
}

async function extendAndUndo(): Promise<void> {
  const { page } = studio;
  await studio.drop(await studio.clip('short.mp4', { width: 320, height: 180, fps: FPS, frames: FPS }));
  await page.locator('studio-clip').nth(1).waitFor();
  await page.keyboard.press('e');
  await page.getByText('320 × 180 · 24 fps').waitFor();
  await studio.setLength(1);
  const heap: number[] = [];
  for (let cycle = 0; cycle <= cycles; cycle++) {
    await studio.generate();
    await page.getByRole('button', { name: 'Insert', exact: true }).click();
    await page.locator('studio-clip').nth(2).waitFor({ timeout: 60_000 });
    await page.keyboard.press('Control+z');
    await page.getByRole('button', { name: 'Discard', exact: true }).click();
    // The first cycle loads the model.
    if (cycle === 0 || cycle === cycles || cycle === cycles >> 1) heap.push(await heapMiB());
  }
  const [first, half, last] = heap.map((value) => value.toFixed(1));
  console.log(
    `heap             ${first} MiB after 1, ${half} after ${cycles >> 1}, ${last} after ${cycles} cycles`,
  );
}

/** Heap of the page's main thread after a collection. */
async function heapMiB(): Promise<number> {
  const client = await studio.devTools();
  await client.send('HeapProfiler.collectGarbage');
  const { usedSize } = await client.send('Runtime.getHeapUsage');
  await client.detach();
  return usedSize / 2 ** 20;
}
