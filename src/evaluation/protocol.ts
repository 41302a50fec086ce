import { LongtakeError } from '../engine/types.ts';
import type { TaskName } from '../engine/package/model-json.ts';

/** The protocols of docs/evaluation.md. */
export const EVALUATION_TASKS = ['retrieval', 'reasoning', 'gap', 'region', 'cold'] as const;
export type EvaluationTask = (typeof EVALUATION_TASKS)[number];

/** One frame of a protocol's sequence. */
export interface ProtocolFrame {
  /** Index of the frame in the clip's folder: its picture and its pose. */
  frame: number;
  /** Time index as the model gets it. */
  time: number;
  /**
   * `given`: a clean frame of the prefix (or an anchor); `made`: to be generated, and scored; `region`: a part of it is to
   * be generated, and it is scored.
   */
  role: 'given' | 'made' | 'region';
  /** Frames since the end of the context (gap: since the frame before it), from 1; 0 for a given frame. */
  distance: number;
}

/** What a model must have been trained for. */
export const TASK_NEEDS: Readonly<Record<EvaluationTask, TaskName>> = {
  retrieval: 'extend',
  reasoning: 'extend',
  gap: 'gap',
  region: 'region',
  cold: 'cold-start',
};

/** Lengths where the command line names none: the paper's for retrieval and reasoning. */
export const DEFAULT_LENGTHS: Readonly<Record<EvaluationTask, { context: number; generate: number }>> = {
  retrieval: { context: 400, generate: 400 },
  reasoning: { context: 576, generate: 224 },
  gap: { context: 100, generate: 10 },
  region: { context: 100, generate: 50 },
  cold: { context: 0, generate: 100 },
};

/**
 * Checks the lengths of a protocol.
 * @throws LongtakeError `usage`
 */
export function checkLengths(task: EvaluationTask, context: number, generate: number): void {
  const demand = (right: boolean, sentence: string): void => {
    if (!right) throw new LongtakeError('usage', sentence);
  };
  demand(generate >= 1, 'At least one frame must be generated.');
  if (task === 'cold') return demand(context === 0, 'A cold start has no context: leave --context out.');
  if (task === 'gap') return demand(context >= 2, 'A gap needs a context of at least two frames.');
  if (task !== 'region') demand(context >= 1, `The task ${task} needs a context of at least one frame.`);
  if (task === 'retrieval') {
    demand(generate <= context, 'The way back can not be longer than the way there: --generate ≤ --context.');
  }
}

/** Frames that a clip must have for a protocol. */
export function framesNeeded(task: EvaluationTask, context: number, generate: number): number {
  return task === 'retrieval' ? context : context + generate;
}

/**
 * The sequence of a protocol, in the order in which the model gets it.
 * - retrieval: frames 0 … N−1, then the exact way back N−1 … N−M
 * - reasoning, region, cold: the walk as it is
 * - gap: the later half of the context (anchors after the gap, with their true times), the earlier half, the gap
 */
export function protocolFrames(task: EvaluationTask, context: number, generate: number): ProtocolFrame[] {
  checkLengths(task, context, generate);
  const given = (frame: number): ProtocolFrame => ({ frame, time: frame, role: 'given', distance: 0 });
  const role = task === 'region' ? 'region' : 'made';
  if (task === 'gap') {
    const after = Math.floor(context / 2);
    const before = context - after;
    return [
      ...range(after, (i) => given(before + generate + i)),
      ...range(before, given),
      ...range(generate, (i) => ({ frame: before + i, time: before + i, role, distance: i + 1 }) as const),
    ];
  }
  return [
    ...range(context, given),
    ...range(
      generate,
      (i) =>
        ({
          frame: task === 'retrieval' ? context - 1 - i : context + i,
          time: context + i,
          role,
          distance: i + 1,
        }) as const,
    ),
  ];
}

function range<T>(length: number, make: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => make(index));
}
