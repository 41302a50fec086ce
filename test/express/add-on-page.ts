import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BufferSource } from 'mediabunny';
import { chromium, type BrowserContext, type Frame, type FrameLocator, type Page } from 'playwright';
import { builtPage } from '../built-page.ts';
import { openClip, type ClipFacts } from '../../src/media/open-clip.ts';
import { registerMediaCodecs } from '../../src/media/node/register.ts';
import { pictureToRgba } from '../../src/media/rgb.ts';
import type { RgbaFrame } from '../../src/engine/types.ts';
import { writePaintedClip } from '../media/painted-clip.ts';
import type { HostSettings, RecordedCall } from './stand-in/protocol.ts';
import { installSdk, startStandIn, type StandInServer } from './stand-in/server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const AXE = readFileSync(join(root, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8');

export interface AddOnPageOptions {
  /** Built add-on to serve; the one with the tiny model unless given. */
  addOn?: string;
  /** File that a rendition of the page gives. */
  page: string;
  /** Whether the browser lets a foreign iframe keep data, as Chrome does by default and Debian's Chromium does not. */
  storage?: boolean;
  webgpu?: boolean;
  viewport?: { width: number; height: number };
  /** Query of the host page: `theme=dark&locale=de-DE`. */
  query?: string;
  /** In place of the configuration that the add-on was built with. */
  config?: { model: string; backend: 'webgpu' | 'ort' };
  /** Runs in the add-on's page before its own scripts. */
  before?: string;
}

interface StandInWindow {
  standIn: {
    settings: HostSettings;
    calls: RecordedCall[];
    setTheme(theme: string): void;
    setLocale(locale: string): void;
    bytes(blob: Blob): Promise<string>;
  };
}

/** The add-on in its stand-in host, in a real browser. */
export class AddOnPage {
  /** Of the clip that was painted for this page. */
  #folder: string | null = null;

  private constructor(
    readonly page: Page,
    readonly panel: FrameLocator,
    /** Errors that nobody caught, and what the console calls one. */
    readonly errors: string[],
    private readonly context: BrowserContext,
    private readonly server: StandInServer,
    private readonly profile: string,
  ) {}

  /** The add-on with a small painted clip of 30 frames at 24 a second chosen, and a length set. */
  static async withClip(
    options: Omit<AddOnPageOptions, 'page'> & { seconds?: number } = {},
  ): Promise<AddOnPage> {
    registerMediaCodecs();
    const folder = mkdtempSync(join(tmpdir(), 'longtake-clip-'));
    const clip = join(folder, 'street.mp4');
    await writePaintedClip(clip, { width: 320, height: 180, rate: 24, frames: 30 });
    const { seconds, ...rest } = options;
    const addOn = await AddOnPage.open({ ...rest, page: clip });
    addOn.#folder = folder;
    await addOn.choose(clip);
    if (seconds !== undefined) await addOn.setSeconds(seconds);
    return addOn;
  }

  static async open(options: AddOnPageOptions): Promise<AddOnPage> {
    const server = await startStandIn({ addOn: options.addOn ?? builtPage('express'), page: options.page });
    const profile = mkdtempSync(join(tmpdir(), 'longtake-express-'));
    if (options.storage !== false) {
      mkdirSync(join(profile, 'Default'));
      const preferences = { profile: { cookie_controls_mode: 0, block_third_party_cookies: false } };
      writeFileSync(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences));
    }
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
      args: [
        '--headless=new',
        '--no-sandbox',
        '--disable-background-networking',
        '--no-first-run',
        ...(options.webgpu === false ? [] : ['--enable-unsafe-webgpu']),
      ],
      viewport: options.viewport ?? { width: 1000, height: 900 },
    });
    await installSdk(context);
    // Software rendering on a busy machine: an element that comes late is no fault.
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    // As in Studio's tests: Playwright would take the first file chooser over too late.
    page.on('filechooser', () => undefined);
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    const { config } = options;
    if (config) await page.route('**/longtake.config.json', (route) => route.fulfill({ json: config }));
    if (options.before) await page.addInitScript(options.before);
    await page.goto(`${server.url}${options.query ? `?${options.query}` : ''}`);
    const panel = page.frameLocator('iframe');
    await panel.locator('longtake-source').waitFor();
    return new AddOnPage(page, panel, errors, context, server, profile);
  }

  async close(): Promise<void> {
    await this.context.close();
    await this.server.close();
    rmSync(this.profile, { recursive: true, force: true });
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The clip of `withClip`. */
  get clip(): string {
    return join(this.#folder!, 'street.mp4');
  }

  /** Adds the result on show to the page and returns the frames of the file, in the order of time. */
  async insertResult(): Promise<RgbaFrame[]> {
    const before = await this.count('addVideo');
    await this.panel.locator('#insert').click();
    await this.page.waitForFunction(
      (wanted) =>
        (window as unknown as StandInWindow).standIn.calls.filter(({ name }) => name === 'addVideo')
          .length === wanted,
      before + 1,
      { timeout: 60_000 },
    );
    return (await decode((await this.lastVideo()).bytes)).frames;
  }

  /** The add-on's own frame. */
  get frame(): Frame {
    return this.page.frames().find((frame) => frame.parentFrame() !== null)!;
  }

  /** Opens the add-on anew, as Express does after it has torn it down; the host keeps the small values. */
  async reopen(): Promise<void> {
    await this.frame.goto(this.frame.url());
    await this.panel.locator('longtake-source').waitFor();
  }

  /** Changes what the host does from now on. */
  async configure(settings: Partial<HostSettings>): Promise<void> {
    await this.page.evaluate(
      (change) => Object.assign((window as unknown as StandInWindow).standIn.settings, change),
      settings,
    );
  }

  setTheme(theme: 'light' | 'dark'): Promise<void> {
    return this.page.evaluate((value) => (window as unknown as StandInWindow).standIn.setTheme(value), theme);
  }

  setLocale(locale: string): Promise<void> {
    return this.page.evaluate(
      (value) => (window as unknown as StandInWindow).standIn.setLocale(value),
      locale,
    );
  }

  /** Number of calls of one name that the host has had. */
  count(name: string): Promise<number> {
    return this.page.evaluate(
      (wanted) =>
        (window as unknown as StandInWindow).standIn.calls.filter((call) => call.name === wanted).length,
      name,
    );
  }

  /** The last `addVideo`: what came with it, and its file. */
  async lastVideo(): Promise<{ type: string; attributes: unknown; data: unknown; bytes: Uint8Array }> {
    const call = await this.page.evaluate(async () => {
      const { standIn } = window as unknown as StandInWindow;
      const last = standIn.calls.filter(({ name }) => name === 'addVideo').at(-1)!;
      const [blob, attributes, data] = last.args as [Blob, unknown, unknown];
      return { type: blob.type, attributes, data, base64: await standIn.bytes(blob) };
    });
    return { ...call, bytes: new Uint8Array(Buffer.from(call.base64, 'base64')) };
  }

  /** Picks a file with the button and the browser's own dialog. */
  async choose(file: string): Promise<void> {
    const [dialog] = await Promise.all([
      this.page.waitForEvent('filechooser'),
      this.panel.locator('#choose').click(),
    ]);
    await dialog.setFiles(file);
    await this.panel.locator('#source-facts').waitFor();
  }

  /** Drops a file onto the drop zone. */
  async drop(file: string, name: string): Promise<void> {
    const base64 = readFileSync(file).toString('base64');
    await this.panel.locator('.drop').evaluate(
      (zone, { base64, name }) => {
        const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([bytes], name, { type: 'video/mp4' }));
        for (const type of ['dragenter', 'dragover', 'drop']) {
          zone.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
        }
      },
      { base64, name },
    );
  }

  /** Sets the length by typing into its field. */
  async setSeconds(seconds: number): Promise<void> {
    const field = this.panel
      .locator('#length input[inputmode]')
      .or(this.panel.locator('#length sp-number-field input'));
    await field.first().fill(String(seconds));
    await field.first().press('Enter');
  }

  /** Ids of axe-core's rules that the add-on breaks now. */
  async violations(): Promise<string[]> {
    await this.frame.evaluate(AXE);
    return this.frame.evaluate(async () => {
      const { axe } = window as unknown as {
        axe: {
          run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
        };
      };
      const { violations } = await axe.run();
      return violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map((n) => `${n.html} ${n.failureSummary}`).join(' | ')}`,
      );
    });
  }

  /** Texts that do not fit: wider than the panel, or cut off inside their own box. */
  misfits(): Promise<string[]> {
    return this.frame.evaluate(() => {
      const found: string[] = [];
      const visit = (node: Element | ShadowRoot) => {
        for (const element of node.children) {
          if (element.shadowRoot) visit(element.shadowRoot);
          visit(element);
          const box = element.getBoundingClientRect();
          if (box.width === 0 || box.height === 0) continue;
          const style = getComputedStyle(element);
          if (style.visibility === 'hidden' || style.position === 'absolute' || style.clipPath !== 'none')
            continue;
          const name = `${element.tagName.toLowerCase()}#${element.id}.${element.getAttribute('class') ?? ''}`;
          if (box.right > innerWidth + 0.5 || box.left < -0.5) found.push(`${name} leaves the panel`);
          const cut = style.overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1;
          // A name may be shortened with dots; a control's own words may not.
          if (cut && !element.classList.contains('ellipsis') && element.tagName !== 'INPUT') {
            found.push(`${name} cuts off “${element.textContent?.trim().slice(0, 40)}”`);
          }
        }
      };
      visit(document.body);
      return found;
    });
  }
}

/** A video file's facts and all its frames. */
export async function decode(bytes: Uint8Array): Promise<{ facts: ClipFacts; frames: RgbaFrame[] }> {
  const clip = await openClip(new BufferSource(bytes), 'inserted.mp4');
  const frames: RgbaFrame[] = [];
  for await (const picture of clip.pictures()) frames.push(pictureToRgba(picture, clip.facts.colour));
  clip.dispose();
  return { facts: clip.facts, frames };
}
