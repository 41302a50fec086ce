import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import { chromium, type Browser, type BrowserContext, type CDPSession, type Page } from 'playwright';
import { serveStudio } from '../../scripts/start.mjs';
import { builtPage } from '../built-page.ts';
import { layoutFaults } from './layout.ts';
import { longTasks, type LongTask } from './long-tasks.ts';
import { BITS, makeClip, type TestClip } from './make-clip.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Studio built, served and open in a real Chromium; what the tests do with it goes through mouse and keyboard. */
export class StudioPage {
  readonly errors: string[] = [];

  private constructor(
    /** Another one after `crash`. */
    public page: Page,
    readonly url: string,
    readonly folder: string,
    private readonly context: BrowserContext,
    private readonly browser: Browser,
    private readonly server: { close(): Promise<void> },
  ) {}

  /**
   * @param model folder of the world-model package that the server offers
   * @param site folder of the built page
   */
  static async open(
    model = join(root, 'test/fixtures/tiny/package'),
    site = builtPage('studio'),
  ): Promise<StudioPage> {
    const folder = mkdtempSync(join(tmpdir(), 'longtake-studio-'));
    const server = await serveStudio({ model, site });
    const browser = await chromium.launch({
      executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
      headless: false,
      args: [
        '--headless=new',
        '--no-sandbox',
        '--enable-unsafe-webgpu',
        '--disable-background-networking',
        '--no-first-run',
      ],
    });
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      acceptDownloads: true,
    });
    // Software rendering on a busy machine: an element that comes late is no fault.
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    const studio = new StudioPage(page, server.url, folder, context, browser, server);
    studio.listen();
    await page.goto(server.url);
    await page.getByRole('button', { name: 'Choose clips…' }).waitFor();
    return studio;
  }

  async close(): Promise<void> {
    await this.context.close();
    await this.browser.close();
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private listen(): void {
    // Playwright takes file choosers over while somebody listens, from a moment after they begin to: a key that opens one
    // can be faster. So there is always a listener.
    this.page.on('filechooser', () => undefined);
    this.page.on('pageerror', (error) => this.errors.push(String(error.stack ?? error)));
    this.page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
  }

  /** The tab's process dies; Studio is opened again in another tab, as the browser's “Restore” does. */
  async crash(): Promise<void> {
    const crashed = this.page.waitForEvent('crash');
    const client = await this.devTools();
    void client.send('Page.crash').catch(() => undefined);
    await crashed;
    const old = this.page;
    this.page = await this.context.newPage();
    this.listen();
    await old.close();
    await this.page.goto(this.url);
  }

  /**
   * Ends a worker of the page.
   * @param how `loud`: it fails at the bottom of its event loop; `silent`: it is gone and nobody is told
   */
  async endWorker(name: string, how: 'loud' | 'silent' = 'loud'): Promise<void> {
    const find = () => this.page.workers().find((candidate) => candidate.url().includes(name));
    for (let tries = 0; !find() && tries < 200; tries += 1) await this.page.waitForTimeout(20);
    const worker = find();
    if (!worker) throw new Error(`There is no worker “${name}”.`);
    await worker.evaluate((silent) => {
      setTimeout(() => {
        if (silent) return globalThis.close();
        throw new Error('The worker has died.');
      });
    }, how === 'silent');
  }

  /**
   * Takes from the page what a browser takes from a hidden tab: animation frames, and timers of less than a second. A headless
   * browser hides no tab itself. @returns gives it back
   */
  async hide(): Promise<() => Promise<void>> {
    await this.page.evaluate(() => {
      const { requestAnimationFrame: frames, setTimeout: timer } = window;
      const held: FrameRequestCallback[] = [];
      window.requestAnimationFrame = (callback) => -held.push(callback);
      const late = (handler: TimerHandler, delay = 0, ...rest: unknown[]) =>
        timer(handler, Math.max(1000, delay), ...rest);
      window.setTimeout = late as typeof window.setTimeout;
      const see = (state: DocumentVisibilityState): void => {
        Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => state === 'hidden' });
        document.dispatchEvent(new Event('visibilitychange'));
      };
      window.addEventListener('test-show', () => {
        Object.assign(window, { requestAnimationFrame: frames, setTimeout: timer });
        see('visible');
        for (const callback of held) frames(callback);
      });
      see('hidden');
    });
    return () => this.page.evaluate(() => void window.dispatchEvent(new Event('test-show')));
  }

  /** The browser's own tools, for what no hand can do. */
  devTools(): Promise<CDPSession> {
    return this.context.newCDPSession(this.page);
  }

  /** Makes a numbered clip and returns its path. */
  async clip(name: string, facts: TestClip): Promise<string> {
    const path = join(this.folder, name);
    writeFileSync(path, await makeClip(facts));
    return path;
  }

  /** Opens files through a button and the browser's file chooser. */
  async choose(button: string, ...paths: string[]): Promise<void> {
    const chooser = this.page.waitForEvent('filechooser');
    await this.page.getByRole('button', { name: button }).click();
    await (await chooser).setFiles(paths);
  }

  /** Chooses from the menu of a clip of this name, opened by a right-click. @param which where several have it */
  async clipMenu(label: string, entry: string, which = 0): Promise<void> {
    await this.page
      .getByRole('option', { name: new RegExp(`^${label.replace(/[.()]/g, '\\$&')}`) })
      .nth(which)
      .click({ button: 'right', position: { x: 20, y: 40 } });
    await this.page.getByRole('menuitem', { name: entry }).click();
  }

  /** Waits until what is on the timeline is in the browser's private storage. */
  async saved(): Promise<void> {
    const kept = () =>
      this.page.evaluate(async () => {
        const root = await navigator.storage.getDirectory();
        const home = await root.getDirectoryHandle('studio');
        const handle = await home.getFileHandle('project.json').catch(() => null);
        // A file that is being made is empty at first, one that is being replaced can not be read.
        const file = await handle?.getFile();
        const text = (await file?.text().catch(() => null)) ?? null;
        if (text === null && file) return ['being written'];
        const json = text || '{"tracks":[]}';
        const project = JSON.parse(json) as {
          tracks: { clips: { id: string; in: number; out: number }[] }[];
        };
        return project.tracks.flatMap(({ clips }) => clips.map((clip) => `${clip.id} ${clip.out - clip.in}`));
      });
    const shown = async () => {
      const clips = this.page.locator('studio-clip');
      const ids = await clips.evaluateAll((all) => all.map((clip) => clip.getAttribute('data-clip')!));
      return (await this.clips()).map(({ frames }, i) => `${ids[i]} ${frames}`);
    };
    // The same may lie there from before an edit that was taken back, with the edit still on its way to the disk.
    let since: number | null = null;
    for (const began = Date.now(); Date.now() - began < 60_000;) {
      if (String(await kept()) !== String(await shown())) since = null;
      else since ??= Date.now();
      if (since !== null && Date.now() - since > 1500) return;
      await this.page.waitForTimeout(100);
    }
    throw new Error('The project was not saved in time.');
  }

  /** Reloads the page when everything is saved. */
  async reload(): Promise<void> {
    await this.saved();
    await this.page.reload();
  }

  /** Waits for frames of a rollout to be on show. @returns how many are made */
  async framesMade(total: number, atLeast = 1): Promise<number> {
    const facts = this.page.locator('longtake-panel #rollout-facts');
    const pattern = new RegExp(`^(\\d+) of ${total} frames`);
    for (const began = Date.now(); Date.now() - began < 90_000;) {
      const text = await facts.innerText({ timeout: 90_000 });
      const made = Number(pattern.exec(text)?.[1] ?? 0);
      if (made >= atLeast) return made;
      await this.page.waitForTimeout(50);
    }
    throw new Error(`${atLeast} of ${total} frames were not made in time.`);
  }

  /** Draws a path for the camera. @param points in parts of the picture's size */
  async drawPath(...points: [number, number][]): Promise<void> {
    const field = this.page.locator('longtake-camera-path .field');
    // One draws on the picture, once it is there.
    await field.locator('canvas').waitFor();
    await field.scrollIntoViewIfNeeded();
    const box = (await field.boundingBox())!;
    const [first, ...rest] = points.map(([x, y]) => [box.x + x * box.width, box.y + y * box.height] as const);
    await this.page.mouse.move(...first!);
    await this.page.mouse.down();
    for (const point of rest) await this.page.mouse.move(...point, { steps: 8 });
    await this.page.mouse.up();
  }

  /** Generates and waits for the result. */
  async generate(): Promise<void> {
    await this.page.getByRole('button', { name: 'Generate' }).click();
    await this.page.getByRole('button', { name: 'Insert', exact: true }).waitFor({ timeout: 90_000 });
  }

  /** Exports through the button's menu and saves what is downloaded. @returns the name that was proposed */
  async export(kind: string, path: string): Promise<string> {
    const download = this.page.waitForEvent('download');
    await this.page.getByRole('button', { name: 'Export…' }).click();
    await this.page.getByRole('menuitem', { name: kind }).click();
    const file = await download;
    await file.saveAs(path);
    return file.suggestedFilename();
  }

  /** Drops files onto the middle of the window, as the operating system does. */
  async drop(...paths: string[]): Promise<void> {
    const client = await this.context.newCDPSession(this.page);
    const data = { items: [], files: paths, dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await client.send('Input.dispatchDragEvent', { type, x: 400, y: 300, data });
    }
    await client.detach();
  }

  /** Drops a file that is no video, and waits to be told. */
  async refused(): Promise<void> {
    const path = join(this.folder, 'notes.mp4');
    writeFileSync(path, 'no video at all');
    await this.drop(path);
    await this.page.getByText(/“notes.mp4” is no video file/).waitFor();
  }

  /** Text of the element that has the focus. */
  async focusedText(): Promise<string> {
    return this.page.evaluate(() => {
      let active = document.activeElement;
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      return active?.textContent?.trim().replace(/\s+/g, ' ') ?? '';
    });
  }

  /** Presses Tab until a control with this role and name has the focus. */
  async tabTo(role: 'button' | 'option' | 'application' | 'radio' | 'textbox', name: RegExp): Promise<void> {
    const target = this.page.getByRole(role, { name }).first();
    for (let presses = 0; presses < 60; presses += 1) {
      await this.page.keyboard.press('Tab');
      const there = await target.evaluate((element) => {
        let active = document.activeElement;
        while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
        return active === element;
      });
      if (there) return;
    }
    throw new Error(`Tab never reached ${role} ${name}`);
  }

  /** Types a length in seconds into the panel. */
  async setLength(seconds: number): Promise<void> {
    const field = this.page.locator('#length sp-number-field input');
    await field.click();
    await this.page.keyboard.press('Control+a');
    await this.page.keyboard.type(String(seconds));
    await this.page.keyboard.press('Tab');
  }

  /** Chooses how many variations the panel makes. */
  async setVariations(count: number): Promise<void> {
    await this.page
      .locator('longtake-panel #variations')
      .getByRole('radio', { name: String(count), exact: true })
      .click();
  }

  /** Clips on the timeline: label, first frame, length and the badge, read off the screen reader's names. */
  async clips(): Promise<{ label: string; start: string; frames: number; made: boolean }[]> {
    const names = await this.page
      .locator('studio-clip')
      .evaluateAll((elements) => elements.map((element) => element.getAttribute('aria-label') ?? ''));
    return names.map((name) => {
      const match = /^(.*?)(?: \S+ · seed .*)?, from ([\d:]+), (\d+) frames at /.exec(name);
      if (!match) throw new Error(`unexpected name of a clip: ${name}`);
      const made = name.endsWith('made by Longtake');
      return { label: match[1]!, start: match[2]!, frames: Number(match[3]), made };
    });
  }

  /** The timecode under the viewer. */
  async timecode(): Promise<string> {
    return (await this.page.locator('studio-transport .time').innerText()).replace(/[^\d:]/g, '');
  }

  /** The number painted into the frame that the viewer shows. */
  async shownNumber(): Promise<number> {
    return this.page.locator('studio-viewer canvas').evaluate((element, bits) => {
      const canvas = element as HTMLCanvasElement;
      const context = canvas.getContext('2d')!;
      let number = 0;
      for (let bit = 0; bit < bits; bit += 1) {
        const x = Math.floor(((bit + 0.5) * canvas.width) / bits);
        const [, green] = context.getImageData(x, Math.floor(canvas.height / 16), 1, 1).data;
        if (green! > 126) number |= 1 << bit;
      }
      return number;
    }, BITS);
  }

  /** See `longTasks`. */
  async longTasks(limit: number, work: () => Promise<void>): Promise<LongTask[]> {
    return longTasks(this.browser, this.page, limit, work);
  }

  /** Waits for the end of transitions; what turns for ever does not count. */
  async settled(): Promise<void> {
    await this.page.evaluate(async () => {
      const ending = () =>
        document.getAnimations().filter(({ effect }) => Number.isFinite(effect?.getComputedTiming().endTime));
      // A transition begins with the frame after the change.
      for (let quiet = 0; quiet < 3; quiet += 1) {
        await new Promise(requestAnimationFrame);
        const running = ending();
        if (running.length > 0) quiet = 0;
        await Promise.allSettled(running.map(({ finished }) => finished));
      }
    });
  }

  /** What is wrong with the layout in a window of a size, as `layoutFaults` tells; the window keeps it. */
  async layoutFaults(width: number, height: number): Promise<string[]> {
    await this.page.setViewportSize({ width, height });
    await this.page.evaluate(() => new Promise(requestAnimationFrame));
    await this.settled();
    return layoutFaults(this.page);
  }

  /** Switches to the other theme with the button. */
  async otherTheme(): Promise<void> {
    await this.page.getByRole('button', { name: /^(Light|Dark) theme$/ }).click();
    // Its tooltip would lie over what is looked at.
    await this.page.mouse.move(4, 60);
  }

  /** What axe-core finds wrong with the page as it is now; empty when nothing. */
  async violations(): Promise<string[]> {
    await this.settled();
    await this.page.evaluate(axe.source);
    return this.page.evaluate(async () => {
      const { axe: checker } = globalThis as unknown as { axe: typeof import('axe-core') };
      const { violations } = await checker.run(document);
      return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')}`));
    });
  }
}
