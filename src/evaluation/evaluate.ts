import type { LoadedModel } from '../engine/loaded-model.ts';
import { levelsFor } from '../engine/sampler/levels.ts';
import { checkTask } from '../engine/tasks/check-request.ts';
import { LongtakeError } from '../engine/types.ts';
import { checkDegradation, type Degradation } from './degradation.ts';
import { evaluateClip, type ClipOutcome, type EvaluationClip } from './evaluate-clip.ts';
import { curveOf, meanFigures, type CurvePoint, type Figures } from './figures.ts';
import { coldFigures, type ColdFigures } from './liveliness.ts';
import { SSIM_WINDOW } from './metrics.ts';
import { checkLengths, TASK_NEEDS, type EvaluationTask } from './protocol.ts';

export interface EvaluationSettings {
  task: EvaluationTask;
  /** Given frames, frames to be generated. */
  context: number;
  generate: number;
  /** Denoise passes; null = the model's own. */
  steps: number | null;
  /** 32-bit seed; clip i is made with seed + i. */
  seed: number;
  degradation: Degradation;
}

/** The figures of one evaluation: what `longtake eval --json` prints. */
export interface EvaluationReport {
  task: EvaluationTask;
  model: string;
  backend: string;
  steps: number;
  levels: number[];
  seed: number;
  clips: number;
  context: number;
  generate: number;
  degradation: Degradation;
  /** Means over all generated frames of all clips; null for cold starts, which have no truth. */
  psnr: number | null;
  ssim: number | null;
  /** Over the pixels of the hole alone; region only. */
  holePsnr?: number;
  /** [] for cold starts. */
  curve: CurvePoint[];
  /** The same means for what needs no model: `freeze`, for gaps `crossFade`, for regions `harmonicFill`. */
  baselines: Record<string, Figures>;
  /** Cold starts only. */
  cold?: ColdFigures;
  perClip: { name: string; psnr: number | null; ssim: number | null }[];
  /** Wall-clock time of everything. */
  seconds: number;
  /** Time of the model for one generated frame, and for one frame of the prefix; null without a prefix. */
  msPerFrame: number;
  primingMsPerFrame: number | null;
}

export interface EvaluationRun {
  signal?: AbortSignal;
  /** Frames that are finished of all that the model goes through. */
  onProgress?: (clip: EvaluationClip, framesDone: number, framesTotal: number) => void;
  /** Called with each clip's outcome, for sheets and the like. */
  onClip?: (outcome: ClipOutcome) => void;
}

/**
 * Checks what can be checked before a frame is read.
 * @throws LongtakeError `usage`
 */
export function checkSettings(settings: EvaluationSettings): void {
  checkLengths(settings.task, settings.context, settings.generate);
  checkDegradation(settings.task, settings.degradation);
}

/**
 * Evaluates a model on clips, one after the other, through the engine.
 * @param clips at least one, each with the frames that the protocol needs
 * @throws LongtakeError `usage` where the settings make no sense or the model was not trained for the task; `input`,
 *   `backend`, `cancelled`
 */
export async function evaluate(
  model: LoadedModel,
  clips: readonly EvaluationClip[],
  settings: EvaluationSettings,
  run: EvaluationRun = {},
): Promise<EvaluationReport> {
  const started = performance.now();
  checkSettings(settings);
  const { task, context, generate, seed, degradation } = settings;
  const { model: description } = model.package;
  checkTask(description, TASK_NEEDS[task]);
  const { width, height } = description.frame;
  if (Math.min(width, height) < SSIM_WINDOW) {
    throw new LongtakeError(
      'usage',
      `Pictures of ${width} × ${height} are too small to be compared: at least ${SSIM_WINDOW} pixels a side are needed.`,
    );
  }
  const levels = levelsFor(description.sampler, settings.steps ?? description.sampler.defaultSteps);
  const outcomes: ClipFigures[] = [];
  for (const [index, clip] of clips.entries()) {
    const outcome = await evaluateClip(model, clip, {
      task,
      context,
      generate,
      levels,
      degradation,
      seed: (seed + index) % 2 ** 32,
      signal: run.signal,
      onFrames: (done, total) => run.onProgress?.(clip, index * total + done, clips.length * total),
    });
    run.onClip?.(outcome);
    outcomes.push(withoutPictures(outcome));
  }
  const generatingMs = sum(outcomes, ({ generatingMs: ms }) => ms);
  const primed = sum(outcomes, ({ givenFrames }) => givenFrames);
  return {
    ...{ task, model: description.name, backend: model.backend },
    ...{ steps: levels.length - 1, levels, seed, clips: clips.length, context, generate, degradation },
    ...compared(task, outcomes),
    seconds: (performance.now() - started) / 1000,
    msPerFrame: generatingMs / (clips.length * generate),
    primingMsPerFrame: primed === 0 ? null : sum(outcomes, ({ primingMs }) => primingMs) / primed,
  };
}

/** An outcome that may be kept for every clip. */
type ClipFigures = Omit<ClipOutcome, 'pictures'>;

function withoutPictures(outcome: ClipOutcome): ClipFigures {
  const { name, scores, baselines, liveliness, givenFrames, primingMs, generatingMs } = outcome;
  return { name, scores, baselines, liveliness, givenFrames, primingMs, generatingMs };
}

/** The part of the report that says how good the frames are. */
function compared(
  task: EvaluationTask,
  outcomes: readonly ClipFigures[],
): Pick<EvaluationReport, 'psnr' | 'ssim' | 'holePsnr' | 'curve' | 'baselines' | 'cold' | 'perClip'> {
  if (task === 'cold') {
    return {
      psnr: null,
      ssim: null,
      curve: [],
      baselines: {},
      cold: coldFigures(
        outcomes.map(({ liveliness }) => liveliness.made),
        outcomes.map(({ liveliness }) => liveliness.real),
      ),
      perClip: outcomes.map(({ name }) => ({ name, psnr: null, ssim: null })),
    };
  }
  const scores = outcomes.map((outcome) => outcome.scores!);
  const names = Object.keys(outcomes[0]!.baselines);
  const baseline = (name: string) => outcomes.map(({ baselines }) => baselines[name]!);
  return {
    ...meanFigures(scores),
    curve: curveOf(scores, baseline('freeze')),
    baselines: Object.fromEntries(names.map((name) => [name, meanFigures(baseline(name))])),
    perClip: outcomes.map(({ name, scores: own }) => ({ name, ...meanFigures([own!]) })),
  };
}

function sum<T>(items: readonly T[], pick: (item: T) => number): number {
  return items.reduce((total, item) => total + pick(item), 0);
}
