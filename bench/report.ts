import type { EndToEndFigures } from './end-to-end.ts';
import type { PassFigures } from './kernel-figures.ts';
import type { Peaks } from './peaks.ts';
import type { WorldFigures } from './world-figures.ts';

/** One backend's part of a report. */
export interface BackendFigures {
  name: string;
  /** Why it was not measured. */
  skipped?: string;
  loadMs?: number;
  /** Bytes on the device after loading: weights, inputs, work tensors. */
  modelBytes?: number;
  world?: WorldFigures;
  endToEnd?: EndToEndFigures;
  passes?: PassFigures[];
  notes?: string[];
  /** Milliseconds a chunk of the preview profile, for ratios. */
  msAChunk?: number;
  /** Milliseconds for one run of the step graph until the device is done. */
  msAStep?: number;
}

export interface BenchReport {
  model: string;
  date: string;
  node: string;
  processor: string;
  device: { description: string; vendor: string; architecture: string; features: string[] } | null;
  dawnFeatures: string;
  peaks: Peaks | null;
  backends: BackendFigures[];
}

/** The report as text for people; what was not measured is said. */
export function formatReport(report: BenchReport): string {
  const lines = [
    `${report.model}, ${report.date}, Node ${report.node}, ${report.processor}`,
    report.device
      ? `Graphics device: ${report.device.description || report.device.architecture} (${report.device.vendor}); ${report.device.features.join(', ')}`
      : 'No graphics device',
    ...(report.dawnFeatures === '' ? [] : [`Dawn switches: ${report.dawnFeatures}`]),
    ...(report.peaks ? peakLines(report.peaks) : []),
  ];
  const reference = report.backends.find(({ msAChunk }) => msAChunk !== undefined)?.msAChunk;
  for (const backend of report.backends) lines.push('', ...backendLines(backend, reference));
  return `${lines.join('\n')}\n`;
}

function peakLines(peaks: Peaks): string[] {
  const tera = (value: number | undefined): string =>
    value === undefined ? 'not on this device' : `${(value / 1e12).toFixed(2)} TFLOP/s`;
  return [
    `Measured peaks: f32 tile ${tera(peaks.f32Tile)}, f16 tile ${tera(peaks.f16Tile)}, subgroup matrix ${tera(peaks.subgroupMatrix)} (turned ${tera(peaks.turnedSubgroupMatrix)}),`,
    `  copy ${(peaks.copy / 1e9).toFixed(1)} GB/s, dependent dispatch ${(peaks.dispatch * 1e6).toFixed(2)} µs, round trip ${(peaks.roundTrip * 1e3).toFixed(3)} ms`,
  ];
}

function backendLines(backend: BackendFigures, reference: number | undefined): string[] {
  const lines = [`== ${backend.name}`];
  if (backend.skipped !== undefined) return [...lines, `not measured: ${backend.skipped}`];
  if (backend.loadMs !== undefined) {
    lines.push(
      `load ${backend.loadMs.toFixed(0)} ms` +
        (backend.modelBytes === undefined ? '' : `, ${mebibytes(backend.modelBytes)} on the device`),
    );
  }
  lines.push(...(backend.notes ?? []));
  if (backend.msAStep !== undefined)
    lines.push(`one run of the step graph: ${backend.msAStep.toFixed(3)} ms`);
  if (backend.msAChunk !== undefined) {
    const ratio = reference === undefined ? 1 : backend.msAChunk / reference;
    lines.push(
      `a chunk: ${backend.msAChunk.toFixed(3)} ms` +
        (ratio === 1 ? '' : `, ${ratio.toFixed(2)} times the first backend's`),
    );
  }
  if (backend.world) lines.push(...worldLines(backend.world));
  if (backend.endToEnd) {
    const { profile, prefixFrames, frames, size, msToFirstFrame, framesASecond } = backend.endToEnd;
    lines.push(
      `end to end, ${profile}, ${prefixFrames} + ${frames} frames of ${size.width}×${size.height}: ` +
        `first frame after ${msToFirstFrame.toFixed(0)} ms, then ${framesASecond.toFixed(1)} frames/s`,
    );
  }
  for (const pass of backend.passes ?? []) lines.push('', ...passLines(pass));
  return lines;
}

function worldLines(figures: WorldFigures): string[] {
  const { profiles, prefixes, longestAgainstShortest, primingFramesASecond, variations } = figures;
  const lines = ['profile     steps  ms/chunk   frames/s   spread'];
  for (const { profile, steps, msAChunk, framesASecond, spread } of profiles) {
    lines.push(
      `${profile.padEnd(10)} ${cell(steps, 6, 0)} ${cell(msAChunk, 9, 3)} ${cell(framesASecond, 10, 1)} ${percent(spread)}`,
    );
  }
  if (prefixes.length > 0) {
    lines.push('prefix frames  ms/chunk  against the first   device MiB   heap MiB   spread');
    const first = prefixes[0]!.msAChunk;
    for (const { frames, msAChunk, spread, deviceBytes, heapBytes } of prefixes) {
      const device = deviceBytes === null ? '–'.padStart(12) : cell(deviceBytes / 2 ** 20, 12, 2);
      const change = `${(100 * (msAChunk / first - 1)).toFixed(1)} %`.padStart(18);
      lines.push(
        `${cell(frames, 13, 0)} ${cell(msAChunk, 9, 3)} ${change} ${device} ${cell(heapBytes / 2 ** 20, 10, 1)} ${percent(spread)}`,
      );
    }
  }
  if (longestAgainstShortest !== null) {
    const change = 100 * (longestAgainstShortest - 1);
    lines.push(`longest prefix against shortest, in turns: ${change >= 0 ? '+' : ''}${change.toFixed(2)} %`);
  }
  if (primingFramesASecond !== null) {
    const preview = profiles.find(({ profile }) => profile === 'preview');
    const times = preview
      ? `, ${(primingFramesASecond / preview.framesASecond).toFixed(2)} × generation`
      : '';
    lines.push(`priming: ${primingFramesASecond.toFixed(1)} frames/s${times}`);
  }
  if (variations.length > 0) {
    const one = variations[0]!;
    lines.push(`variations at once  ms/chunk  against ${one.count}   frames/s   device MiB   spread`);
    for (const { count, msAChunk, spread, framesASecond, deviceBytes } of variations) {
      const device = deviceBytes === null ? '–'.padStart(12) : cell(deviceBytes / 2 ** 20, 12, 2);
      const ratio = `${(msAChunk / one.msAChunk).toFixed(2)} ×`.padStart(10);
      lines.push(
        `${cell(count, 18, 0)} ${cell(msAChunk, 9, 3)} ${ratio} ${cell(framesASecond, 10, 1)} ${device} ${percent(spread)}`,
      );
    }
  }
  return lines;
}

function passLines(pass: PassFigures): string[] {
  const lines = [
    `${pass.pass}: ${pass.microseconds.toFixed(1)} µs (${pass.sumMicroseconds.toFixed(1)} one by one), ${pass.dispatches} dispatches, ` +
      `${(pass.flops / 1e9).toFixed(2)} GFLOP, ${(pass.bytes / 1e6).toFixed(1)} MB; ` +
      `floor ${pass.floorMicroseconds.toFixed(1)} µs = ${(100 * pass.floorShare).toFixed(1)} % of the pass`,
    `${'kernel'.padEnd(34)} uses   µs each   in pass  µs total  TFLOP/s      GB/s  floor µs  bound`,
  ];
  for (const kernel of pass.kernels) {
    lines.push(
      `${kernel.what.padEnd(34)} ${cell(kernel.uses, 4, 0)} ${cell(kernel.microseconds, 9, 2)} ${cell(kernel.inPassMicroseconds, 9, 2)} ` +
        `${cell(kernel.uses * kernel.microseconds, 9, 1)} ${cell(kernel.flopsASecond / 1e12, 8, 3)} ` +
        `${cell(kernel.bytesASecond / 1e9, 9, 1)} ${cell(kernel.floorMicroseconds, 9, 2)}  ${kernel.bound}`,
    );
  }
  return lines;
}

function cell(value: number, width: number, digits: number): string {
  return value.toFixed(digits).padStart(width);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`.padStart(8);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
