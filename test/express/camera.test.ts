import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { psnr } from '../media/painted-frame.ts';
import { AddOnPage } from './add-on-page.ts';

let addOn: AddOnPage;
const at = (selector: string) => addOn.panel.locator(selector);

beforeAll(async () => {
  addOn = await AddOnPage.withClip({ seconds: 1 });
}, 240_000);
afterAll(() => addOn?.close());

/** Chooses what the camera does from the list. */
async function choose(kind: string): Promise<void> {
  await at('#move').click();
  await at(`#move sp-menu-item[value=${kind}]`).click();
}

/** Generates, adds the new part to the page and returns its frames. */
async function make(start: string) {
  await at(start).click();
  await at('#insert').waitFor({ timeout: 60_000 });
  return addOn.insertResult();
}

/** Presses the pointer in a place of the picture, in parts of its size, and draws on to the others. */
async function draw(...points: [number, number][]): Promise<void> {
  const field = at('longtake-camera-path .field');
  await field.scrollIntoViewIfNeeded();
  const box = (await field.boundingBox())!;
  const [first, ...rest] = points.map(([x, y]) => [box.x + x * box.width, box.y + y * box.height] as const);
  await addOn.page.mouse.move(...first!);
  await addOn.page.mouse.down();
  for (const point of rest) await addOn.page.mouse.move(...point, { steps: 8 });
  await addOn.page.mouse.up();
}

const ends = () => at('longtake-camera-path #ends').innerText();

describe('an editor directs the camera', { timeout: 120_000 }, () => {
  it('by a move and how far it goes', async () => {
    const free = await make('#generate');
    await at('#close-result').click();
    await choose('pan-left');
    expect(await at('#move-amount input').first().inputValue()).toBe('30');
    const panned = await make('#generate');
    expect(panned).toHaveLength(free.length);
    expect(psnr(panned.at(-1)!, free.at(-1)!)).toBeLessThan(45);
    await at('#close-result').click();
    const amount = at('#move-amount sp-number-field input');
    await amount.fill('90');
    await amount.press('Enter');
    const further = await make('#generate');
    expect(psnr(further.at(-1)!, panned.at(-1)!)).toBeLessThan(45);
  });

  it('and keeps the move for a variation', async () => {
    await make('#retry');
    await at('#close-result').click();
    expect(await at('#move button').innerText()).toContain('Pan left');
    expect(await at('#move-amount sp-number-field input').inputValue()).toMatch(/^90/);
  });

  it('is told why a move is not to be had', async () => {
    await at('#move').click();
    expect(await at('#move sp-menu-item[value=continue]').getAttribute('aria-disabled')).toBe('true');
    await addOn.page.keyboard.press('Escape');
  });

  it('by a path drawn over the frame at the cut', async () => {
    await choose('path');
    await at('longtake-camera-path canvas').waitFor();
    // The picture is the clip's last frame, not an empty canvas.
    const colours = await at('longtake-camera-path canvas').evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      return new Set(canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data).size;
    });
    expect(colours).toBeGreaterThan(4);
    expect(await ends()).toBe('No path yet: the camera rests.');
    await draw([0.55, 0.45], [0.7, 0.5], [0.8, 0.25]);
    expect(await ends()).toBe('Ends 30 % right, 25 % up');
    const line = await at('longtake-camera-path polyline.line').getAttribute('points');
    expect(line!.split(' ').length).toBeGreaterThan(8);
    expect(await at('longtake-camera-path .ring').count()).toBe(1);
    const dot = at('longtake-camera-path .dot');
    expect(Number(await dot.getAttribute('cy'))).toBeCloseTo(25, 0);
  });

  it('draws anew, clears, and draws with the keyboard', async () => {
    await draw([0.5, 0.5], [0.2, 0.5]);
    expect(await ends()).toBe('Ends 30 % left, 0 % up');
    await at('#clear-path').click();
    expect(await ends()).toBe('No path yet: the camera rests.');
    expect(await at('#clear-path').isDisabled()).toBe(true);
    await at('longtake-camera-path .field').focus();
    for (const key of ['ArrowLeft', 'ArrowLeft', 'ArrowUp', 'ArrowRight', 'Backspace']) {
      await addOn.page.keyboard.press(key);
    }
    expect(await ends()).toBe('Ends 10 % left, 5 % up');
    for (let i = 0; i < 15; i++) await addOn.page.keyboard.press('ArrowLeft');
    expect(await ends()).toBe('Ends 50 % left, 5 % up');
  });

  it('sees what the path does, and finds it again for a variation', async () => {
    const left = await make('#generate');
    await at('#close-result').click();
    await draw([0.6, 0.5], [0.95, 0.5]);
    const right = await make('#generate');
    expect(psnr(left.at(-1)!, right.at(-1)!)).toBeLessThan(45);
    await make('#retry');
    await at('#close-result').click();
    expect(await ends()).toBe('Ends 45 % right, 0 % up');
  });

  it('draws where the view comes from before a clip, on the clip’s first frame', async () => {
    await at('#direction sp-action-button[value=backward]').click();
    await expect.poll(ends).toBe('Comes from 45 % right, 0 % up');
    expect(Number(await at('longtake-camera-path .dot').getAttribute('cy'))).toBeCloseTo(50, 0);
    await at('#direction sp-action-button[value=forward]').click();
  });

  it('in every language and theme, with nothing cut off', async () => {
    for (const kind of ['path', 'push-out', 'tilt-down']) {
      if (kind !== 'path') await choose(kind);
      for (const [locale, label] of [
        ['de-DE', 'Kamera'],
        ['pt-BR', 'Câmera'],
        ['en-US', 'Camera'],
      ] as const) {
        await addOn.setLocale(locale);
        await expect.poll(() => at('sp-field-label[for=move]').innerText()).toBe(label);
        expect(await addOn.misfits()).toEqual([]);
      }
      for (const theme of ['dark', 'light'] as const) {
        await addOn.setTheme(theme);
        await expect.poll(() => at('sp-theme').getAttribute('color')).toBe(theme);
        await expect.poll(() => addOn.violations()).toEqual([]);
      }
    }
    expect(addOn.errors).toEqual([]);
  });

  it('and starts without a path on another clip', async () => {
    await choose('path');
    await draw([0.5, 0.5], [0.6, 0.5]);
    await at('#change-source').click();
    await addOn.choose(addOn.clip);
    expect(await at('longtake-camera-path').count()).toBe(0);
  });
});
