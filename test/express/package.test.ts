import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtPage } from '../built-page.ts';

const script = fileURLToPath(new URL('../../scripts/package.mjs', import.meta.url));
const manifest = fileURLToPath(new URL('../../manifest.json', import.meta.url));

let folder: string;
let out: string;

/** A small folder that keeps all of Adobe's rules. */
beforeEach(() => {
  const work = mkdtempSync(join(tmpdir(), 'longtake-package-'));
  folder = join(work, 'express');
  out = join(work, 'add-on.zip');
  mkdirSync(join(folder, 'assets'), { recursive: true });
  mkdirSync(join(folder, 'models', 'small'), { recursive: true });
  cpSync(manifest, join(folder, 'manifest.json'));
  writeFileSync(join(folder, 'index.html'), '<script type="module" src="index.js"></script>');
  writeFileSync(join(folder, 'index.js'), 'export {};');
  writeFileSync(join(folder, 'assets', 'ort.wasm'), new Uint8Array(1000));
  writeFileSync(join(folder, 'longtake.config.json'), '{"model":"models/small/"}');
  writeFileSync(join(folder, 'models', 'small', 'model.json'), '{}');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

function pack(from = folder) {
  return spawnSync(process.execPath, [script, '--from', from, '--out', out], { encoding: 'utf8' });
}

describe('npm run package', () => {
  it('leaves room beside the real add-on for the largest weights', () => {
    const { status, stdout } = pack(builtPage('express'));
    expect(status).toBe(0);
    expect(stdout).toMatch(/ort-wasm-simd-threaded\.wasm/);
    // Of Adobe's 50 MB the weights of all models together may take 36.
    expect(statSync(out).size).toBeLessThan(14 * 2 ** 20);
  });

  it('zips the built add-on with relative paths and tells its size', () => {
    const { status, stdout } = pack();
    expect(status).toBe(0);
    expect(stdout).toMatch(/6 files, 0\.0 MB of 50\.0 MB/);
    const names = Object.keys(unzipSync(readFileSync(out)));
    expect(names).toContain('manifest.json');
    expect(names).toContain('models/small/model.json');
    expect(names.every((name) => !name.startsWith('/') && !name.includes('..') && !name.includes('\\'))).toBe(
      true,
    );
  });

  it('gives the same bytes for the same build', () => {
    pack();
    const first = readFileSync(out);
    pack();
    expect(readFileSync(out).equals(first)).toBe(true);
  });

  it.each<[string, () => void, RegExp]>([
    ['a second wasm', () => writeFileSync(join(folder, 'b.wasm'), 'x'), /exactly one \.wasm file, not 2/],
    ['no wasm', () => rmSync(join(folder, 'assets', 'ort.wasm')), /exactly one \.wasm file, not 0/],
    [
      'a source map',
      () => writeFileSync(join(folder, 'index.js.map'), '{}'),
      /index\.js\.map is a source map/,
    ],
    ['a hidden file', () => writeFileSync(join(folder, '.DS_Store'), 'x'), /\.DS_Store is a hidden file/],
    ['no manifest', () => rmSync(join(folder, 'manifest.json')), /manifest\.json is missing/],
    [
      'no model',
      () => rmSync(join(folder, 'models', 'small', 'model.json')),
      /The model in models\/small\/ is missing/,
    ],
    [
      'an absolute path',
      () => writeFileSync(join(folder, 'index.html'), '<script src="/index.js"></script>'),
      /index\.html names \/index\.js/,
    ],
    [
      'a foreign address',
      () => writeFileSync(join(folder, 'index.html'), '<link href="https://cdn.example/a.css">'),
      /only relative paths work/,
    ],
    [
      'more than 50 MB',
      () => writeFileSync(join(folder, 'big.bin'), noise(51)),
      /Adobe takes 50\.0 MB at most/,
    ],
  ])('refuses %s and writes nothing', (_name, spoil, sentence) => {
    spoil();
    const { status, stderr } = pack();
    expect(stderr).toMatch(sentence);
    expect(status).toBe(1);
    expect(existsSync(out)).toBe(false);
  });
});

/** Bytes that do not get smaller by packing. */
function noise(megabytes: number): Uint8Array {
  const words = new Uint32Array(megabytes * 2 ** 18);
  let state = 1;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = state ^ (state >>> 15);
  }
  return new Uint8Array(words.buffer);
}
