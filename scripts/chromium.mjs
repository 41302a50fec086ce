import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fail } from './setup.mjs';

const usual = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Path of an installed Chromium or Chrome, or undefined. CHROMIUM_PATH wins. */
export function findChromium() {
  return [process.env.CHROMIUM_PATH, ...usual].find((path) => path && existsSync(path));
}

/** Whether Dawn can load Vulkan in Node; only Linux keeps the loader in a package of its own. */
function hasVulkanLoader() {
  if (process.platform !== 'linux') return true;
  const { stdout } = spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' });
  // Without ldconfig (Alpine, NixOS) there is no telling: the tests then say what is missing.
  return stdout === null || stdout === undefined || stdout.includes('libvulkan.so.1');
}

/**
 * Path of a Chromium. Installs Debian's package where it is missing, and the Vulkan loader through which Dawn reaches
 * Chromium's software rasteriser, where this user may do so; else ends the process with one sentence.
 */
export function ensureChromium() {
  const missing = [];
  if (!findChromium()) missing.push('chromium');
  if (!hasVulkanLoader()) missing.push('libvulkan1');
  if (missing.length > 0) install(missing);
  const chromium = findChromium();
  if (!chromium) {
    fail(
      'The tests need Chromium or Chrome: install it (Debian: apt-get install chromium) or set CHROMIUM_PATH to it.',
    );
  }
  if (!hasVulkanLoader()) {
    fail('The tests need the Vulkan loader: install libvulkan.so.1 (Debian: apt-get install libvulkan1).');
  }
  return chromium;
}

function install(packages) {
  const mayInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (!mayInstall) return;
  console.log(`Installing ${packages.join(' and ')} for the tests (once)…`);
  spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit' });
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

/** Vulkan driver description of the software adapter that ships with Chromium, or undefined. */
export function softwareVulkan(chromium) {
  return ['/usr/lib/chromium', dirname(chromium)]
    .map((folder) => join(folder, 'vk_swiftshader_icd.json'))
    .find((path) => existsSync(path));
}
