import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = new Map<string, string>();

/**
 * Folder of a page built as users get it, the add-on with the tiny world model. `npm test` builds both once for all test
 * files (scripts/test.mjs) and names the folders in the environment; a file that is run alone builds its own.
 */
export function builtPage(name: 'studio' | 'express'): string {
  const known = process.env[`LONGTAKE_BUILT_${name.toUpperCase()}`] ?? built.get(name);
  if (known) return known;
  const folder = mkdtempSync(join(tmpdir(), `longtake-${name}-`));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const webpack = join(root, 'node_modules/webpack/bin/webpack.js');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [webpack, '--config-name', name, '--output-path', folder],
    {
      cwd: root,
      env: { ...process.env, LONGTAKE_MODEL: 'test/fixtures/tiny/package' },
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`The page “${name}” could not be built:\n${stdout}${stderr}`);
  built.set(name, folder);
  return folder;
}
