import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerMediaCodecs } from '../../src/media/node/register.ts';
import { writePaintedClip } from '../media/painted-clip.ts';
import { AddOnPage, decode } from './add-on-page.ts';

let folder: string;
let clip: string;

beforeAll(async () => {
  registerMediaCodecs();
  folder = mkdtempSync(join(tmpdir(), 'longtake-clips-'));
  clip = join(folder, 'street.mp4');
  await writePaintedClip(clip, { width: 320, height: 180, rate: 24, frames: 30 });
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a browser that can do less', { timeout: 120_000 }, () => {
  it('works without WebGPU and without storage, and says what that means', async () => {
    const addOn = await AddOnPage.open({ page: clip, storage: false, webgpu: false });
    const at = (selector: string) => addOn.panel.locator(selector);
    try {
      expect(await at('#no-webgpu').innerText()).toContain('takes several times longer');
      await at('text=insert them before you close the panel').waitFor();
      expect(await addOn.violations()).toEqual([]);
      await addOn.choose(clip);
      await addOn.setSeconds(1);
      await at('#generate').click();
      await at('#insert').waitFor({ timeout: 90_000 });
      expect(await at('#speed').innerText()).toContain('(processor)');
      await at('#insert').click();
      await at('[data-notice=done]').waitFor({ timeout: 60_000 });
      expect((await decode((await addOn.lastVideo()).bytes)).facts.frameCount).toBe(24);
    } finally {
      await addOn.close();
    }
  });

  it('lets the editor look, and says what to do, where H.264 cannot be written', async () => {
    const addOn = await AddOnPage.open({ page: clip, before: 'delete globalThis.VideoEncoder' });
    const at = (selector: string) => addOn.panel.locator(selector);
    try {
      expect(await at('#no-h264').innerText()).toContain('open the panel in a current Chrome or Edge');
      await addOn.choose(clip);
      await addOn.setSeconds(1);
      await at('#generate').click();
      await at('#insert').waitFor({ timeout: 90_000 });
      expect(await at('#insert').isDisabled()).toBe(true);
      expect(await addOn.violations()).toEqual([]);
    } finally {
      await addOn.close();
    }
  });

  it('keeps what was made when the storage is full, and says so', async () => {
    // Room for some twenty files, then none.
    const before = `{
      const create = FileSystemFileHandle.prototype.createWritable;
      let room = 20;
      FileSystemFileHandle.prototype.createWritable = function (...args) {
        if (room-- <= 0) return Promise.reject(new DOMException('full', 'QuotaExceededError'));
        return create.apply(this, args);
      };
    }`;
    const addOn = await AddOnPage.open({ page: clip, before });
    const at = (selector: string) => addOn.panel.locator(selector);
    try {
      await addOn.choose(clip);
      await at('#generate').click();
      await at('[data-notice=error]').waitFor({ timeout: 60_000 });
      expect(await at('[data-notice=error]').innerText()).toContain('no room left to keep generated clips');
      await at('#source-label').waitFor();
      expect(addOn.errors).toEqual([]);
    } finally {
      await addOn.close();
    }
  });

  it('uses WebGPU in the foreign iframe', async () => {
    const addOn = await AddOnPage.open({ page: clip });
    const at = (selector: string) => addOn.panel.locator(selector);
    try {
      // Software devices are passed over unless they are asked for.
      await addOn.page.route('**/longtake.config.json', (route) =>
        route.fulfill({ json: { model: 'models/tiny/', backend: 'webgpu' } }),
      );
      await addOn.choose(clip);
      await addOn.setSeconds(1);
      await at('#generate').click();
      await at('#insert').waitFor({ timeout: 100_000 });
      expect(await at('#speed').innerText()).toContain('(WebGPU)');
      await at('#insert').click();
      await at('[data-notice=done]').waitFor({ timeout: 60_000 });
      const { data, bytes } = await addOn.lastVideo();
      expect(data).toMatchObject({ nodeAddOnData: { 'longtake.backend': 'webgpu' } });
      expect((await decode(bytes)).facts.frameCount).toBe(24);
    } finally {
      await addOn.close();
    }
  });

  it('refuses a model whose weights arrived damaged', async () => {
    const addOn = await AddOnPage.open({ page: clip });
    const at = (selector: string) => addOn.panel.locator(selector);
    try {
      await addOn.page.route('**/weights.safetensors', async (route) => {
        const response = await route.fetch();
        const body = await response.body();
        body[body.length >> 1]! ^= 1;
        await route.fulfill({ response, body });
      });
      await addOn.choose(clip);
      await at('#generate').click();
      await at('[data-notice=error]').waitFor({ timeout: 60_000 });
      expect(await at('[data-notice=error] strong').innerText()).toBe('The model is damaged');
      expect(await at('#source-label').innerText()).toBe('street.mp4');
      expect(await at('longtake-clip-list li').count()).toBe(0);
    } finally {
      // The panel measures its speed, too: weights may be on their way still.
      await addOn.page.unrouteAll({ behavior: 'wait' });
      await addOn.close();
    }
  });
});
