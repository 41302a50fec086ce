import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { colourPsnr, decode, psnr } from './decoded.ts';
import { readNumber } from './make-clip.ts';
import { StudioPage } from './studio-page.ts';

/** The timeline at the walk's stations. */
const TRIMMED = [
  { label: 'one.mp4', start: '00:00:00', frames: 80, made: false },
  { label: 'two.mp4', start: '00:04:00', frames: 48, made: false },
];
const EXTENDED = [...TRIMMED, { label: 'two (continuation)', start: '00:06:00', frames: 24, made: true }];
const FILLED = [
  TRIMMED[0],
  { label: 'one (gap filled)', start: '00:03:08', frames: 16, made: true },
  ...EXTENDED.slice(1),
];
const LONG = [
  ...FILLED,
  { label: 'two (continuation) (continuation)', start: '00:07:00', frames: 240, made: true },
];

describe('the long walk of an editor through Studio', { timeout: 180_000 }, () => {
  let studio: StudioPage;
  let files: string[];

  beforeAll(async () => {
    studio = await StudioPage.open();
    const facts = { width: 320, height: 180, fps: 24 };
    files = [
      await studio.clip('one.mp4', { ...facts, frames: 96 }),
      await studio.clip('two.mp4', { ...facts, frames: 48, first: 128 }),
    ];
  }, 240_000);
  afterAll(async () => studio?.close());
  afterEach(() => expect(studio.errors).toEqual([]));

  const panel = (name: string) => studio.page.getByRole('complementary', { name });
  const insert = async (): Promise<void> =>
    studio.page.getByRole('button', { name: 'Insert', exact: true }).click();

  it('imports two clips at once', async () => {
    await studio.choose('Choose clips…', ...files);
    await expect
      .poll(() => studio.clips())
      .toEqual([
        { label: 'one.mp4', start: '00:00:00', frames: 96, made: false },
        { label: 'two.mp4', start: '00:04:00', frames: 48, made: false },
      ]);
    expect(await studio.violations()).toEqual([]);
  });

  it('trims the first by its handle, to the playhead', async () => {
    const { page } = studio;
    await page.keyboard.press('Home');
    for (let i = 0; i < 8; i += 1) await page.keyboard.press('Shift+ArrowRight');
    await expect.poll(() => studio.shownNumber()).toBe(80);
    const box = (await page.getByRole('option').first().boundingBox())!;
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width - 3, y);
    await page.mouse.down();
    await page.mouse.move(box.x + (box.width * 80) / 96 - 1, y, { steps: 8 });
    await page.mouse.up();
    await expect.poll(() => studio.clips()).toEqual(TRIMMED);
    expect(await studio.violations()).toEqual([]);
  });

  it('extends the second by a right-click and sees the frames as they come', async () => {
    const { page } = studio;
    await studio.clipMenu('two.mp4', 'Extend clip…');
    await panel('Extend clip').getByText('320 × 180').waitFor();
    await studio.setLength(1);
    await page.getByText('24 new frames').waitFor();
    await studio.setVariations(2);
    expect(await studio.violations()).toEqual([]);
    await page.getByRole('button', { name: 'Generate' }).click();
    await studio.framesMade(24);
    await expect
      .poll(() =>
        panel('Extend clip')
          .locator('longtake-variations canvas')
          .first()
          .evaluate((canvas: HTMLCanvasElement) => {
            const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
            return new Set(data).size;
          }),
      )
      .toBeGreaterThan(20);
    await page.getByText('Pick one to look closer').waitFor({ timeout: 90_000 });
    expect(await studio.violations()).toEqual([]);
  });

  it('inserts the second variation, takes it back and puts it in again', async () => {
    const { page } = studio;
    await page.getByRole('button', { name: 'Variation 2' }).click();
    await insert();
    await expect.poll(() => studio.clips(), { timeout: 60_000 }).toEqual(EXTENDED);
    await page.locator('studio-clip .badge').getByText('tiny · seed 2 · preview').waitFor();
    expect(await studio.violations()).toEqual([]);
    await page.getByRole('button', { name: /^Undo/ }).click();
    expect(await studio.clips()).toEqual(TRIMMED);
    await page.getByRole('button', { name: /^Redo/ }).click();
    expect(await studio.clips()).toEqual(EXTENDED);
  });

  it('fills the gap that the trim has left', async () => {
    const { page } = studio;
    await page.getByRole('option', { name: /^Gap of 16 frames/ }).click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Fill gap…' }).click();
    await panel('Fill gap').getByText('80 frames before · 48 frames after').waitFor();
    await studio.setVariations(1);
    await studio.generate();
    expect(await studio.violations()).toEqual([]);
    await insert();
    await expect.poll(() => studio.clips(), { timeout: 60_000 }).toEqual(FILLED);
  });

  it('draws a path for the camera', async () => {
    const { page } = studio;
    await studio.clipMenu('two (continuation)', 'Extend clip…');
    await panel('Extend clip').getByText('320 × 180').waitFor();
    await panel('Extend clip').locator('#move').click();
    await page.getByRole('option', { name: 'Along a drawn path' }).click();
    await studio.drawPath([0.5, 0.5], [0.7, 0.45], [0.8, 0.25]);
    await panel('Extend clip').getByText('Ends 30 % right, 25 % up').waitFor();
    expect(await studio.violations()).toEqual([]);
  });

  it('makes previews of both clips', async () => {
    const { page } = studio;
    await page.getByRole('option', { name: /^one\.mp4/ }).click();
    await page.getByRole('option', { name: /^two\.mp4/ }).click({ modifiers: ['ControlOrMeta'] });
    await studio.clipMenu('two.mp4', 'Batch preview…');
    const dialog = page.getByRole('dialog', { name: 'Batch preview' });
    await dialog.getByText('2 clips selected').waitFor();
    await dialog.getByRole('textbox', { name: 'Length of each continuation' }).fill('0.5');
    await page.keyboard.press('Tab');
    await dialog.getByRole('radio', { name: 'Draft' }).click();
    expect(await studio.violations()).toEqual([]);
    const saved = page.waitForEvent('download', { timeout: 120_000 });
    await dialog.getByRole('button', { name: 'Make previews' }).click();
    const path = join(studio.folder, 'previews.zip');
    await (await saved).saveAs(path);
    await dialog.getByText('2 previews made. one previews.zip is in your downloads.').waitFor();
    expect(await studio.violations()).toEqual([]);
    const entries = unzipSync(readFileSync(path));
    const frames: number[] = [];
    for (const name of Object.keys(entries).filter((entry) => entry.endsWith('.mp4'))) {
      const preview = join(studio.folder, name);
      writeFileSync(preview, entries[name]!);
      frames.push((await decode(preview)).pictures.length);
    }
    expect(frames).toEqual([80 + 12, 48 + 12]);
    await dialog.getByRole('button', { name: 'Close' }).click();
  });

  it('saves, and reloads the page while frames are made: the panel is there again and goes on', async () => {
    const { page } = studio;
    await studio.clipMenu('two (continuation)', 'Extend clip…');
    await studio.setLength(10);
    await page.getByText('240 new frames').waitFor();
    const download = page.waitForEvent('download');
    await page.keyboard.press('Control+s');
    await (await download).saveAs(join(studio.folder, 'walk.otio'));
    await studio.saved();
    await page.getByRole('button', { name: 'Generate' }).click();
    await studio.framesMade(240);
    await page.reload();
    await panel('Extend clip').waitFor();
    await expect.poll(() => studio.clips()).toEqual(FILLED);
    await page.getByRole('button', { name: 'Insert', exact: true }).waitFor({ timeout: 90_000 });
    // The frames from before are part of it: nothing was begun again.
    await panel('Extend clip').getByText('this clip was made in two goes').waitFor();
    expect(await studio.violations()).toEqual([]);
    await insert();
    await expect.poll(() => studio.clips(), { timeout: 60_000 }).toEqual(LONG);
    expect(await studio.violations()).toEqual([]);
  });

  it('exports what is on the timeline, frame for frame, in its colours', async () => {
    const path = join(studio.folder, 'walk.mp4');
    await studio.export('MP4 video (H.264)', path);
    const exported = await decode(path);
    const [one, two] = [await decode(files[0]!), await decode(files[1]!)];
    expect(exported.facts).toMatchObject({
      codec: 'avc',
      size: { width: 320, height: 180 },
      rate: { num: 24, den: 1 },
      frameCount: 80 + 16 + 48 + 24 + 240,
      colour: one.facts.colour,
    });
    const own = [
      ...one.pictures.slice(0, 80).map((picture, i) => ({ at: i, picture })),
      ...two.pictures.map((picture, i) => ({ at: 96 + i, picture })),
    ];
    for (const { at, picture } of own) {
      const written = exported.pictures[at]!;
      expect(readNumber(written.y, 320, 180), `frame ${at}`).toBe(readNumber(picture.y, 320, 180));
      expect(psnr(written, picture), `frame ${at}`).toBeGreaterThanOrEqual(40);
      expect(colourPsnr(written, picture), `frame ${at}`).toBeGreaterThanOrEqual(40);
    }
  });
});

describe('the same walk with the keyboard alone', { timeout: 180_000 }, () => {
  let studio: StudioPage;
  let files: string[];
  const CUT = [
    { label: 'one.mp4', start: '00:00:00', frames: 20, made: false },
    { label: 'one.mp4', start: '00:01:06', frames: 10, made: false },
    { label: 'two.mp4', start: '00:01:16', frames: 24, made: false },
  ];
  const NEW = { label: 'two (continuation)', start: '00:02:16', frames: 24, made: true };
  const WHOLE = [
    CUT[0],
    { label: 'one (gap filled)', start: '00:00:20', frames: 10, made: true },
    ...CUT.slice(1),
    NEW,
  ];

  beforeAll(async () => {
    studio = await StudioPage.open();
    const facts = { width: 320, height: 180, fps: 24 };
    files = [
      await studio.clip('one.mp4', { ...facts, frames: 48 }),
      await studio.clip('two.mp4', { ...facts, frames: 24, first: 128 }),
    ];
  }, 240_000);
  afterAll(async () => studio?.close());
  afterEach(() => expect(studio.errors).toEqual([]));

  /** Presses keys one after the other. */
  async function press(...keys: string[]): Promise<void> {
    for (const key of keys) await studio.page.keyboard.press(key);
  }

  it('imports, trims and cuts a stretch out', async () => {
    const chooser = studio.page.waitForEvent('filechooser');
    await press('Control+o');
    await (await chooser).setFiles(files);
    await expect.poll(() => studio.clips()).toHaveLength(2);
    // Frames 40 to 47 go; what follows closes up. Then 20 to 29 go and leave a gap.
    await press('Home', ...Array<string>(4).fill('Shift+ArrowRight'), 'ArrowLeft', 'w');
    await press('Home', 'Shift+ArrowRight', 'Shift+ArrowRight', 's', 'Shift+ArrowRight', 's');
    await press('Escape', 'ArrowLeft', 'Shift+Delete');
    await expect.poll(() => studio.clips()).toEqual(CUT);
  });

  it('extends from the clip’s menu, inserts the second of two variations, undoes and redoes', async () => {
    const { page } = studio;
    await studio.tabTo('option', /^one\.mp4/);
    await press('ArrowDown', 'ArrowDown');
    await expect.poll(() => studio.timecode()).toBe('00:01:16');
    await press('Shift+F10');
    await expect.poll(() => studio.focusedText()).toMatch(/^Extend clip…/);
    await press('Enter');
    await page.getByText('48 new frames').waitFor();
    await studio.tabTo('textbox', / sec$/);
    await press('Control+a');
    await page.keyboard.type('1');
    await press('Tab');
    await page.getByText('24 new frames').waitFor();
    await studio.tabTo('radio', /^1$/);
    await press('ArrowRight', 'Enter');
    await studio.tabTo('button', /^Generate$/);
    await press('Enter');
    await page.getByText('Pick one to look closer').waitFor({ timeout: 90_000 });
    await studio.tabTo('button', /^Variation 2/);
    await press('Enter');
    await page.getByRole('button', { name: 'Insert', exact: true }).waitFor();
    await studio.tabTo('button', /^Insert$/);
    await press('Enter');
    await expect.poll(() => studio.clips(), { timeout: 60_000 }).toEqual([...CUT, NEW]);
    await press('Control+z');
    expect(await studio.clips()).toEqual(CUT);
    await press('Control+Shift+z');
    expect(await studio.clips()).toEqual([...CUT, NEW]);
  });

  it('fills the gap', async () => {
    const { page } = studio;
    await studio.tabTo('option', /^Gap of 10 frames/);
    await press('Enter');
    await page.getByText('10 frames are missing; exactly as many are made.').waitFor();
    await studio.tabTo('radio', /^2$/);
    await press('ArrowLeft', 'Enter');
    await studio.tabTo('button', /^Generate$/);
    await press('Enter');
    await page.getByRole('button', { name: 'Insert', exact: true }).waitFor({ timeout: 90_000 });
    await studio.tabTo('button', /^Insert$/);
    await press('Enter');
    await expect.poll(() => studio.clips(), { timeout: 60_000 }).toEqual(WHOLE);
  });

  it('draws a camera path, saves, reloads while frames are made, and inserts what went on', async () => {
    const { page } = studio;
    await studio.tabTo('option', /^one \(gap filled\)/);
    await press('ArrowDown', 'ArrowDown', 'ArrowDown', 'e');
    await page.getByText('320 × 180 · 24 fps').waitFor();
    await studio.tabTo('textbox', / sec$/);
    await press('Control+a');
    await page.keyboard.type('10');
    await press('Tab');
    await page.getByText('240 new frames').waitFor();
    await studio.tabTo('button', /Camera$/);
    await press('Enter');
    await page.getByRole('option', { name: 'Along a drawn path' }).waitFor();
    // The list takes the focus a moment after it is on screen: step by step, and look where the focus is.
    await expect
      .poll(async () => {
        const there = async () => (await studio.focusedText()) === 'Along a drawn path';
        if (await there()) return true;
        await press('ArrowDown');
        await page.waitForTimeout(150);
        return there();
      })
      .toBe(true);
    await press('Enter');
    await studio.tabTo('application', /^Along a drawn path/);
    await press('ArrowRight', 'ArrowRight', 'ArrowUp', 'ArrowUp', 'ArrowUp', 'Backspace');
    await page.getByText('Ends 10 % right, 10 % up').waitFor();
    const download = page.waitForEvent('download');
    await press('Control+s');
    expect((await download).suggestedFilename()).toBe('one (Studio).otio');
    await studio.saved();
    await studio.tabTo('button', /^Generate$/);
    await press('Enter');
    await studio.framesMade(240);
    await page.reload();
    await page.getByText('this clip was made in two goes').waitFor({ timeout: 90_000 });
    await studio.tabTo('button', /^Insert$/);
    await press('Enter');
    await expect.poll(() => studio.clips(), { timeout: 60_000 }).toHaveLength(WHOLE.length + 1);
  });

  it('makes previews of the two clips', async () => {
    const { page } = studio;
    await studio.tabTo('button', /^Close panel$/);
    await press('Enter');
    await press('Control+a', 'b');
    const dialog = page.getByRole('dialog', { name: 'Batch preview' });
    await dialog.getByText('6 clips selected').waitFor();
    await press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    await press('Escape');
    await studio.tabTo('option', /^one\.mp4/);
    await press('Enter', 'b');
    await dialog.getByText('1 clip selected').waitFor();
    await studio.tabTo('textbox', /^Length of each/);
    await press('Control+a');
    await page.keyboard.type('0.5');
    await studio.tabTo('button', /^Make previews$/);
    const saved = page.waitForEvent('download', { timeout: 120_000 });
    await press('Enter');
    expect((await saved).suggestedFilename()).toBe('one previews.zip');
    await dialog.getByText('1 preview made.').waitFor();
    await studio.tabTo('button', /^Close$/);
    await press('Enter');
  });

  it('exports every frame of the two clips in its place', async () => {
    const { page } = studio;
    const download = page.waitForEvent('download', { timeout: 120_000 });
    await press('Control+e');
    await expect.poll(() => studio.focusedText()).toBe('MP4 video (H.264)');
    await press('Enter');
    const path = join(studio.folder, 'keys.mp4');
    await (await download).saveAs(path);
    const { facts, pictures } = await decode(path);
    expect(facts).toMatchObject({ frameCount: 40 + 24 + 24 + 240, rate: { num: 24, den: 1 } });
    const own = [...Array(64).keys()].filter((frame) => frame < 20 || frame >= 30);
    const number = (frame: number) => (frame < 40 ? frame : 128 + frame - 40);
    expect(own.map((frame) => readNumber(pictures[frame]!.y, 320, 180))).toEqual(own.map(number));
  });
});
