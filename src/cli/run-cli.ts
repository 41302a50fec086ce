import { readFile } from 'node:fs/promises';
import { LongtakeError } from '../engine/types.ts';
import type { CliEngine } from './cli-engine.ts';
import type { Console } from './console.ts';
import { asLongtakeError, EXIT } from './exit-code.ts';
import { HELP } from './help.ts';

/**
 * Runs one command.
 * @param args what follows the program's name
 * @returns the exit code; everything the user must know has been printed
 */
export async function runCli(args: readonly string[], engine: CliEngine, console: Console): Promise<number> {
  try {
    return await dispatch([...args], engine, console);
  } catch (error) {
    // A fired signal is the reason, whatever a library made of it.
    const known = console.signal.aborted ? cancelled() : asLongtakeError(error);
    console.complain(`longtake: ${known.message}\n`);
    if (args.includes('--json')) {
      console.print(`${JSON.stringify({ error: { code: known.code, message: known.message } })}\n`);
    }
    return EXIT[known.code];
  }
}

function cancelled(): LongtakeError {
  return new LongtakeError('cancelled', 'Cancelled.');
}

async function dispatch(args: string[], engine: CliEngine, console: Console): Promise<number> {
  const [command, ...rest] = args;
  if (args.includes('--help') || args.includes('-h') || command === 'help') {
    console.print(HELP);
    return 0;
  }
  // Commands are loaded when they are asked for: codecs and runtimes take a second that a usage error need not cost.
  switch (command) {
    case '--version': {
      const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
      console.print(`${(JSON.parse(text) as { version: string }).version}\n`);
      return 0;
    }
    case 'extend':
      await (await import('./extend-command.ts')).extendCommand(rest, engine, console);
      return 0;
    case 'inpaint':
      await (await import('./inpaint-command.ts')).inpaintCommand(rest, engine, console);
      return 0;
    case 'batch':
      return (await import('./batch-command.ts')).batchCommand(rest, engine, console);
    case 'eval':
      await (await import('./eval-command.ts')).evalCommand(rest, engine, console);
      return 0;
    case 'bench':
      await (await import('./bench-command.ts')).benchCommand(rest, engine, console);
      return 0;
    case 'models':
      await (await import('./models-command.ts')).modelsCommand(rest, engine, console);
      return 0;
    case undefined:
      console.complain(HELP);
      return EXIT.usage;
    default:
      throw new LongtakeError('usage', `There is no command “${command}”; see “longtake --help”.`);
  }
}
