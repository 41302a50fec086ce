import type { ModelJson, TaskName } from '../package/model-json.ts';
import { MAX_STEPS } from '../sampler/levels.ts';
import { LongtakeError } from '../types.ts';
import type { RolloutSettings } from './extend-request.ts';

/** The longest continuation of one rollout, in frames. */
export const MAX_FRAMES = 1_000_000;

/**
 * Checks what can be checked before the first frame is read.
 * @throws LongtakeError `usage`
 */
export function checkRequest(
  request: Omit<RolloutSettings, 'signal' | 'profile'> & { fitSeconds?: number },
): void {
  const { size, rate, frameCount, steps, seed, camera, fitSeconds } = request;
  const demand = (right: boolean, sentence: string): void => {
    if (!right) throw new LongtakeError('usage', sentence);
  };
  demand(
    isWhole(frameCount, 1, MAX_FRAMES),
    `The number of new frames must lie between 1 and ${MAX_FRAMES}.`,
  );
  demand(
    isWhole(size.width, 1) && isWhole(size.height, 1),
    'The size of the clip must be whole numbers of pixels.',
  );
  demand(
    isWhole(rate.num, 1) && isWhole(rate.den, 1),
    'The frame rate must be a fraction of two positive whole numbers.',
  );
  demand(isWhole(seed, 0, 0xffffffff), 'The seed must be a whole number from 0 to 4294967295.');
  demand(
    steps === undefined || isWhole(steps, 1, MAX_STEPS),
    `The number of steps must lie between 1 and ${MAX_STEPS}.`,
  );
  demand(
    fitSeconds === undefined || (fitSeconds > 0 && Number.isFinite(fitSeconds)),
    'The time to be done in must be a number of seconds above 0.',
  );
  const fov = camera?.verticalFov;
  demand(
    fov === undefined || (fov > 0 && fov < 180),
    'The field of view must lie between 0 and 180 degrees.',
  );
  for (const pose of camera?.poses ?? []) {
    const numbers = pose ? [...pose.position, ...pose.orientation] : [];
    demand(numbers.every(Number.isFinite), 'The camera track has a pose that is not made of numbers.');
    demand(
      !pose || Math.abs(Math.hypot(...pose.orientation) - 1) < 1e-3,
      'The camera track has an orientation that is no unit quaternion.',
    );
  }
}

/** @throws LongtakeError `usage` when the model was not trained for the task */
export function checkTask(model: ModelJson, task: TaskName): void {
  if (model.tasks.includes(task)) return;
  const words: Record<TaskName, string> = {
    extend: 'to go on after a clip',
    backward: 'to go back before a clip',
    'cold-start': 'to start without a clip',
    gap: 'to fill a gap between two clips',
    region: 'to fill a part of the picture',
  };
  throw new LongtakeError('usage', `The world model “${model.title}” was not trained ${words[task]}.`);
}

function isWhole(value: number, least: number, most = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}
