import { describe, expect, it } from 'vitest';
import { languageFor } from '../../src/panel/messages/catalogue.ts';
import { de } from '../../src/panel/messages/de.ts';
import { en } from '../../src/panel/messages/en.ts';
import { pt } from '../../src/panel/messages/pt.ts';

/** Every text by its path; functions are called with marks in place of values. */
function texts(node: unknown, path = ''): [string, string][] {
  if (typeof node === 'string') return [[path, node]];
  if (typeof node === 'function') {
    const marks = Array.from({ length: node.length }, (_, i) => `{${i}}`);
    return [[path, String((node as (...args: string[]) => string)(...marks))]];
  }
  return Object.entries(node as object).flatMap(([key, value]) => texts(value, `${path}.${key}`));
}

describe.each([
  ['German', de],
  ['Portuguese', pt],
])('the %s catalogue', (_name, catalogue) => {
  const english = new Map(texts(en));
  const translated = texts(catalogue);

  it('has every text, with the same values in it', () => {
    expect(translated.map(([path]) => path).sort()).toEqual([...english.keys()].sort());
    const marks = (text: string) => [...text.matchAll(/\{\d\}/g)].map(([mark]) => mark).sort();
    for (const [path, text] of translated)
      expect([path, marks(text)]).toEqual([path, marks(english.get(path)!)]);
  });

  it('has no text left in English', () => {
    // Names, and words that are the same in both languages.
    const same =
      /^\.(panel|profiles\.final|facts|factsCold|clipFacts|position|backends\.webgpu|seconds|minutes)$/;
    const untranslated = translated.filter(([path, text]) => text === english.get(path) && !same.test(path));
    expect(untranslated).toEqual([]);
  });
});

describe('languageFor', () => {
  it('takes the base of a tag and falls back to English', () => {
    expect(languageFor('de-DE').text).toBe(de);
    expect(languageFor('pt_BR').text).toBe(pt);
    expect(languageFor('en-GB').text).toBe(en);
    for (const odd of ['ja-JP', 'zz-ZZ', '', '!!', 'zh-Hans-CN']) expect(languageFor(odd).text).toBe(en);
    expect(languageFor('ja-JP').tag).toBe('en');
    expect(() => languageFor('de_!!').number(1.5, 1)).not.toThrow();
  });

  it('writes numbers as the language does', () => {
    expect(languageFor('de-DE').number(23.976, 3)).toBe('23,976');
    expect(languageFor('en-US').rate({ num: 24000, den: 1001 })).toBe('23.976');
    expect(languageFor('en-US').duration(12.4)).toBe('12 s');
    expect(languageFor('de-DE').duration(150)).toBe('2,5 min');
    expect(languageFor('en-US').duration(0)).toBe('1 s');
  });
});
