import { existsSync } from 'node:fs';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';

const chromium = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const softwareVulkan = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (!process.env.VK_ICD_FILENAMES && !process.env.LONGTAKE_GPU && existsSync(softwareVulkan)) {
  process.env.VK_ICD_FILENAMES = softwareVulkan;
}

/** Judge how long the page's own thread is at work: nothing else runs beside them. */
const alone = ['test/studio/main-thread.test.ts'];

export default defineConfig({
  test: {
    // Software rendering and PyTorch-free rollouts on two cores: generous, so that a busy machine does not fail a test.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          environment: 'node',
          pool: 'forks',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.browser.test.ts', ...alone],
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          environment: 'node',
          pool: 'forks',
          include: alone,
          maxWorkers: 1,
          // After all others, which are in group 0.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        optimizeDeps: { exclude: ['onnxruntime-web'] },
        test: {
          name: 'browser',
          include: ['test/**/*.browser.test.ts'],
          browser: {
            enabled: true,
            // The headless shell has no WebGPU; the full browser started headless has.
            headless: false,
            ui: false,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                executablePath: chromium,
                args: [
                  '--headless=new',
                  '--no-sandbox',
                  '--enable-unsafe-webgpu',
                  '--disable-background-networking',
                  '--no-first-run',
                ],
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
