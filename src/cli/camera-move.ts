import {
  isPush,
  isTurn,
  MOST_DEGREES,
  MOST_LENGTH,
  PUSHES,
  TURNS,
  USUAL_DEGREES,
  USUAL_LENGTH,
  type CameraMove,
} from '../engine/camera/moves.ts';
import { LongtakeError } from '../engine/types.ts';
import { oneOf } from './options.ts';

const KINDS = ['hold', 'continue', ...TURNS, ...PUSHES] as const;

/**
 * Reads `--move`: the name of a move, or `NAME:AMOUNT` with degrees for pans and tilts and the model's unit of length for
 * pushes.
 * @throws LongtakeError 'usage'
 */
export function parseMove(text: string): CameraMove {
  const [name = '', amount, ...rest] = text.split(':');
  const kind = oneOf('--move', name, KINDS);
  if (!isTurn(kind) && !isPush(kind)) {
    if (amount !== undefined)
      throw new LongtakeError('usage', `--move ${kind} takes no amount, so not “${text}”.`);
    return { kind };
  }
  const [usual, most, unit] = isTurn(kind)
    ? [USUAL_DEGREES, MOST_DEGREES, 'degrees']
    : [USUAL_LENGTH, MOST_LENGTH, 'lengths of the model'];
  if (amount === undefined) return { kind, amount: usual };
  const value = rest.length === 0 && /^(\d+\.?\d*|\.\d+)$/.test(amount) ? Number(amount) : NaN;
  if (!(value > 0 && value <= most)) {
    throw new LongtakeError(
      'usage',
      `The amount of --move ${kind} must be above 0 and at most ${most} ${unit}, not “${text.slice(name.length + 1)}”.`,
    );
  }
  return { kind, amount: value };
}
