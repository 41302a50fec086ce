// Makes a Python environment of its own (PyTorch is about 6 GB) and runs the training tests in it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root } from './setup.mjs';

const venv = join(root, 'training', '.venv');
const python = join(venv, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
const project = join(root, 'training', 'pyproject.toml');
const stamp = join(venv, '.longtake-project');

function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
}

/** First Python from 3.11 on among the usual names. */
function findPython() {
  const test = 'import sys, venv; sys.exit(0 if sys.version_info >= (3, 11) else 1)';
  return [process.env.PYTHON, 'python3.12', 'python3.11', 'python3', 'python'].find(
    (name) => name && spawnSync(name, ['-c', test], { stdio: 'ignore' }).status === 0,
  );
}

const wanted = createHash('sha256').update(readFileSync(project)).digest('hex');
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  const base = findPython();
  if (!base)
    fail('The training tests need Python 3.11 or newer with venv (Debian: apt-get install python3-venv).');
  console.log('Making the Python environment (once; PyTorch is large)…');
  rmSync(venv, { recursive: true, force: true });
  if (run(base, ['-m', 'venv', venv]).status !== 0) fail('Python could not make a virtual environment.');
  // Memory Maze's labmaze has no wheels beyond Python 3.12.
  const extras =
    run(python, ['-c', 'import sys; sys.exit(sys.version_info >= (3, 13))']).status === 0
      ? 'test,maze'
      : 'test';
  const args = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '-e',
    `training[${extras}]`,
  ];
  if (run(python, args).status !== 0)
    fail('pip could not install the training packages; see the lines above.');
  writeFileSync(stamp, wanted);
}

// The renderer's own tests draw with Mesa on the CPU; without it they are left out, on other systems too.
const mayInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
if (mayInstall && run('sh', ['-c', 'ldconfig -p | grep -q libOSMesa'], { stdio: 'ignore' }).status !== 0) {
  console.log('Installing software OpenGL for the renderer tests (once)…');
  run('apt-get', ['update', '-qq']);
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'libosmesa6'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

const results = join(root, 'out', 'test-results');
mkdirSync(results, { recursive: true });
const report = join(results, 'pytest.xml');
rmSync(report, { force: true });
const checks = [['check'], ['format', '--check']].map((args) =>
  run(python, ['-m', 'ruff', ...args, 'training']),
);
const pytest = run(python, ['-m', 'pytest', '-q', `--junitxml=${report}`, 'training']);

let passed = 0;
let failed = 0;
for (const { status } of checks) {
  if (status === 0) passed += 1;
  else failed += 1;
}
const suite = existsSync(report) ? /<testsuite [^>]*>/.exec(readFileSync(report, 'utf8'))?.[0] : undefined;
if (suite) {
  const count = (name) => Number(new RegExp(`${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const broken = count('failures') + count('errors');
  failed += broken;
  passed += count('tests') - broken - count('skipped');
}
if (pytest.status !== 0 && failed === 0) failed = 1;
writeFileSync(join(results, 'training.json'), JSON.stringify({ passed, failed }));
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
