import { mean, ranges } from './figures.ts';
import type { Picture } from './picture.ts';

/**
 * Signs of life of a run of frames that has no truth to be compared with.
 * spread: standard deviation of the values within each frame, grey levels; change: mean absolute difference to the frame
 * before, grey levels (one number fewer).
 */
export interface Liveliness {
  spread: number[];
  change: number[];
}

/** What a cold start is judged by; `made` against the real clips along the same poses. */
export interface ColdFigures {
  spread: { made: number; real: number; ratio: number };
  change: { made: number; real: number; ratio: number };
  /** Clips that end in a picture without contrast or that stands still; see `collapsedClips`. */
  collapsed: number;
  /** The ratios in ranges of distance, so that a slow fading shows. */
  curve: { from: number; to: number; spreadRatio: number; changeRatio: number }[];
}

/** A clip has collapsed when its last quarter has less than these shares of the real clips' mean there. */
const LEAST_SPREAD = 0.5;
const LEAST_CHANGE = 0.25;

export function livelinessOf(frames: readonly Picture[]): Liveliness {
  return {
    spread: frames.map(({ rgb }) => {
      let [sum, squares] = [0, 0];
      for (const value of rgb) {
        sum += value;
        squares += value * value;
      }
      return Math.sqrt(Math.max(0, squares / rgb.length - (sum / rgb.length) ** 2));
    }),
    change: frames.slice(1).map(({ rgb }, index) => {
      const before = frames[index]!.rgb;
      let sum = 0;
      for (let at = 0; at < rgb.length; at++) sum += Math.abs(rgb[at]! - before[at]!);
      return sum / rgb.length;
    }),
  };
}

/** Compares generated clips with real ones of the same length. */
export function coldFigures(made: readonly Liveliness[], real: readonly Liveliness[]): ColdFigures {
  const pair = (sign: keyof Liveliness, start = 0, end?: number) => {
    const over = (clips: readonly Liveliness[]): number => {
      const values = clips.flatMap((clip) => clip[sign].slice(start, end));
      return values.length === 0 ? 0 : mean(values);
    };
    const [a, b] = [over(made), over(real)];
    return { made: a, real: b, ratio: b === 0 ? 1 : a / b };
  };
  const frames = made[0]?.spread.length ?? 0;
  return {
    spread: pair('spread'),
    change: pair('change'),
    collapsed: collapsedClips(made, real),
    curve: ranges(frames).map(([start, end]) => ({
      from: start + 1,
      to: end,
      spreadRatio: pair('spread', start, end).ratio,
      // The change to a frame is kept one place before it.
      changeRatio: pair('change', Math.max(0, start - 1), Math.max(1, end - 1)).ratio,
    })),
  };
}

/** Clips whose last quarter has lost its contrast (under half of the real clips') or its movement (under a quarter). */
function collapsedClips(made: readonly Liveliness[], real: readonly Liveliness[]): number {
  const tail = (values: number[]): number => {
    const part = values.slice(Math.floor(values.length * 0.75));
    return part.length === 0 ? 0 : mean(part);
  };
  const level = (sign: keyof Liveliness): number => mean(real.map((clip) => tail(clip[sign])));
  const [spread, change] = [level('spread'), level('change')];
  return made.filter(
    (clip) => tail(clip.spread) < LEAST_SPREAD * spread || tail(clip.change) < LEAST_CHANGE * change,
  ).length;
}
