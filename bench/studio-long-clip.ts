/**
 * How Studio bears a long clip: `npx tsx bench/studio-long-clip.ts [MINUTES] [CYCLES] [OTHER]`, 10 minutes of 1920 × 1080 and
 * 100 cycles unless given. Makes the clip, opens it, and prints the time to the first thumbnail, how long the viewer takes to
 * show a picture from near the playhead and the very frame when it is moved with the mouse, and the heap of the page before
 * and after so many times extend, insert and undo (of a short clip beside the long one, with the tiny test model). OTHER is
 * the folder of another build of the page: its playhead is moved in turns with that of this one.
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
import { median } from '../src/engine/median.ts';
import { Scrubbing } from './scrubbing.ts';

const [minutes = 10, cycles = 100] = process.argv.slice(2, 4).map(Number);
const [, , , , other] = process.argv;
const FPS = 24;
/** Seconds that are encoded; the rest repeats their packets. */
const PART = 10;
const PRESSES = 40;
/** Moves of the mouse, and milliseconds between them. */
const SWEEP = { moves: 100, pace: 40 };

const folder = mkdtempSync(join(tmpdir(), 'longtake-long-'));
const studio = await StudioPage.open();
const pages = [studio, ...(other ? [await StudioPage.open(undefined, other)] : [])];
try {
  const path = join(folder, 'long.mp4');
  await writeLongClip(path);
  console.log(`${minutes} min of 1920 × 1080, ${(statSync(path).size / 2 ** 20).toFixed(0)} MiB`);
  console.log(`first thumbnail  ${((await firstThumbnail(path)) / 1000).toFixed(2)} s`);
  for (const page of pages.slice(1)) await firstThumbnail(path, page);
  await scrub();
  if (cycles > 0) await extendAndUndo();
} finally {
  for (const page of pages) await page.close();
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
async function firstThumbnail(path: string, { page } = studio): Promise<number> {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose clips…' }).click();
  const dialog = await chooser;
  const began = performance.now();
  await dialog.setFiles(path);
  await page.locator('studio-clip canvas[data-thumbnails]:not([data-thumbnails^="0/"])').first().waitFor();
  return performance.now() - began;
}

function spread(waits: number[]): string {
  const sorted = waits.toSorted((a, b) => a - b);
  const late = sorted[Math.ceil(0.95 * sorted.length) - 1]!;
  return `${median(sorted).toFixed(0)} ms median, ${late.toFixed(0)} ms 95th percentile`;
}

/** Places on the ruler, in pixels, one after the other. */
type Way = (scrubbing: Scrubbing, move: number) => number;

/** Prints how long moves of the playhead take, of both builds in turns where there are two. */
async function scrub(): Promise<void> {
  const each = await Promise.all(pages.map((page) => Scrubbing.of(page)));
  // All over the clip, in no order that a cache could follow.
  await compare('press anywhere', each, (it, move) => it.at((move * 0.618) % 1), 'press');
  const frames = (pixels: number): string => `${Math.round((pixels * minutes * 60 * FPS) / 1100)} frames`;
  for (const [pixels, start] of [
    [1, 0.1],
    [3, 0.3],
  ] as const) {
    const forward: Way = (it, move) => it.at(start) + pixels * move;
    await compare(`drag on, about ${frames(pixels)} a move`, each, forward, 'drag');
    const back: Way = (it, move) => it.at(start + 0.4) - pixels * move;
    await compare(`drag back, about ${frames(pixels)} a move`, each, back, 'drag');
  }
  await sweep('whole clip', each);
  for (const it of each) {
    await it.press(it.at(0.5));
    for (let i = 0; i < 10; i++) await it.studio.page.keyboard.press('+');
  }
  await compare('drag on, zoomed in', each, (it, move) => it.at(0.1) + 5 * move, 'drag');
  await compare('drag back, zoomed in', each, (it, move) => it.at(0.9) - 5 * move, 'drag');
  await sweep('zoomed in', each);
}

/** Prints how steadily very frames are shown while the mouse moves at its own pace. */
async function sweep(name: string, each: Scrubbing[]): Promise<void> {
  for (const [way, from, to] of [
    ['on', 0.1, 0.9],
    ['back', 0.9, 0.1],
  ] as const)
    for (const it of each) {
      const times = await it.sweep(it.at(from), it.at(to), SWEEP.moves, SWEEP.pace);
      const length = SWEEP.moves * SWEEP.pace;
      const pauses = [...times, length].map((time, i) => time - (times[i - 1] ?? 0));
      const rate = (times.length / (length / 1000)).toFixed(1);
      console.log(
        `${label(it)}sweep ${way}, ${name}: ${rate} very frames a second, longest pause ${Math.max(...pauses).toFixed(0)} ms`,
      );
    }
}

async function compare(name: string, each: Scrubbing[], way: Way, how: 'press' | 'drag'): Promise<void> {
  const waits = each.map((): { near: number; exact: number }[] => []);
  if (how === 'drag') for (const it of each) await it.take(way(it, 0));
  for (let move = 1; move <= PRESSES; move++)
    for (const [i, it] of each.entries()) {
      const wait = await it[how](way(it, move));
      if (wait) waits[i]!.push(wait);
    }
  if (how === 'drag') for (const it of each) await it.studio.page.mouse.up();
  for (const [i, it] of each.entries()) {
    const near = spread(waits[i]!.map((wait) => wait.near));
    console.log(`${label(it)}${name}: near ${near}; exact ${spread(waits[i]!.map((wait) => wait.exact))}`);
  }
  if (waits.length < 2) return;
  const pairs = waits[0]!.slice(0, waits[1]!.length).map(({ exact }, i) => waits[1]![i]!.exact / exact);
  console.log(
    `${name}: this build is ${median(pairs).toFixed(1)} times as fast (median of ${pairs.length} pairs)`,
  );
}

function label(it: Scrubbing): string {
  return pages.length < 2 ? '' : it.studio === studio ? 'this build   ' : 'other build  ';
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
