/**
 * What onnxruntime's session options are worth on its WebAssembly build, in processor time of one thread:
 *   npx tsx bench/wasm-options.ts [PACKAGE FOLDER, default models/maze-64] [RUNS, default 3]
 * The ways take turns in every run, so that a busy machine slows all of them; the least of the runs counts.
 */
import { wanderingRollout } from '../src/engine/parity/wandering.ts';
import { nodeFolder } from '../src/engine/package/node-folder.ts';
import { openPackage } from '../src/engine/package/world-package.ts';
import type { OrtRuntime } from '../src/engine/world/ort/ort-module.ts';
import { ortBackend } from '../src/engine/world/ort/ort-backend.ts';
import type { WorldSession } from '../src/engine/world/world-model.ts';
import { SESSION_OPTIONS } from '../src/engine/world/ort/session-options.ts';

const [folder = 'models/maze-64', runs = '3'] = process.argv.slice(2);
const pkg = await openPackage(nodeFolder(folder));
const { chunks } = wanderingRollout(pkg.model, 2, 1);

type SessionOptions = OrtRuntime['sessionOptions'];

const WAYS: Record<string, (options: SessionOptions) => SessionOptions> = {
  'ours: weights to floats at load, all passes': (options) => options,
  'onnxruntime’s defaults (the first version)': ({ executionProviders }) => ({
    ...(executionProviders && { executionProviders }),
    logSeverityLevel: 3,
  }),
  'ours with basic passes only': (options) => ({ ...options, graphOptimizationLevel: 'basic' }),
  'ours without passes': (options) => ({ ...options, graphOptimizationLevel: 'disabled' }),
};

const sessions = new Map<string, WorldSession>();
for (const [name, change] of Object.entries(WAYS)) {
  const backend = ortBackend(async () => {
    const module = await import('onnxruntime-web/wasm');
    module.env.wasm.numThreads = 1;
    module.env.logLevel = 'error';
    const sessionOptions = change({ ...SESSION_OPTIONS, executionProviders: ['wasm'] });
    return { module, sessionOptions, commitBatch: 2 };
  });
  const session = await (await backend.load(pkg, {})).createSession();
  await session.commit(chunks.slice(0, 1));
  sessions.set(name, session);
}

const least = new Map<string, number>();
for (let run = 0; run <= Number(runs); run++) {
  for (const [name, session] of sessions) {
    const before = process.cpuUsage();
    await session.denoise(chunks[2]!, [1, 0], { seed: 1, chunk: 2 });
    const { user, system } = process.cpuUsage(before);
    // The first run warms up.
    if (run > 0) least.set(name, Math.min(least.get(name) ?? Infinity, (user + system) / 1000));
  }
}
const first = least.get('onnxruntime’s defaults (the first version)')!;
for (const [name, milliseconds] of least) {
  console.log(
    `${name}: ${milliseconds.toFixed(0)} ms a denoise pass, ${(first / milliseconds).toFixed(2)} ×`,
  );
}
process.exit();
