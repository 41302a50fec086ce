import type { WorldSnapshot } from '../world/world-model.ts';
import { decibelsApart, largestDifference } from './difference.ts';
import { CHUNKS, PREFIX_CHUNKS, RECORDED_SEED } from './recording.ts';
import type { Recording } from './recording.ts';
import { traceRollout } from './rollout.ts';
import type { ParityCandidate, RolloutInput, RolloutTrace } from './rollout.ts';

/** One line of the parity table. */
export interface ParityRow {
  /** What was compared. */
  what: string;
  /** Backend that was judged. */
  backend: string;
  /** What it was judged by: `PyTorch`, or the backend that came first. */
  against: string;
  /** Largest absolute difference of any number. */
  largest: number;
  /** Largest magnitude of the numbers compared, for scale. */
  scale: number;
  /** Range of the numbers over their root mean square difference; of kernels, which are judged by many calls, left out. */
  decibels?: number;
}

/** The rollout that PyTorch recorded, and what came of it. */
export function recordedRollout(
  recording: Recording,
  layers: number,
): { input: RolloutInput; trace: RolloutTrace } {
  const chunks = Array.from({ length: CHUNKS }, (_, i) => recording.chunk(i));
  return {
    input: { chunks, prefixChunks: PREFIX_CHUNKS, levels: recording.levels(), seed: RECORDED_SEED },
    trace: {
      by: 'PyTorch',
      primed: recording.state(PREFIX_CHUNKS, layers),
      finished: chunks.slice(PREFIX_CHUNKS).map((_, i) => recording.finished(PREFIX_CHUNKS + i)),
      final: recording.state(CHUNKS, layers),
    },
  };
}

/**
 * Runs one rollout on every candidate and compares all it leaves behind: states after the prefix, layer by layer, every chunk
 * made, states at the end.
 * @param reference what to judge by; null = the first candidate
 */
export async function measureParity(
  candidates: readonly ParityCandidate[],
  input: RolloutInput,
  reference: RolloutTrace | null,
  signal?: AbortSignal,
): Promise<ParityRow[]> {
  const rows: ParityRow[] = [];
  let judge = reference;
  for (const candidate of candidates) {
    const trace = await traceRollout(candidate, input, signal);
    if (judge) rows.push(...compared(trace, judge));
    judge ??= trace;
  }
  return rows;
}

function compared(trace: RolloutTrace, judge: RolloutTrace): ParityRow[] {
  const row = (what: string, a: Float32Array, b: Float32Array): ParityRow => ({
    what,
    backend: trace.by,
    against: judge.by,
    largest: largestDifference(a, b),
    scale: b.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    decibels: decibelsApart(a, b),
  });
  const states = (when: string, a: WorldSnapshot, b: WorldSnapshot): ParityRow[] =>
    b.layers.flatMap((layer, index) =>
      (['scan', 'keys', 'values'] as const).map((part) =>
        row(`${when}, layer ${index}: ${part}`, a.layers[index]![part], layer[part]),
      ),
    );
  return [
    ...states('primed', trace.primed, judge.primed),
    ...judge.finished.map((latents, index) =>
      row(`chunk made ${index + 1}`, trace.finished[index]!, latents),
    ),
    ...states('end', trace.final, judge.final),
  ];
}

/** The table as text, one line a row. */
export function formatParity(rows: readonly ParityRow[]): string {
  const head = ['what', 'backend', 'against', 'largest difference', 'largest value', 'dB'];
  const body = rows.map((row) => [
    row.what,
    row.backend,
    row.against,
    row.largest.toExponential(2),
    row.scale.toFixed(3),
    row.decibels === undefined ? '' : row.decibels === Infinity ? 'equal' : row.decibels.toFixed(1),
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...body.map((cells) => cells[column]!.length)),
  );
  return [head, ...body]
    .map((cells) =>
      cells
        .map((cell, column) => (column < 3 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  '),
    )
    .join('\n');
}
