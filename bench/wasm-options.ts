/**
 * What 8-bit products and onnxruntime's session options are worth on its WebAssembly build, and how far the latents of a
 * pass are from those of the first version:
 *   npx tsx bench/wasm-options.ts [PACKAGE FOLDER, default models/maze-64] [RUNS, default 3] [THREADS, default 1]
 * One thread is timed by processor time, which a busy machine disturbs least; several by the clock.
 * The ways take turns in every run, so that a busy machine slows all of them; the least of the runs counts.
 */
import { wanderingRollout } from '../src/engine/parity/wandering.ts';
import { nodeFolder } from '../src/engine/package/node-folder.ts';
import { openPackage } from '../src/engine/package/world-package.ts';
import type { OrtRuntime } from '../src/engine/world/ort/ort-module.ts';
import { ortBackend } from '../src/engine/world/ort/ort-backend.ts';
import type { WorldSession } from '../src/engine/world/world-model.ts';
import { SESSION_OPTIONS } from '../src/engine/world/ort/session-options.ts';

const [folder = 'models/maze-64', runs = '3', threads = '1'] = process.argv.slice(2);
const pkg = await openPackage(nodeFolder(folder));
const { chunks } = wanderingRollout(pkg.model, 2, 1);

type SessionOptions = OrtRuntime['sessionOptions'];

/** Graphs and options. The package's latents lie within -1 … 1. */
const WAYS: Record<string, [exact: boolean, change: (options: SessionOptions) => SessionOptions]> = {
  'ours: 8-bit products': [false, (options) => options],
  'float32, weights to floats at load': [true, (options) => options],
  'float32, onnxruntime’s defaults (the first version)': [
    true,
    ({ executionProviders }) => ({
      ...(executionProviders && { executionProviders }),
      logSeverityLevel: 3,
    }),
  ],
};

const sessions = new Map<string, WorldSession>();
for (const [name, [exact, change]] of Object.entries(WAYS)) {
  const runtime = async (): Promise<OrtRuntime> => {
    const module = await import('onnxruntime-web');
    module.env.wasm.numThreads = Number(threads);
    module.env.logLevel = 'error';
    const sessionOptions = change({ ...SESSION_OPTIONS, executionProviders: ['wasm'] });
    return { module, sessionOptions, commitBatch: 2 };
  };
  const session = await (await ortBackend(runtime, { exact }).load(pkg, {})).createSession();
  await session.commit(chunks.slice(0, 1));
  sessions.set(name, session);
}

const latents = new Map<string, Float32Array>();
const least = new Map<string, number>();
for (let run = 0; run <= Number(runs); run++) {
  for (const [name, session] of sessions) {
    const before = milliseconds();
    latents.set(name, await session.denoise(chunks[2]!, [1, 0], { seed: 1, chunk: 2 }));
    // The first run warms up.
    if (run > 0) least.set(name, Math.min(least.get(name) ?? Infinity, milliseconds() - before));
  }
}
const FIRST = 'float32, onnxruntime’s defaults (the first version)';
for (const [name, time] of least) {
  const speed = (least.get(FIRST)! / time).toFixed(2);
  console.log(`${name}: ${time.toFixed(0)} ms a denoise pass, ${speed} ×, ${distance(name)}`);
}
process.exit();

function milliseconds(): number {
  if (Number(threads) > 1) return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function distance(name: string): string {
  const truth = latents.get(FIRST)!;
  const error = latents.get(name)!.reduce((sum, value, at) => sum + (value - truth[at]!) ** 2, 0);
  return error === 0 ? 'the same latents' : `${(10 * Math.log10((4 * truth.length) / error)).toFixed(1)} dB`;
}
