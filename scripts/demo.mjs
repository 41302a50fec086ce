import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, root } from './setup.mjs';

/** `npm run demo`: extends the walk through a maze by two seconds, along the way back that its camera track holds. */

ensureInstalled();
process.chdir(root);
mkdirSync('out', { recursive: true });
const clip = join('examples', 'maze-walk.mp4');
console.log(`Extending ${clip} by 2 s with the world model maze-64, on this machine's processor.`);

const command = [
  join('bin', 'longtake.mjs'),
  'extend',
  clip,
  ...['--seconds', '2'],
  ...['--model', 'maze-64'],
  ...['--backend', 'ort'],
  ...['--camera', join('examples', 'maze-walk.camera.json')],
  ...['--content', 'both'],
  ...['--out', join('out', 'demo.mp4')],
  ...['--sheet', join('out', 'demo.png')],
];
const started = performance.now();
const child = spawn(process.execPath, command, { stdio: 'inherit' });
// Ctrl-C reaches the child too; this process waits for it to tidy up.
process.on('SIGINT', () => {});
child.on('close', (code, signal) => {
  if (code === 0) console.log(`Done in ${Math.round((performance.now() - started) / 1000)} s.`);
  process.exit(code ?? (signal === 'SIGINT' ? 130 : 1));
});
