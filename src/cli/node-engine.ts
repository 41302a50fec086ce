import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { BackendChoice, ModelJson } from '../engine/index.ts';
import type { ParitySubject } from '../engine/parity/rollout.ts';
import { throwIfCancelled } from '../engine/cancel.ts';
import { LongtakeError } from '../engine/types.ts';
import type { CliEngine, ModelEntry, ReadyModel } from './cli-engine.ts';

/** Loaded when a command needs it. */
const engine = (): Promise<typeof import('../engine/node.ts')> => import('../engine/node.ts');

/** The engine of this checkout, with the packages under `models/` and any folder named by its path. */
export class NodeEngine implements CliEngine {
  async listModels(): Promise<ModelEntry[]> {
    return listEntries((await engine()).DEFAULT_MODELS);
  }

  async find(name: string | null): Promise<ModelEntry & { model: ModelJson }> {
    const entry = await locate(name);
    if (entry.model === null) throw new LongtakeError('package', entry.fault ?? 'The model can not be read.');
    return { ...entry, model: entry.model };
  }

  async load(
    name: string | null,
    options: {
      backend: BackendChoice;
      signal: AbortSignal;
      onProgress: (done: number, total: number) => void;
    },
  ): Promise<ReadyModel> {
    const { openPackage, nodeFolder, loadWorldModel, extendClip, fillGap, makeLoop, repaintRegion } =
      await engine();
    const { folder } = await locate(name);
    const { backend, signal, onProgress } = options;
    const pkg = await openPackage(nodeFolder(folder), {
      signal,
      onProgress: ({ bytesDone, bytesTotal }) => onProgress(bytesDone, bytesTotal),
    });
    const model = await loadWorldModel(pkg, { backend, signal });
    return {
      model: pkg.model,
      get backend() {
        return model.backend;
      },
      extend: (request) => extendClip(model, request),
      loop: (request) => makeLoop(model, request),
      fillGap: (request) => fillGap(model, request),
      repaintRegion: (request) => repaintRegion(model, request),
      dispose: () => model.dispose(),
    };
  }

  async verify(name: string, signal: AbortSignal): Promise<{ model: ModelJson; bytes: number }> {
    const { openPackage, nodeFolder } = await engine();
    const { folder } = await locate(name);
    const pkg = await openPackage(nodeFolder(folder), { signal });
    return { model: pkg.model, bytes: pkg.model.files.reduce((sum, file) => sum + file.bytes, 0) };
  }

  async parity(
    name: string | null,
    options: { subjects: readonly ParitySubject[]; recording: string | null; signal: AbortSignal },
  ): Promise<string> {
    const { openPackage, nodeFolder, packageParity, formatParity } = await engine();
    const { folder } = await locate(name);
    const { subjects, recording, signal } = options;
    const pkg = await openPackage(nodeFolder(folder), { signal });
    const rows = await packageParity(pkg, subjects, { signal, ...(recording === null ? {} : { recording }) });
    throwIfCancelled(signal);
    return formatParity(rows);
  }
}

async function listEntries(folder: string): Promise<ModelEntry[]> {
  const listings = await (await engine()).listPackages(folder);
  return listings.map(({ name, folder: place, model, error }) => ({
    name,
    folder: place,
    model: model ?? null,
    ...(error === undefined ? {} : { fault: error.message }),
  }));
}

/** A package by name (under models/), by path, or the first installed. */
async function locate(name: string | null): Promise<ModelEntry> {
  const installed = await listEntries((await engine()).DEFAULT_MODELS);
  if (name === null) {
    const first = installed[0];
    if (first !== undefined) return first;
    throw new LongtakeError('package', 'No world model is installed: the folder models/ is empty.');
  }
  const known = installed.find((entry) => entry.name === name);
  if (known !== undefined) return known;
  const folder = resolve(name);
  if ((await stat(join(folder, 'model.json')).catch(() => null)) !== null) {
    const beside = await listEntries(resolve(folder, '..'));
    const entry = beside.find((other) => other.name === basename(folder));
    if (entry !== undefined) return entry;
  }
  const names = installed.map((entry) => entry.name).join(', ');
  throw new LongtakeError(
    'usage',
    `There is no model “${name}”; installed: ${names === '' ? 'none' : names}.`,
  );
}
