import { largestDifference } from '../../../parity/difference.ts';
import type { ParityRow } from '../../../parity/parity.ts';
import type { RolloutInput } from '../../../parity/rollout.ts';
import { numbersOf } from '../packed-numbers.ts';
import type { InspectedOperation } from '../webgpu-session.ts';
import type { WebGpuWorldModel } from '../webgpu-world.ts';
import { expectedOutputs } from './kernel-reference.ts';

/**
 * Judges every kernel by itself: commits the rollout's prefix, then runs one more commit pass and one denoise pass an
 * operation at a time and compares what each leaves with the same computed in double precision from the same inputs.
 * @throws LongtakeError `cancelled` between operations
 * @returns a row for every kind of kernel: its largest difference over all its uses
 */
export async function kernelParity(
  model: WebGpuWorldModel,
  input: RolloutInput,
  signal?: AbortSignal,
): Promise<ParityRow[]> {
  const rows = new Map<string, ParityRow>();
  const judge = (inspected: InspectedOperation): void => {
    const { largest, scale } = compare(inspected);
    const what = `kernel ${kernelName(inspected)}`;
    const row = rows.get(what) ?? { what, backend: 'webgpu', against: 'float64', largest: 0, scale: 0 };
    row.largest = Math.max(row.largest, largest);
    row.scale = Math.max(row.scale, scale);
    rows.set(what, row);
  };
  const session = await model.createSession();
  try {
    const prefix = input.chunks.slice(0, input.prefixChunks);
    await session.commit(prefix.slice(0, -1), signal);
    for (const chunk of prefix.slice(-1)) await session.inspect({ kind: 'commit', chunk }, judge, signal);
    // The last chunk: in the recorded and the wandering rollout its tokens have two levels.
    const [level, next] = [input.levels[1] || 1, input.levels[2] ?? 0];
    const noise = { seed: input.seed, chunk: session.committed };
    await session.inspect(
      { kind: 'denoise', chunk: input.chunks.at(-1)!, level, next, noise },
      judge,
      signal,
    );
  } finally {
    session.dispose();
  }
  return [...rows.values()].sort((a, b) => (a.what < b.what ? -1 : 1));
}

/** Largest difference and largest magnitude of what one operation wrote. */
export function compare({ operation, launch, before, after }: InspectedOperation): {
  largest: number;
  scale: number;
} {
  let [largest, scale] = [0, 0];
  for (const [number, expected] of Object.entries(expectedOutputs(operation.program, launch, before))) {
    const { program } = operation;
    const actual = numbersOf(program, Number(number), after[Number(number)]!).subarray(0, expected.length);
    largest = Math.max(largest, largestDifference(actual, expected));
    scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), scale);
  }
  return { largest, scale };
}

/** The file and, for the matmul family, its variant. */
function kernelName({ operation: { program } }: InspectedOperation): string {
  const { file, constants } = program;
  const kernel = file.replace('.wgsl', '');
  if (!file.startsWith('matmul')) return kernel;
  const parts = ['PROLOGUE', 'ACTIVATION', 'STORE'].map((name) => constants[name]);
  return `${kernel} (${parts.filter((part) => part !== 'plain' && part !== 'none').join(', ')})`;
}
