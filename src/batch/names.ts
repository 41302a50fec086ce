import { LongtakeError } from '../engine/types.ts';
import type { Content, Preview } from './preview.ts';

/** Names that a template makes must differ from these, which every batch writes itself. */
const OWN_FILES = ['contact-sheet.html', 'contact-sheet.png', 'report.json'];
const PARTS = ['index', 'clip', 'variation', 'seed', 'profile'] as const;
/** Devices of Windows, which no file may be named after. */
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)$/i;
const LONGEST_CLIP = 60;

/** The template that is used where none is given. */
export function defaultTemplate(variations: number): string {
  return variations > 1 ? '{index}-{clip}-{variation}' : '{index}-{clip}';
}

/**
 * Checks a template for names of previews: `{index}` (001), `{clip}`, `{variation}` (v2), `{seed}`, `{profile}`, and
 * letters, digits, spaces and `._-()`.
 * @throws LongtakeError 'usage'
 */
export function checkTemplate(template: string): void {
  const plain = template.replace(/\{([^{}]*)\}/g, (_, part: string) => {
    if (PARTS.some((known) => known === part)) return '';
    throw refused(`{${part}} is not known; there are ${PARTS.map((known) => `{${known}}`).join(', ')}`);
  });
  const bad = /[^\p{L}\p{M}\p{N} ._()-]/u.exec(plain)?.[0];
  if (bad !== undefined) throw refused(`“${bad}” does not belong in a file name`);
  if (template.trim() === '' || /^[. ]|[. ]$/.test(template)) {
    throw refused('it must neither be empty nor begin or end with a dot or a space');
  }
}

/** A preview's name without its ending. The template must have been checked. */
export function previewName(template: string, { item, variation, seed }: Preview): string {
  const values: Record<(typeof PARTS)[number], string> = {
    index: String(item.index).padStart(3, '0'),
    clip: plainName(item.name),
    variation: `v${variation}`,
    seed: String(seed),
    profile: item.settings.profile,
  };
  const name = PARTS.reduce((text, part) => text.replaceAll(`{${part}}`, values[part]), template)
    // A clip whose name holds no letter leaves its hyphen behind.
    .replace(/-{2,}/g, '-')
    .replace(/^[-. ]+|[-. ]+$/g, '');
  if (name === '') return values.index;
  return DEVICES.test(name) ? `${name}-clip` : name;
}

/** The video files of a preview, in the order of `content`. */
export function videoNames(name: string, content: readonly Content[]): string[] {
  return content.map((kind) =>
    content.length > 1 && kind === 'continuation' ? `${name}-continuation.mp4` : `${name}.mp4`,
  );
}

/** The poster of a preview. */
export function posterName(name: string): string {
  return `${name}.png`;
}

/**
 * Refuses a batch two of whose files would have one name, on file systems that do not tell capitals apart either.
 * @throws LongtakeError 'usage'
 */
export function checkNames(
  template: string,
  previews: readonly Preview[],
  content: readonly Content[],
): void {
  const taken = new Set(OWN_FILES);
  for (const preview of previews) {
    const name = previewName(template, preview);
    for (const file of [...videoNames(name, content), posterName(name)]) {
      const key = file.normalize('NFC').toLowerCase();
      if (taken.has(key)) {
        throw new LongtakeError(
          'usage',
          `Two files would be named “${file}”: put {index} and {variation} into the template for the names.`,
        );
      }
      taken.add(key);
    }
  }
}

/** Letters and digits of any script, hyphens between them. */
function plainName(name: string): string {
  const words = name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\.[a-z0-9]{2,4}$/, '')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '-');
  return [...words]
    .slice(0, LONGEST_CLIP)
    .join('')
    .replace(/^-+|-+$/g, '');
}

function refused(why: string): LongtakeError {
  return new LongtakeError('usage', `The template for the names can not be used: ${why}.`);
}
