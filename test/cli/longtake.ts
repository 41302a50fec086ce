import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { NodeEngine } from '../../src/cli/node-engine.ts';
import { runCli as runCommand } from '../../src/cli/run-cli.ts';

const BIN = fileURLToPath(new URL('../../bin/longtake.mjs', import.meta.url));

/** The package with random weights that every test of the command line runs. */
export const TINY = fileURLToPath(new URL('../fixtures/tiny/package', import.meta.url));

export interface CliResult {
  /** Exit code; 130 also where the signal itself ended the process, as a shell reports it. */
  code: number;
  stdout: string;
  stderr: string;
}

/** A started command line with what it has printed so far. */
export interface RunningCli {
  process: ChildProcess;
  /** Resolves when standard error matches; fails when the process ends without that. */
  says(pattern: RegExp): Promise<void>;
  ended: Promise<CliResult>;
}

export function startCli(
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): RunningCli {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code: code ?? (signal === 'SIGINT' ? 130 : -1), stdout, stderr });
    });
  });
  const says = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(stderr)) {
      if (child.exitCode !== null) throw new Error(`The process ended and said: ${stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return { process: child, says, ended };
}

/** Runs the real program where no file may grow beyond a size, as on a full disk (POSIX shells only). */
export async function runWithFileLimit(kibibytes: number, args: string[]): Promise<CliResult> {
  const limited = `ulimit -f ${kibibytes}; exec "$0" "$@"`;
  try {
    const { stdout, stderr } = await promisify(execFile)('bash', [
      '-c',
      limited,
      process.execPath,
      BIN,
      ...args,
    ]);
    return { code: 0, stdout, stderr };
  } catch (error) {
    return error as CliResult;
  }
}

/** Runs the real program and waits for its end. */
export function runCli(
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<CliResult> {
  return startCli(args, options).ended;
}

/** Runs a command in this process, with the real engine. */
export async function runHere(args: string[]): Promise<CliResult> {
  let [stdout, stderr] = ['', ''];
  const code = await runCommand(args, new NodeEngine(), {
    print: (text) => (stdout += text),
    complain: (text) => (stderr += text),
    terminalWidth: null,
    signal: new AbortController().signal,
  });
  return { code, stdout, stderr };
}

/** The sentence a failed run ends with. */
export function complaint({ stderr }: CliResult): string {
  return stderr.split('\n').findLast((line) => line.startsWith('longtake: ')) ?? '';
}
