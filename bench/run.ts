import { cpus } from 'node:os';
import { throwIfCancelled } from '../src/engine/cancel.ts';
import type { WorldPackage } from '../src/engine/package/world-package.ts';
import { loadedModel } from '../src/engine/loaded-model.ts';
import { largestDifference } from '../src/engine/parity/difference.ts';
import { wanderingRollout } from '../src/engine/parity/wandering.ts';
import { levelsFor } from '../src/engine/sampler/levels.ts';
import { stepsFor } from '../src/engine/scheduler/profiles.ts';
import { loadOnBackend } from '../src/engine/world/backend.ts';
import type { Chunk, WorldModel } from '../src/engine/world/world-model.ts';
import { nodeRuntime } from '../src/engine/world/ort/node-runtime.ts';
import { ortBackend } from '../src/engine/world/ort/ort-backend.ts';
import type { OrtRuntime } from '../src/engine/world/ort/ort-module.ts';
import type { Arithmetic } from '../src/engine/world/webgpu/kernel-choice.ts';
import { createWebGpuWorldModel, requestWebGpuDevice } from '../src/engine/world/webgpu/index.ts';
import { loadKernelSources, openGpu } from '../src/engine/world/webgpu/platform.node.ts';
import { tuningOf, type TilesStore } from '../src/engine/world/webgpu/tune.ts';
import { DeviceMemory } from './device-memory.ts';
import { measureEndToEnd } from './end-to-end.ts';
import { measureKernels } from './kernel-figures.ts';
import { median } from '../src/engine/median.ts';
import { wallTimes } from './wall-times.ts';
import { OrtWebGpuRollout, PROBE_NOISE } from './ort-webgpu.ts';
import { ortWeb, wasmRuntime } from './ort-runtime.ts';
import { ceilingsOf, FULL_SIZES, measurePeaks, type Peaks, SMALL_SIZES } from './peaks.ts';
import type { BackendFigures, BenchReport } from './report.ts';
import { measureWorld, type WorldBenchSettings } from './world-figures.ts';

/** What can be measured: our kernels; onnxruntime on the device, natively on the processor, as WebAssembly. */
export const SUBJECTS = ['webgpu', 'ort-webgpu', 'ort', 'ort-wasm'] as const;
export type Subject = (typeof SUBJECTS)[number];

/** What one subject leaves for a later one. */
interface Shared {
  peaks: Peaks | null;
  /** Latents of `probe` by our kernels, for comparison. */
  probe: Float32Array | null;
}

export interface BenchSettings extends WorldBenchSettings {
  subjects: readonly Subject[];
  /** Small micro-benchmarks and a short end-to-end run, for devices that are no graphics cards. */
  small: boolean;
  endToEnd: boolean;
  /** What our kernels' large products are made with. */
  arithmetic: Arithmetic;
  /** Use the fastest tiles for the device, found before anything is measured. */
  tuned: boolean;
}

/** What onnxruntime and the micro-benchmarks can use beyond our kernels' needs. */
const EXTRA_FEATURES = ['subgroup-size-control', 'chromium-experimental-subgroup-matrix'];

/**
 * Measures the subjects one after the other in one process, on one device. A subject that cannot run here is named with
 * the reason.
 * @throws LongtakeError `cancelled`
 */
export async function runBench(pkg: WorldPackage, settings: BenchSettings): Promise<BenchReport> {
  const gpu = await openGpu({ software: true });
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
  const report: BenchReport = {
    model: pkg.model.name,
    date: new Date().toISOString().slice(0, 16),
    node: process.versions.node,
    processor: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}`,
    device: null,
    dawnFeatures: process.env['LONGTAKE_DAWN_FEATURES'] ?? '',
    peaks: null,
    backends: [],
  };
  let device: GPUDevice | null = null;
  if (gpu && adapter) {
    device = await requestWebGpuDevice(gpu, { features: EXTRA_FEATURES });
    const { description, vendor, architecture, device: name } = adapter.info;
    report.device = {
      ...{ description: description || name, vendor, architecture },
      features: [...device.features].sort(),
    };
    settings.onStage?.('micro-benchmarks');
    report.peaks = await measurePeaks(device, settings.small ? SMALL_SIZES : FULL_SIZES);
  }
  const shared: Shared = { peaks: report.peaks, probe: null };
  for (const subject of settings.subjects) {
    throwIfCancelled(settings.signal);
    const own = { ...settings, onStage: (stage: string) => settings.onStage?.(`${subject}: ${stage}`) };
    try {
      report.backends.push(await measureSubject(subject, pkg, own, gpu, device, shared));
    } catch (error) {
      throwIfCancelled(settings.signal);
      report.backends.push({ name: subject, skipped: messageOf(error) });
    }
  }
  return report;
}

async function measureSubject(
  subject: Subject,
  pkg: WorldPackage,
  settings: BenchSettings,
  gpu: GPU | undefined,
  device: GPUDevice | null,
  shared: Shared,
): Promise<BackendFigures> {
  switch (subject) {
    case 'webgpu':
      if (!device) return { name: subject, skipped: 'there is no graphics device' };
      return measureWebGpu(pkg, settings, device, shared);
    case 'ort-webgpu':
      if (!gpu || !device) return { name: subject, skipped: 'there is no graphics device' };
      return measureOrtWebGpu(pkg, settings, gpu, shared);
    case 'ort':
      return measureOrt('ort', pkg, settings, nodeRuntime);
    case 'ort-wasm':
      return measureOrt(subject, pkg, settings, wasmRuntime);
  }
}

async function measureWebGpu(
  pkg: WorldPackage,
  settings: BenchSettings,
  device: GPUDevice,
  shared: Shared,
): Promise<BackendFigures> {
  const memory = new DeviceMemory(device);
  const { world: spec } = pkg.model;
  settings.onStage?.('load');
  const store = new NotedTiles();
  const start = performance.now();
  const world = await createWebGpuWorldModel(spec, pkg.file(spec.weights), await loadKernelSources(), {
    ...{ device, signal: settings.signal, arithmetic: settings.arithmetic },
    ...(settings.tuned ? { tuning: tuningOf(pkg, store) } : {}),
  });
  const loadMs = performance.now() - start;
  try {
    const modelBytes = memory.live;
    shared.probe = await probe(pkg, world);
    const figures = await measureWorld(pkg.model, world, settings, () => memory.live);
    settings.onStage?.('kernels');
    const timed = device.features.has('timestamp-query') && shared.peaks !== null;
    const passes = timed
      ? await measureKernels(
          pkg.model,
          world,
          ceilingsOf(shared.peaks!),
          settings.small ? settings.repeats : 5 * settings.repeats,
        )
      : [];
    settings.onStage?.('end to end');
    const endToEnd = await endToEndOf(loadedModel(pkg, world), settings);
    return {
      ...{ name: 'webgpu', loadMs, modelBytes, world: figures, passes },
      ...(endToEnd && { endToEnd }),
      msAChunk: previewOf(figures.profiles),
      notes: [
        `arithmetic: ${world.arithmetic}, asked for ${settings.arithmetic}`,
        `tiles: ${settings.tuned ? store.text : 'the default ones'}`,
        `most device memory at any time: ${(memory.most / 2 ** 20).toFixed(1)} MiB`,
        ...(timed ? [] : ['no times of kernels: the device has no timestamp queries']),
      ],
    };
  } finally {
    world.dispose();
  }
}

/** Remembers nothing, so that tiles are tried anew, and says which were taken. */
class NotedTiles implements TilesStore {
  text = 'the default ones (not a graphics card)';

  async read(): Promise<null> {
    return null;
  }

  async write(_: string, bytes: Uint8Array): Promise<void> {
    this.text = new TextDecoder().decode(bytes);
  }
}

/** The processor backends of onnxruntime. */
async function measureOrt(
  name: string,
  pkg: WorldPackage,
  settings: BenchSettings,
  runtime: () => Promise<OrtRuntime>,
): Promise<BackendFigures> {
  settings.onStage?.('load');
  const backend = ortBackend(runtime);
  const start = performance.now();
  const world = await loadOnBackend(pkg, [backend], {
    ...{ backend: 'ort' },
    ...(settings.signal && { signal: settings.signal }),
  });
  const loadMs = performance.now() - start;
  try {
    // A long prefix takes minutes on a processor and says nothing new: its state has a fixed size too.
    const prefixes = settings.prefixes.filter((frames) => frames <= 100);
    const few = { ...settings, repeats: Math.min(5, settings.repeats), prefixes, variations: [] };
    const figures = await measureWorld(pkg.model, world, few, null);
    return { name, loadMs, world: figures, msAChunk: previewOf(figures.profiles) };
  } finally {
    world.dispose();
  }
}

/** The step graph through onnxruntime's WebGPU provider on a device of its own. */
async function measureOrtWebGpu(
  pkg: WorldPackage,
  settings: BenchSettings,
  gpu: GPU,
  shared: Shared,
): Promise<BackendFigures> {
  const name = 'ort-webgpu';
  const module = await ortWeb();
  if (!module) return { name, skipped: 'onnxruntime beside Dawn needs Node 24 or newer' };
  module.env.logLevel = 'error';
  // onnxruntime looks for an adapter there even when it is given a device.
  if (!('gpu' in navigator)) Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  settings.onStage?.('load');
  const device = await requestWebGpuDevice(gpu, { features: EXTRA_FEATURES });
  const chunk = probeChunk(pkg);
  const start = performance.now();
  const rollout = await OrtWebGpuRollout.create(module, device, pkg, chunk);
  const loadMs = performance.now() - start;
  try {
    const levels = levelsFor(pkg.model.sampler, stepsFor(pkg.model, 'preview'));
    const latents = await rollout.chunk(levels);
    const difference = shared.probe && largestDifference(latents, shared.probe);
    settings.onStage?.('step');
    const msAStep = median(await wallTimes(settings.repeats, 2, () => rollout.step()));
    settings.onStage?.('chunk');
    const msAChunk = median(await wallTimes(settings.repeats, 2, () => rollout.chunk(levels)));
    const { denoise, commit } = rollout.notCaptured;
    return {
      ...{ name, loadMs, msAStep, msAChunk },
      notes: [
        denoise === null ? 'denoise: captured and replayed' : `denoise: not captured (${denoise})`,
        commit === null ? 'commit: captured and replayed' : `commit: not captured (${commit})`,
        ...(difference === null
          ? []
          : [`largest difference of a chunk's latents to our kernels: ${difference.toExponential(1)}`]),
      ],
    };
  } finally {
    await rollout.dispose();
  }
}

/** A chunk from a state of zeros, as onnxruntime's rollout makes its first one. */
async function probe(pkg: WorldPackage, world: WorldModel): Promise<Float32Array> {
  const session = await world.createSession();
  try {
    // The snapshot of a session that has committed nothing is all zeros; with a chunk before it these are attended to.
    await session.restore({ ...(await session.snapshot()), committed: 1 });
    const levels = levelsFor(pkg.model.sampler, stepsFor(pkg.model, 'preview'));
    return await session.denoise(probeChunk(pkg), levels, PROBE_NOISE);
  } finally {
    session.dispose();
  }
}

/** A chunk of known poses without given tokens. */
function probeChunk(pkg: WorldPackage): Chunk {
  const chunk = wanderingRollout(pkg.model, 2, 2).chunks[2]!;
  return { ...chunk, cameraKnown: chunk.cameraKnown.map(() => 1) };
}

async function endToEndOf(
  model: ReturnType<typeof loadedModel>,
  { endToEnd, small, signal }: BenchSettings,
): Promise<BackendFigures['endToEnd'] | null> {
  if (!endToEnd) return null;
  const lengths = small ? { prefixFrames: 10, frames: 10 } : { prefixFrames: 120, frames: 240 };
  return measureEndToEnd(model, 'preview', lengths, signal);
}

function previewOf(profiles: readonly { profile: string; msAChunk: number }[]): number {
  return profiles.find(({ profile }) => profile === 'preview')!.msAChunk;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message.split('\n')[0]})` : '';
  return `${error.message}${cause}`;
}
