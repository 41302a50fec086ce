import { throwIfCancelled } from '../engine/cancel.ts';
import { LongtakeError } from '../engine/types.ts';
import { MAX_STEPS } from '../engine/sampler/levels.ts';
import { checkSettings, evaluate, type EvaluationSettings } from '../evaluation/evaluate.ts';
import type { ClipOutcome } from '../evaluation/evaluate-clip.ts';
import { meanFigures } from '../evaluation/figures.ts';
import { openClipFolders } from '../evaluation/node/clip-folders.ts';
import { DEFAULT_LENGTHS, EVALUATION_TASKS, framesNeeded } from '../evaluation/protocol.ts';
import { evaluationSheet, SHEET_CLIPS, sheetClip, type SheetClip } from '../evaluation/sheet.ts';
import { checkWritable, writeWhole } from '../media/node/pending-file.ts';
import { encodePng } from '../media/node/png.ts';
import type { CliEngine } from './cli-engine.ts';
import type { Console } from './console.ts';
import { evaluationTable } from './eval-table.ts';
import { decimal, oneOf, parseCommand, wholeNumber } from './options.ts';
import { ProgressLine } from './progress.ts';

const LONGEST = 1_000_000;

/**
 * `longtake eval MODEL --data DIR --task NAME …`: docs/evaluation.md. Progress goes to standard error, also with `--json`:
 * an evaluation takes minutes to hours.
 */
export async function evalCommand(args: string[], engine: CliEngine, console: Console): Promise<void> {
  const { values, positionals } = parseCommand(args, {
    data: { type: 'string' },
    task: { type: 'string' },
    context: { type: 'string' },
    generate: { type: 'string' },
    steps: { type: 'string' },
    backend: { type: 'string' },
    clips: { type: 'string' },
    seed: { type: 'string' },
    sheet: { type: 'string' },
    noise: { type: 'string' },
    missing: { type: 'string' },
    occlusion: { type: 'string' },
    'camera-jump': { type: 'boolean' },
    json: { type: 'boolean' },
  });
  const name = positionals[0];
  if (name === undefined || positionals.length > 1) {
    throw new LongtakeError('usage', 'Name one world model: a folder under models/, or a path.');
  }
  if (values.data === undefined) throw new LongtakeError('usage', 'Name the folder of clips with --data.');
  if (values.task === undefined) {
    throw new LongtakeError('usage', `Name the task with --task: ${EVALUATION_TASKS.join(', ')}.`);
  }
  const task = oneOf('--task', values.task, EVALUATION_TASKS);
  const lengths = DEFAULT_LENGTHS[task];
  const whole = (option: string, text: string | undefined, least: number, most: number): number | null =>
    text === undefined ? null : wholeNumber(option, text, least, most);
  const settings: EvaluationSettings = {
    task,
    context: whole('--context', values.context, 0, LONGEST) ?? lengths.context,
    generate: whole('--generate', values.generate, 1, LONGEST) ?? lengths.generate,
    steps: whole('--steps', values.steps, 1, MAX_STEPS),
    seed: whole('--seed', values.seed, 0, 2 ** 32 - 1) ?? 0,
    degradation: {
      noise: values.noise === undefined ? 0 : decimal('--noise', values.noise, 0, 1),
      missing: values.missing === undefined ? 0 : decimal('--missing', values.missing, 0, 0.9),
      occlusion: whole('--occlusion', values.occlusion, 0, LONGEST) ?? 0,
      cameraJump: values['camera-jump'] === true,
    },
  };
  checkSettings(settings);
  const backend = oneOf('--backend', values.backend ?? 'auto', ['auto', 'ort', 'webgpu']);
  const sheet = values.sheet ?? null;
  if (sheet !== null && !/\.png$/i.test(sheet)) {
    throw new LongtakeError('usage', `The sheet “${sheet}” must be named .png.`);
  }
  if (sheet !== null) await checkWritable(sheet);
  const { folder } = await engine.find(name);
  const clips = await openClipFolders(values.data, {
    count: whole('--clips', values.clips, 1, LONGEST),
    frames: framesNeeded(task, settings.context, settings.generate),
  });
  throwIfCancelled(console.signal);

  const { openPackage, nodeFolder, loadWorldModel } = await import('../engine/node.ts');
  const { signal } = console;
  const model = await loadWorldModel(await openPackage(nodeFolder(folder), { signal }), { backend, signal });
  const progress = new ProgressLine(console, false);
  const shown: SheetClip[] = [];
  const started = performance.now();
  try {
    const report = await evaluate(model, clips, settings, {
      signal,
      onProgress: (clip, done, total) => {
        const left = ((performance.now() - started) / 1000) * (total / done - 1);
        progress.update(`${task} ${clip.name}`, done, total, left);
      },
      onClip: (outcome) => {
        // What is known is on record even where the run is broken off.
        progress.clear();
        console.complain(`${clipLine(outcome)}\n`);
        if (sheet !== null && shown.length < SHEET_CLIPS) shown.push(sheetClip(outcome));
      },
    });
    progress.clear();
    if (sheet !== null) {
      const title = `${report.model} ${task} ${report.context} + ${report.generate}, ${report.steps} steps, ${report.backend}`;
      await writeWhole(sheet, encodePng(evaluationSheet(title, shown)));
    }
    console.print(values.json === true ? `${JSON.stringify(report)}\n` : evaluationTable(report));
  } finally {
    progress.clear();
    model.dispose();
  }
}

function clipLine({ name, scores }: ClipOutcome): string {
  if (!scores) return `${name}: done`;
  const { psnr, ssim } = meanFigures([scores]);
  return `${name}: PSNR ${psnr.toFixed(2)} dB, SSIM ${ssim.toFixed(4)}`;
}
