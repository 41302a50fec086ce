import { discardUnfinishedFiles } from '../media/node/pending-file.ts';
import { NodeEngine } from './node-engine.ts';
import { EXIT } from './exit-code.ts';
import { runCli } from './run-cli.ts';

/** How long a cancelled run may take to end by itself, in milliseconds: a denoise pass can not be broken off. */
const GRACE = 5000;

const controller = new AbortController();

function leave(code: number): void {
  // Also covers files whose owner never got to run again.
  discardUnfinishedFiles();
  process.exit(code);
}

function cancel(): void {
  if (controller.signal.aborted) leave(EXIT.cancelled);
  controller.abort();
  setTimeout(() => leave(EXIT.cancelled), GRACE).unref();
}

process.on('SIGINT', cancel);
process.on('SIGTERM', cancel);
process.on('SIGHUP', cancel);
// A reader that closes early (`longtake … | head`) is no reason for a stack trace.
process.stdout.on('error', () => leave(EXIT.output));

const code = await runCli(process.argv.slice(2), new NodeEngine(), {
  print: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
  terminalWidth: process.stderr.isTTY ? process.stderr.columns || 80 : null,
  signal: controller.signal,
});
// Waits for what was printed to reach a pipe, then ends whatever threads codecs and runtimes still hold.
process.stdout.write('', () => leave(code));
