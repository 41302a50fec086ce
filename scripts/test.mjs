// Installs what is missing, then checks types and style and runs every suite that needs no PyTorch.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureChromium, softwareVulkan } from './chromium.mjs';
import { ensureInstalled, root, runBin } from './setup.mjs';

ensureInstalled();
const chromium = ensureChromium();
const env = { ...process.env, CHROMIUM_PATH: chromium };
const icd = softwareVulkan(chromium);
if (icd && !env.LONGTAKE_GPU) env.VK_ICD_FILENAMES = icd;

const results = join(root, 'out', 'test-results');
mkdirSync(results, { recursive: true });
const report = join(results, 'vitest.json');
rmSync(report, { force: true });

let passed = 0;
let failed = 0;
/** Counts a check that is one command, such as the type check, as one test. */
function check(name, bin, args) {
  const status = runBin(bin, args, { env });
  if (status === 0) passed += 1;
  else {
    failed += 1;
    console.error(`${name} failed`);
  }
}
const only = process.argv.slice(2);
if (only.length === 0) {
  check('Type check', 'tsc', ['--noEmit']);
  check('ESLint', 'eslint', ['.']);
  check('Prettier', 'prettier', ['--check', '--log-level=warn', '.']);
}
if (only.length === 0) {
  // Built once for all test files, which run side by side (test/built-page.ts).
  for (const page of ['studio', 'express']) {
    const folder = join(root, 'out', 'test', page);
    const model = { LONGTAKE_MODEL: 'test/fixtures/tiny/package' };
    const webpack = ['--config-name', page, '--output-path', folder, '--stats', 'errors-only'];
    const built = runBin('webpack', webpack, { env: { ...env, ...model } });
    if (built === 0) env[`LONGTAKE_BUILT_${page.toUpperCase()}`] = folder;
    else {
      failed += 1;
      console.error(`The page “${page}” could not be built`);
    }
  }
}
const status = runBin(
  'vitest',
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...only],
  {
    env,
  },
);
try {
  const counted = JSON.parse(readFileSync(report, 'utf8'));
  passed += counted.numPassedTests;
  failed += counted.numFailedTests;
  // A suite that fails before its first test, or an error outside any test, fails the run without a failed test.
  if (status !== 0 && counted.numFailedTests === 0) failed += 1;
} catch {
  failed += 1;
}
writeFileSync(join(results, 'npm-test.json'), JSON.stringify({ passed, failed }));
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
