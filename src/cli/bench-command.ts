import { formatReport } from '../../bench/report.ts';
import { runBench, SUBJECTS } from '../../bench/run.ts';
import { nodeFolder } from '../engine/package/node-folder.ts';
import { openPackage } from '../engine/package/world-package.ts';
import { LongtakeError } from '../engine/types.ts';
import { checkWritable, writeWhole } from '../media/node/pending-file.ts';
import type { CliEngine } from './cli-engine.ts';
import type { Console } from './console.ts';
import { oneOf, parseCommand, wholeNumber } from './options.ts';

/** `longtake bench`: docs/performance.md. Progress goes to standard error. */
export async function benchCommand(args: string[], engine: CliEngine, console: Console): Promise<void> {
  const { values, positionals } = parseCommand(args, {
    model: { type: 'string' },
    backend: { type: 'string' },
    repeats: { type: 'string' },
    prefix: { type: 'string' },
    variations: { type: 'string' },
    small: { type: 'boolean' },
    arithmetic: { type: 'string' },
    untuned: { type: 'boolean' },
    'world-only': { type: 'boolean' },
    out: { type: 'string' },
    json: { type: 'boolean' },
  });
  if (positionals.length > 0) throw new LongtakeError('usage', 'Name the model with --model.');
  const small = values.small === true;
  const backend = oneOf('--backend', values.backend ?? 'all', ['all', ...SUBJECTS]);
  const prefixes = wholeNumbers(
    '--prefix',
    values.prefix ?? (small ? '10,40' : '10,100,1000,10000'),
    10_000_000,
  );
  const variations = wholeNumbers('--variations', values.variations ?? (small ? '1,2' : '1,2,4,8'), 64);
  const settings = {
    subjects: backend === 'all' ? SUBJECTS : [backend],
    repeats: wholeNumber('--repeats', values.repeats ?? (small ? '3' : '20'), 1, 10_000),
    ...{ prefixes, variations, small, endToEnd: values['world-only'] !== true },
    arithmetic: oneOf('--arithmetic', values.arithmetic ?? 'f32', ['f32', 'f16', 'matrix-units']),
    tuned: values.untuned !== true,
  };
  if (values.out !== undefined) await checkWritable(values.out);
  const { folder } = await engine.find(values.model ?? null);
  const { signal } = console;
  const pkg = await openPackage(nodeFolder(folder), { signal });
  const report = await runBench(pkg, {
    ...settings,
    signal,
    onStage: (stage) => console.complain(`${stage}\n`),
  });
  const json = `${JSON.stringify(report)}\n`;
  if (values.out !== undefined) await writeWhole(values.out, Buffer.from(json));
  console.print(values.json === true ? json : formatReport(report));
}

/** A rising list such as `10,100`. */
function wholeNumbers(option: string, text: string, most: number): number[] {
  const numbers = text.split(',').map((part) => wholeNumber(option, part.trim(), 1, most));
  return [...new Set(numbers)].sort((a, b) => a - b);
}
