import type { EvaluationReport } from '../evaluation/evaluate.ts';

/** The figures of an evaluation as a table for people. */
export function evaluationTable(report: EvaluationReport): string {
  const { task, model, backend, steps, seed, clips, context, generate } = report;
  const lines = [
    `${model} on ${backend}: ${task}, ${context} frames given, ${generate} generated, ${steps} steps, ${clips} clips, seed ${seed}`,
    ...degraded(report),
    '',
    ...(report.cold ? coldLines(report.cold) : comparedLines(report)),
    '',
    `${report.msPerFrame.toFixed(1)} ms a generated frame` +
      (report.primingMsPerFrame === null ? '' : `, ${report.primingMsPerFrame.toFixed(1)} ms a given one`) +
      `, ${report.seconds.toFixed(1)} s in all`,
  ];
  return `${lines.join('\n')}\n`;
}

function degraded({ degradation: { noise, missing, occlusion, cameraJump } }: EvaluationReport): string[] {
  const parts = [
    noise > 0 && `noise of σ = ${noise}`,
    missing > 0 && `${Math.round(missing * 100)} % of the frames missing`,
    occlusion > 0 && `occlusions of ${occlusion} frames`,
    cameraJump && 'a camera jump',
  ].filter((part) => part !== false);
  return parts.length === 0 ? [] : [`Prefix with ${parts.join(', ')}`];
}

function comparedLines(report: EvaluationReport): string[] {
  const hole = report.holePsnr !== undefined;
  const row = (name: string, psnr: number, ssim: number, holePsnr?: number): string =>
    name.padEnd(16) +
    psnr.toFixed(2).padStart(10) +
    ssim.toFixed(4).padStart(10) +
    (holePsnr === undefined ? '' : holePsnr.toFixed(2).padStart(12));
  return [
    ''.padEnd(16) + 'PSNR dB'.padStart(10) + 'SSIM'.padStart(10) + (hole ? 'hole dB'.padStart(12) : ''),
    row('generated', report.psnr!, report.ssim!, report.holePsnr),
    ...Object.entries(report.baselines).map(([name, { psnr, ssim, holePsnr }]) =>
      row(BASELINE_NAMES[name] ?? name, psnr, ssim, holePsnr),
    ),
    '',
    'distance'.padEnd(16) + 'PSNR dB'.padStart(10) + 'SSIM'.padStart(10) + 'frozen dB'.padStart(12),
    ...report.curve.map(({ from, to, psnr, ssim, freezePsnr }) =>
      row(from === to ? `${from}` : `${from}…${to}`, psnr, ssim, freezePsnr),
    ),
  ];
}

const BASELINE_NAMES: Record<string, string> = {
  freeze: 'last frame held',
  crossFade: 'cross-fade',
  harmonicFill: 'harmonic fill',
};

function coldLines({ spread, change, collapsed, curve }: NonNullable<EvaluationReport['cold']>): string[] {
  const row = (name: string, ...numbers: number[]): string =>
    name.padEnd(26) + numbers.map((number) => number.toFixed(2).padStart(10)).join('');
  return [
    ''.padEnd(26) + ['generated', 'real', 'ratio'].map((title) => title.padStart(10)).join(''),
    row('contrast within a frame', spread.made, spread.real, spread.ratio),
    row('change from frame to frame', change.made, change.real, change.ratio),
    `clips that collapsed: ${collapsed}`,
    '',
    'distance'.padEnd(26) + ['contrast', 'change'].map((title) => title.padStart(10)).join(''),
    ...curve.map(({ from, to, spreadRatio, changeRatio }) =>
      row(from === to ? `${from}` : `${from}…${to}`, spreadRatio, changeRatio),
    ),
  ];
}
