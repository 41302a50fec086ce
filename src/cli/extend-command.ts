import { basename } from 'node:path';
import { framesIn, parseRate, rateForPeople, rateToText } from '../media/rational.ts';
import { contactSheet } from '../media/contact-sheet.ts';
import {
  runExtension,
  type ExtensionPlan,
  type ExtensionProgress,
  type ExtensionResult,
} from '../media/extension.ts';
import { checkPictureSize } from '../media/limits.ts';
import { openClipFile } from '../media/node/clip-file.ts';
import { writeWhole } from '../media/node/pending-file.ts';
import { encodePng } from '../media/node/png.ts';
import { evenSize } from '../media/picture.ts';
import { knowsSpeed, moveTrack } from '../engine/camera/moves.ts';
import type { ModelJson } from '../engine/package/model-json.ts';
import { profileWith } from '../engine/scheduler/profiles.ts';
import { checkTask } from '../engine/tasks/check-request.ts';
import { LongtakeError } from '../engine/types.ts';
import { readCameraFile } from '../media/node/camera-file.ts';
import { parseMove } from './camera-move.ts';
import type { CliEngine, ReadyModel } from './cli-engine.ts';
import type { Console } from './console.ts';
import {
  decimal,
  generationSettings,
  GENERATION_OPTIONS,
  parseCommand,
  parseSize,
  type Content,
} from './options.ts';
import { checkOutputs, openOutputs, planFiles, type PlannedFile } from './outputs.ts';
import { ProgressLine } from './progress.ts';
import { seamSentence } from './seam-sentence.ts';

/** The longest time that can be asked for: a week. */
const MAX_FIT_SECONDS = 7 * 24 * 3600;

/** What is being done, in words. */
export const PHASES: Record<ExtensionProgress['phase'], string> = {
  copying: 'Copying the clip',
  reading: 'Reading the clip',
  priming: 'Looking at the clip',
  generating: 'Making new frames',
  writing: 'Writing files',
};

/** `longtake extend [IN] …`: docs/cli.md. */
export async function extendCommand(args: string[], engine: CliEngine, console: Console): Promise<void> {
  const { values, positionals } = parseCommand(args, {
    ...GENERATION_OPTIONS,
    out: { type: 'string' },
    camera: { type: 'string' },
    move: { type: 'string' },
    sheet: { type: 'string' },
    size: { type: 'string' },
    rate: { type: 'string' },
    loop: { type: 'boolean' },
    fit: { type: 'string' },
  });
  if (positionals.length > 1)
    throw new LongtakeError('usage', 'Name one clip to extend, or none for a cold start.');
  const input = positionals[0] ?? null;
  const settings = generationSettings(values);
  const loop = values.loop === true;
  if (loop && (input === null || settings.direction === 'backward')) {
    throw new LongtakeError(
      'usage',
      '--loop leads from a clip’s end to its beginning: name a clip, and no --direction.',
    );
  }
  const move = values.move === undefined ? null : parseMove(values.move);
  if (move !== null && loop) {
    throw new LongtakeError('usage', '--loop leads back to the clip’s beginning, so it takes no --move.');
  }
  const fit = values.fit === undefined ? null : decimal('--fit', values.fit, 0.1, MAX_FIT_SECONDS);
  if (fit !== null && (loop || values.profile !== undefined || values.steps !== undefined)) {
    throw new LongtakeError(
      'usage',
      '--fit chooses the passes itself and goes with no --profile, --steps or --loop.',
    );
  }
  if (values.out === undefined) throw new LongtakeError('usage', 'Name the file for the result with --out.');
  if (input !== null && (values.size !== undefined || values.rate !== undefined)) {
    throw new LongtakeError(
      'usage',
      '--size and --rate are for cold starts; a clip keeps its own size and rate.',
    );
  }
  const size = values.size === undefined ? null : parseSize(values.size);
  if (size !== null) checkSize(size);
  const rate = values.rate === undefined ? null : parseRate(values.rate);
  const files = planFiles(values.out, chooseContent(settings.content, input));
  if (values.sheet !== undefined && !/\.png$/i.test(values.sheet)) {
    throw new LongtakeError('usage', `The contact sheet “${values.sheet}” must be named .png.`);
  }
  const sheets = values.sheet === undefined ? [] : [values.sheet];
  const inputs = [input, values.camera ?? null].filter((path) => path !== null);
  await checkOutputs(inputs, [...files.map(({ path }) => path), ...sheets]);

  const camera = values.camera === undefined ? null : await readCameraFile(values.camera);
  const clip = input === null ? null : await openClipFile(input, console.signal);
  const { direction } = settings;
  const prefixFrames = clip?.facts.frameCount ?? 0;
  const known = camera ?? undefined;
  if (move?.kind === 'continue' && !knowsSpeed({ prefixFrames, direction, known })) {
    clip?.dispose();
    throw new LongtakeError(
      'usage',
      '--move continue needs to know how the camera moves at the cut: give a camera track of the clip with --camera.',
    );
  }
  const progress = new ProgressLine(console, settings.json);
  let ready: ReadyModel | null = null;
  try {
    if (loop) checkTask((await engine.find(settings.model)).model, 'gap');
    ready = await engine.load(settings.model, {
      backend: settings.backend,
      signal: console.signal,
      onProgress: (done, total) =>
        progress.update('Loading the model', Math.round(done / 1024), Math.round(total / 1024)),
    });
    const shape =
      clip === null ? { size: size ?? ready.model.frame, rate: rate ?? ready.model.rate } : clip.facts;
    const frameCount = framesIn(settings.seconds, shape.rate);
    const track =
      move === null
        ? camera
        : moveTrack(move, {
            prefixFrames,
            frameCount,
            direction,
            known,
            verticalFov: camera?.verticalFov ?? ready.model.camera.verticalFov,
            aspect: shape.size.width / shape.size.height,
          });
    const plan: ExtensionPlan = {
      prefix: clip === null ? null : { clip, start: 0, count: clip.facts.frameCount },
      size: { width: shape.size.width, height: shape.size.height },
      rate: shape.rate,
      request: {
        frameCount,
        profile: settings.profile,
        direction,
        seed: settings.seed,
        ...(settings.steps === null ? {} : { steps: settings.steps }),
        ...(track === null ? {} : { camera: track }),
        ...(fit === null ? {} : { fitSeconds: fit }),
      },
    };
    const result = await produce(plan, files, sheets[0] ?? null, {
      extend: loop ? ready.loop : ready.extend,
      ready,
      console,
      progress,
      input,
    });
    progress.clear();
    const summary = summarise(plan, files, sheets, result, settings.seed);
    if (result.report.fit) summary.notices.push(fitNotice(result.report.fit, ready.model));
    console.print(settings.json ? `${JSON.stringify(summary)}\n` : report(summary));
  } finally {
    progress.clear();
    ready?.dispose();
    clip?.dispose();
  }
}

function checkSize(size: { width: number; height: number }): void {
  try {
    checkPictureSize(size.width, size.height, 'The new shot');
  } catch (cause) {
    if (cause instanceof LongtakeError) throw new LongtakeError('usage', cause.message, { cause });
    throw cause;
  }
}

function chooseContent(wanted: Content | null, input: string | null): Content {
  if (input !== null) return wanted ?? 'extended';
  if (wanted === null || wanted === 'continuation') return 'continuation';
  throw new LongtakeError(
    'usage',
    `A cold start has no clip to extend, so --content ${wanted} is not possible.`,
  );
}

interface RunParts {
  extend: ReadyModel['extend'];
  ready: ReadyModel;
  console: Console;
  progress: ProgressLine;
  input: string | null;
}

/** Makes the files; all of them appear, or none. */
async function produce(
  plan: ExtensionPlan,
  files: readonly PlannedFile[],
  sheet: string | null,
  { extend, ready, console, progress, input }: RunParts,
): Promise<ExtensionResult> {
  const open = await openOutputs(files);
  try {
    const result = await runExtension(extend, plan, open.outputs, {
      signal: console.signal,
      onProgress: ({ phase, done, total, secondsLeft }) =>
        progress.update(PHASES[phase], done, total, secondsLeft),
    });
    if (sheet !== null) {
      const title = input === null ? 'New shot' : basename(input);
      const note = `${result.report.frames} new frames at ${rateForPeople(plan.rate)} by ${ready.model.name}`;
      const strip = { title, note, tiles: result.tiles };
      await writeWhole(sheet, encodePng(contactSheet([strip])));
    }
    await open.commit();
    return result;
  } finally {
    await open.discard();
  }
}

/** The object that `--json` prints. */
export interface ExtendSummary {
  model: string;
  backend: string;
  frames: number;
  prefixFrames: number;
  size: { width: number; height: number };
  rate: string;
  seed: number;
  direction: string;
  profile: string;
  msPerFrame: number;
  /** With --fit: passes of the last chunk, and whether the time was kept. */
  fit?: NonNullable<ExtensionResult['report']['fit']>;
  seam: ExtensionResult['report']['seam'];
  /** Loops alone: from the last new frame to the clip's first. */
  seamAfter?: NonNullable<ExtensionResult['report']['seam']>;
  files: { path: string; content: 'continuation' | 'extended' | 'sheet'; frames?: number }[];
  notices: string[];
}

function summarise(
  plan: ExtensionPlan,
  files: readonly PlannedFile[],
  sheets: readonly string[],
  result: ExtensionResult,
  seed: number,
): ExtendSummary {
  const stored = evenSize(plan.size);
  const notices = [...result.notices];
  if (stored.width !== plan.size.width || stored.height !== plan.size.height) {
    notices.push(
      `Video files have even sides: ${plan.size.width}×${plan.size.height} was padded to ${stored.width}×${stored.height} by repeating the edge.`,
    );
  }
  return {
    model: result.report.model,
    backend: result.report.backend,
    frames: result.report.frames,
    prefixFrames: result.report.prefixFrames,
    size: stored,
    rate: rateToText(plan.rate),
    seed,
    direction: plan.request.direction ?? 'forward',
    profile: plan.request.profile,
    msPerFrame: result.report.msPerFrame,
    ...(result.report.fit === undefined ? {} : { fit: result.report.fit }),
    seam: result.report.seam,
    ...(result.report.seamAfter === undefined ? {} : { seamAfter: result.report.seamAfter }),
    files: [
      ...files.map(({ path, content }, i) => ({ path, content, frames: result.frameCounts[i]! })),
      ...sheets.map((path) => ({ path, content: 'sheet' as const })),
    ],
    notices,
  };
}

/** What `--fit` came to, in words. */
function fitNotice({ steps, inTime }: { steps: number; inTime: boolean }, model: ModelJson): string {
  const profile = profileWith(model, steps);
  const passes = `${steps} ${steps === 1 ? 'pass' : 'passes'} a chunk${profile === null ? '' : ` (${profile})`}`;
  return inTime ? `Made in time with ${passes}.` : `It took longer than asked for, even with ${passes}.`;
}

function report(summary: ExtendSummary): string {
  const { seam, seamAfter } = summary;
  const lines = [
    `${summary.frames} new frames (${summary.size.width}×${summary.size.height}, ${summary.rate} fps) by ${summary.model} on ${summary.backend}, ${summary.msPerFrame.toFixed(0)} ms a frame.`,
  ];
  if (seam !== null)
    lines.push(seamSentence('the cut', seam, summary.direction === 'backward' ? 'after' : 'before'));
  if (seamAfter !== undefined) lines.push(seamSentence('the loop’s end', seamAfter, 'after'));
  lines.push(...summary.notices, ...summary.files.map(({ path, content }) => `Wrote ${path} (${content}).`));
  return `${lines.join('\n')}\n`;
}
