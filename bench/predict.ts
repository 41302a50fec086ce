/**
 * How well the time of an extension is predicted: `npx tsx bench/predict.ts [MODEL-FOLDER] [BACKEND]`. For several lengths:
 * before the start, from the calibration alone; after the first chunk, as `secondsLeft` tells it; and what it took.
 */
import { parseArgs } from 'node:util';
import { join } from 'node:path';
import {
  DEFAULT_MODELS,
  extendClip,
  loadWorldModel,
  measureSpeed,
  nodeFolder,
  openPackage,
  predictSeconds,
  stepsFor,
  workOf,
  type LoadedModel,
  type Profile,
} from '../src/engine/node.ts';
import type { BackendChoice } from '../src/engine/world/backend.ts';
import { measureFrames } from '../src/engine/scheduler/frame-cost.ts';
import { gradient } from './end-to-end.ts';

const SIZE = { width: 256, height: 256 };
const LENGTHS: readonly { profile: Profile; prefixFrames: number; frames: number }[] = [
  { profile: 'draft', prefixFrames: 48, frames: 24 },
  { profile: 'draft', prefixFrames: 48, frames: 120 },
  { profile: 'preview', prefixFrames: 0, frames: 24 },
  { profile: 'preview', prefixFrames: 48, frames: 24 },
  { profile: 'preview', prefixFrames: 240, frames: 60 },
  { profile: 'preview', prefixFrames: 48, frames: 120 },
  { profile: 'final', prefixFrames: 48, frames: 60 },
];

/** Seconds; the later ones count from the first new frame. */
interface Row {
  before: number;
  total: number;
  afterFirst: number;
  rest: number;
}

async function run(model: LoadedModel, length: (typeof LENGTHS)[number]): Promise<Row> {
  const { profile, prefixFrames, frames } = length;
  const { model: json } = model.package;
  const steps = stepsFor(json, profile);
  const work = workOf(json, { rate: json.rate, prefixFrames, frameCount: frames });
  const before = predictSeconds(await measureSpeed(model), steps, work);
  const prefix = Array.from({ length: prefixFrames }, (_, i) => gradient(SIZE, i));
  const start = performance.now();
  let [first, afterFirst] = [0, 0];
  const request = { prefix, prefixLength: prefixFrames, size: SIZE, rate: json.rate, frameCount: frames };
  for await (const event of extendClip(model, { ...request, profile, seed: 1 })) {
    if (event.kind !== 'frame' || event.index > 0) continue;
    first = performance.now();
    afterFirst = event.secondsLeft;
  }
  const end = performance.now();
  return { before, total: (end - start) / 1000, afterFirst, rest: (end - first) / 1000 };
}

const { positionals } = parseArgs({ allowPositionals: true });
const folder = positionals[0] ?? join(DEFAULT_MODELS, 'maze-64');
const backend = (positionals[1] ?? 'auto') as BackendChoice;
const model = await loadWorldModel(await openPackage(nodeFolder(folder)), { backend });
const calibrated = performance.now();
const speed = await measureSpeed(model);
// As the panel does for its estimate.
measureFrames(model, SIZE);
const took = (performance.now() - calibrated) / 1000;
const ms = Object.entries(speed).map(([name, value]) => `${name} ${(value as number).toFixed(1)}`);
console.log(
  `${model.package.model.name} on ${model.backend}; calibrated in ${took.toFixed(1)} s: ${ms.join(', ')}`,
);
console.log(
  '| profile | prefix | new frames | before the start | it took | after the first chunk | it took |',
);
console.log('|---|---|---|---|---|---|---|');
for (const length of LENGTHS) {
  const { before, total, afterFirst, rest } = await run(model, length);
  const off = (predicted: number, actual: number): string =>
    `${predicted.toFixed(1)} s (${predicted < actual ? '−' : '+'}${Math.abs(100 * (predicted / actual - 1)).toFixed(0)} %)`;
  console.log(
    `| ${length.profile} | ${length.prefixFrames} | ${length.frames} | ${off(before, total)} | ${total.toFixed(1)} s | ${off(afterFirst, rest)} | ${rest.toFixed(1)} s |`,
  );
}
model.dispose();
