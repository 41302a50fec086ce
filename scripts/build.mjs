// Builds Studio and the Adobe Express add-on: `npm run build -- [--only studio|express]`. LONGTAKE_MODEL names another
// world-model package than models/maze-64.
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureInstalled, fail, root, runBin } from './setup.mjs';

const TARGETS = { studio: 'Studio', express: 'the Adobe Express add-on' };

/** Builds one target into dist/NAME, or ends the process with a sentence. */
export function build(name) {
  console.log(`Building ${TARGETS[name]}…`);
  if (runBin('webpack', ['--config-name', name]) !== 0) {
    fail(`${TARGETS[name]} could not be built; see the lines above.`);
  }
  console.log(`  ${join('dist', name)}`);
}

function main() {
  let only;
  try {
    ({ only } = parseArgs({ options: { only: { type: 'string' } } }).values);
  } catch (error) {
    fail(`${error.message} Options: --only studio|express.`);
  }
  if (only !== undefined && !(only in TARGETS)) fail(`“${only}” is neither studio nor express.`);
  ensureInstalled();
  for (const name of only ? [only] : Object.keys(TARGETS)) build(name);
}

if (process.argv[1] && resolve(process.argv[1]) === join(root, 'scripts', 'build.mjs')) main();
