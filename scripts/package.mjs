// Makes the add-on's zip for Adobe Express: `npm run package -- [--from DIR] [--out FILE]`. With --from an add-on that is
// already built is taken; without, it is built first.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureInstalled, fail, root } from './setup.mjs';

/** Adobe's limit for an add-on's zip. */
const LIMIT = 50 * 1024 * 1024;
const MEGABYTE = 1024 * 1024;

/** Paths of all files under a folder, relative to it, with forward slashes, in a fixed order. */
function filesIn(folder) {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => name.split(sep).join('/'))
    .sort();
}

/** Sentences on what Adobe, or the size of the zip, does not allow; none is right. */
function faults(folder, names) {
  const found = [];
  const wasm = names.filter((name) => name.endsWith('.wasm'));
  if (wasm.length !== 1)
    found.push(`There must be exactly one .wasm file, not ${wasm.length}: ${wasm.join(', ')}`);
  for (const name of names) {
    if (name.split('/').some((part) => part.startsWith('.'))) found.push(`${name} is a hidden file.`);
    if (name.endsWith('.map')) found.push(`${name} is a source map.`);
  }
  for (const name of ['manifest.json', 'index.html', 'longtake.config.json']) {
    if (!names.includes(name)) found.push(`${name} is missing.`);
  }
  for (const name of names.filter((name) => name.endsWith('.html'))) {
    const html = readFileSync(join(folder, name), 'utf8');
    for (const [, url] of html.matchAll(/(?:src|href)\s*=\s*["']?([^"'\s>]+)/g)) {
      if (/^(?:[a-z]+:|\/)/i.test(url))
        found.push(`${name} names ${url}; only relative paths work in an add-on.`);
    }
  }
  if (names.includes('longtake.config.json')) {
    const { model } = JSON.parse(readFileSync(join(folder, 'longtake.config.json'), 'utf8'));
    if (!names.includes(`${model}model.json`)) found.push(`The model in ${model} is missing.`);
  }
  return found;
}

async function main() {
  let values;
  try {
    ({ values } = parseArgs({ options: { from: { type: 'string' }, out: { type: 'string' } } }));
  } catch (error) {
    fail(`${error.message} Options: --from DIR, --out FILE.`);
  }
  // A build that is already there was made with the packages installed.
  if (!values.from) ensureInstalled();
  const folder = resolve(values.from ?? join(root, 'dist', 'express'));
  const out = resolve(values.out ?? join(root, 'dist', 'longtake-express.zip'));
  if (!values.from) (await import('./build.mjs')).build('express');
  if (!existsSync(folder)) fail(`There is no folder ${folder}.`);

  const names = filesIn(folder);
  const wrong = faults(folder, names);
  if (wrong.length > 0) fail(wrong.join('\n'));
  const { zipSync } = await import('fflate');
  const entries = Object.fromEntries(
    // A fixed date: the same build gives the same zip.
    names.map((name) => [
      name,
      [readFileSync(join(folder, name)), { level: 9, mtime: '2026-01-01T00:00:00' }],
    ]),
  );
  const zip = zipSync(entries);
  if (zip.length > LIMIT) {
    fail(`The zip would be ${megabytes(zip.length)}; Adobe takes ${megabytes(LIMIT)} at most.`);
  }
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(`${out}.part`, zip);
  renameSync(`${out}.part`, out);
  const largest = Object.entries(entries)
    .map(([name, [bytes]]) => ({ name, size: bytes.length }))
    .sort((a, b) => b.size - a.size)
    .slice(0, 4);
  for (const { name, size } of largest) console.log(`  ${megabytes(size).padStart(9)}  ${name}`);
  console.log(
    `${relative(process.cwd(), out)}: ${names.length} files, ${megabytes(zip.length)} of ${megabytes(LIMIT)}`,
  );
}

const megabytes = (bytes) => `${(bytes / MEGABYTE).toFixed(1)} MB`;

await main();
