import { expect, it } from 'vitest';
import { AddOnPage, decode } from './add-on-page.ts';

/** Process that the browser's graphics calls run in. */
async function gpuProcess(addOn: AddOnPage): Promise<number> {
  const session = await addOn.page.context().browser()!.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.find(({ type }) => type === 'GPU')!.id;
}

it(
  'makes every frame although the browser’s GPU process crashes half way',
  { timeout: 240_000 },
  async () => {
    const addOn = await AddOnPage.withClip({
      seconds: 5,
      config: { model: 'models/tiny/', backend: 'webgpu' },
    });
    const at = (selector: string) => addOn.panel.locator(selector);
    try {
      await at('#generate').click();
      await expect
        .poll(() => at('#rollout-facts').innerText(), { timeout: 150_000, interval: 50 })
        .toMatch(/^[1-9]\d* of 120/);
      const crashed = await gpuProcess(addOn);
      process.kill(crashed, 'SIGKILL');
      await at('#insert').waitFor({ timeout: 150_000 });
      expect(await gpuProcess(addOn)).not.toBe(crashed);
      await at('#insert').click();
      await at('[data-notice=done]').waitFor({ timeout: 90_000 });
      expect((await decode((await addOn.lastVideo()).bytes)).facts.frameCount).toBe(120);
    } finally {
      await addOn.close();
    }
  },
);
