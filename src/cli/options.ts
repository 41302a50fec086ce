import { parseArgs, type ParseArgsConfig } from 'node:util';
import { MAX_STEPS } from '../engine/sampler/levels.ts';
import type { Direction, Profile } from '../engine/tasks/extend-request.ts';
import { LongtakeError } from '../engine/types.ts';
import { MAX_SECONDS } from '../media/limits.ts';
import type { BackendChoice } from '../engine/world/backend.ts';

/** Options of every command that makes frames. */
export const MODEL_OPTIONS = {
  model: { type: 'string' },
  profile: { type: 'string' },
  backend: { type: 'string' },
  seed: { type: 'string' },
  steps: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsConfig['options'];

/** Options that `extend` and `batch` share. */
export const GENERATION_OPTIONS = {
  ...MODEL_OPTIONS,
  seconds: { type: 'string' },
  direction: { type: 'string' },
  content: { type: 'string' },
} as const satisfies ParseArgsConfig['options'];

const CONTENTS = ['continuation', 'extended', 'both'] as const;
export type Content = (typeof CONTENTS)[number];

/** Checked settings of every command that makes frames. */
export interface ModelSettings {
  model: string | null;
  profile: Profile;
  backend: BackendChoice;
  seed: number;
  steps: number | null;
  json: boolean;
}

/** Checked settings of an extension. */
export interface GenerationSettings extends ModelSettings {
  seconds: number;
  direction: Direction;
  /** Null where the user left the choice to us. */
  content: Content | null;
}

function usage(message: string): LongtakeError {
  return new LongtakeError('usage', `${message} (“longtake --help” lists everything.)`);
}

/** `parseArgs` with its complaints turned into usage errors. */
export function parseCommand<T extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: T,
): ReturnType<typeof parseArgs<{ args: string[]; options: T; allowPositionals: true; strict: true }>> {
  try {
    return parseArgs({ args: joinNegatives(args, options), options, allowPositionals: true, strict: true });
  } catch (cause) {
    const reason =
      cause instanceof Error ? cause.message.split('\n')[0]!.replace(/[. ]*$/, '') : String(cause);
    throw usage(`${reason}.`);
  }
}

/** `--seconds -1` reads like two options to `parseArgs`; joined, the number reaches our own check and its sentence. */
function joinNegatives(args: readonly string[], options: NonNullable<ParseArgsConfig['options']>): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const before = joined.at(-1) ?? '';
    const takesValue = before.startsWith('--') && options[before.slice(2)]?.type === 'string';
    if (takesValue && /^-[\d.]/.test(arg)) joined[joined.length - 1] = `${before}=${arg}`;
    else joined.push(arg);
  }
  return joined;
}

type Values<T> = Partial<Record<keyof T, string | boolean | undefined>>;

function textOf(value: string | boolean | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

/** @throws LongtakeError 'usage' naming the first option that is wrong */
export function modelSettings(values: Values<typeof MODEL_OPTIONS>): ModelSettings {
  const steps = textOf(values.steps);
  return {
    model: textOf(values.model),
    profile: oneOf('--profile', textOf(values.profile) ?? 'preview', ['draft', 'preview', 'final']),
    backend: oneOf('--backend', textOf(values.backend) ?? 'auto', ['auto', 'ort', 'webgpu']),
    seed: wholeNumber('--seed', textOf(values.seed) ?? '0', 0, 2 ** 32 - 1),
    steps: steps === null ? null : wholeNumber('--steps', steps, 1, MAX_STEPS),
    json: values.json === true,
  };
}

/** @throws LongtakeError 'usage' naming the first option that is missing or wrong */
export function generationSettings(values: Values<typeof GENERATION_OPTIONS>): GenerationSettings {
  const content = textOf(values.content);
  return {
    seconds: parseSeconds(textOf(values.seconds)),
    ...modelSettings(values),
    direction: oneOf('--direction', textOf(values.direction) ?? 'forward', ['forward', 'backward']),
    content: content === null ? null : oneOf('--content', content, CONTENTS),
  };
}

function parseSeconds(text: string | null): number {
  if (text === null) throw usage('Say how long the continuation is to be, for instance --seconds 2.');
  const seconds = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  if (!(seconds > 0 && seconds <= MAX_SECONDS)) {
    throw usage(`--seconds must be a number above 0 and at most ${MAX_SECONDS}, not “${text}”.`);
  }
  return seconds;
}

/** @throws LongtakeError 'usage' */
export function oneOf<T extends string>(option: string, value: string, choices: readonly T[]): T {
  const choice = choices.find((name) => name === value);
  if (choice === undefined) throw usage(`${option} must be ${choices.join(', ')}, not “${value}”.`);
  return choice;
}

/** @throws LongtakeError 'usage' */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most)) {
    throw usage(`${option} must be a whole number from ${least} to ${most}, not “${text}”.`);
  }
  return value;
}

/** @throws LongtakeError 'usage' */
export function decimal(option: string, text: string, least: number, most: number): number {
  const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most)) {
    throw usage(`${option} must be a number from ${least} to ${most}, not “${text}”.`);
  }
  return value;
}

/** Reads `1280x720`. Limits are checked where they are checked for files. */
export function parseSize(text: string): { width: number; height: number } {
  const match = /^(\d{1,5})[x×](\d{1,5})$/i.exec(text);
  if (match === null) throw usage(`--size must look like 1280x720, not “${text}”.`);
  return { width: Number(match[1]), height: Number(match[2]) };
}
