import type { Rational } from '../../engine/types.ts';
import { de } from './de.ts';
import { en, type Messages } from './en.ts';
import { pt } from './pt.ts';

const catalogues: Record<string, Messages> = { en, de, pt };

/** The texts and number formats of one locale. */
export interface Language {
  /** BCP 47 tag of the texts, for `lang` attributes. */
  tag: string;
  text: Messages;
  /** A number with at most `digits` decimals. */
  number(value: number, digits?: number): string;
  /** A span of time to read at a glance: `8 s`, `2.5 min`. */
  duration(seconds: number): string;
  /** Frames per second: `25`, `23.976`. */
  rate(rate: Rational): string;
}

/** Texts and formats for a host's locale; English where there is no translation. Unknown tags never throw. */
export function languageFor(locale: string): Language {
  const base = locale.toLowerCase().split(/[-_]/)[0] ?? 'en';
  const text = catalogues[base] ?? en;
  const known = text !== en || base === 'en';
  const tag = known ? supportedTag(locale) : 'en';
  const number = (value: number, digits = 0) =>
    new Intl.NumberFormat(tag, { maximumFractionDigits: digits, useGrouping: false }).format(value);
  return {
    tag,
    text,
    number,
    duration: (seconds) =>
      seconds < 90
        ? text.seconds(number(Math.max(1, Math.round(seconds))))
        : text.minutes(number(seconds / 60, seconds < 600 ? 1 : 0)),
    rate: ({ num, den }) => number(num / den, 3),
  };
}

function supportedTag(locale: string): string {
  try {
    return Intl.getCanonicalLocales(locale.replace('_', '-'))[0] ?? 'en';
  } catch {
    return 'en';
  }
}
