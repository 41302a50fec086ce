import { LongtakeError } from '../engine/types.ts';
import type { ParitySubject } from '../engine/parity/rollout.ts';
import { asLongtakeError } from './exit-code.ts';
import type { CliEngine, ModelEntry } from './cli-engine.ts';
import type { Console } from './console.ts';
import { parseCommand } from './options.ts';

/** `longtake models list | verify [NAME] | parity [NAME]` */
export async function modelsCommand(args: string[], engine: CliEngine, console: Console): Promise<void> {
  const { values, positionals } = parseCommand(args, {
    json: { type: 'boolean' },
    recording: { type: 'string' },
    backend: { type: 'string' },
  });
  const [action, name, ...rest] = positionals;
  if (rest.length > 0) throw new LongtakeError('usage', 'Name at most one model.');
  const json = values.json === true;
  switch (action) {
    case 'list':
      if (name !== undefined) throw new LongtakeError('usage', '“longtake models list” takes no name.');
      return list(engine, console, json);
    case 'verify':
      return verify(name ?? null, engine, console, json);
    case 'parity':
      return parity(name ?? null, values.backend ?? null, values.recording ?? null, engine, console);
    default:
      throw new LongtakeError('usage', 'Say what to do with the models: list, verify or parity.');
  }
}

async function list(engine: CliEngine, console: Console, json: boolean): Promise<void> {
  const entries = await engine.listModels();
  if (json) {
    const rows = entries.map(({ name, model, fault }) => ({
      name,
      ...(model === null
        ? { fault }
        : {
            title: model.title,
            frame: model.frame,
            rate: model.rate,
            tasks: model.tasks,
            bytes: totalBytes(model),
          }),
    }));
    console.print(`${JSON.stringify({ models: rows })}\n`);
    return;
  }
  if (entries.length === 0) console.print('No models are installed.\n');
  for (const entry of entries) console.print(`${describe(entry)}\n`);
}

function describe({ name, model, fault }: ModelEntry): string {
  if (model === null) return `${name}: ${fault}`;
  const megabytes = (totalBytes(model) / 1e6).toFixed(1);
  return `${name}: ${model.title}, ${model.frame.width}×${model.frame.height}, ${megabytes} MB, ${model.tasks.join(', ')}`;
}

function totalBytes(model: NonNullable<ModelEntry['model']>): number {
  return model.files.reduce((sum, file) => sum + file.bytes, 0);
}

async function verify(
  name: string | null,
  engine: CliEngine,
  console: Console,
  json: boolean,
): Promise<void> {
  const names = name === null ? (await engine.listModels()).map((entry) => entry.name) : [name];
  if (names.length === 0) throw new LongtakeError('package', 'No models are installed.');
  const results: { name: string; ok: boolean; message: string }[] = [];
  for (const each of names) {
    try {
      const { model, bytes } = await engine.verify(each, console.signal);
      const message = `${model.files.length} files, ${(bytes / 1e6).toFixed(1)} MB, all as they were made`;
      results.push({ name: each, ok: true, message });
    } catch (error) {
      const known = asLongtakeError(error);
      if (known.code !== 'package') throw known;
      results.push({ name: each, ok: false, message: known.message });
    }
  }
  if (json) console.print(`${JSON.stringify({ models: results })}\n`);
  else
    for (const { name: each, ok, message } of results)
      console.print(`${each}: ${ok ? 'ok, ' : ''}${message}\n`);
  const damaged = results.filter(({ ok }) => !ok);
  if (damaged.length > 0) throw new LongtakeError('package', damaged.map(({ message }) => message).join(' '));
}

async function parity(
  name: string | null,
  backend: string | null,
  recording: string | null,
  engine: CliEngine,
  console: Console,
): Promise<void> {
  const { signal } = console;
  const { int8 } = (await engine.find(name)).model.world.graphs;
  const all: ParitySubject[] = int8 ? ['ort', 'ort-int8', 'webgpu'] : ['ort', 'webgpu'];
  const subjects = backend === null ? all : all.filter((each) => each === backend);
  if (subjects.length === 0)
    throw new LongtakeError('usage', `--backend must be ${all.join(' or ')}, not “${backend}”.`);
  if (subjects.length === 1 && recording === null) {
    throw new LongtakeError('usage', 'One backend alone can only be compared with a --recording.');
  }
  console.print(`${await engine.parity(name, { subjects, recording, signal })}\n`);
}
