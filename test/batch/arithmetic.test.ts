import { describe, expect, it } from 'vitest';
import { BatchClock, costOf } from '../../src/batch/batch-clock.ts';
import { readClipSettings, type BatchDefaults, type ClipSettings } from '../../src/batch/clip-settings.ts';
import { checkNames, checkTemplate, defaultTemplate, previewName } from '../../src/batch/names.ts';
import { previewsOf, type BatchItem } from '../../src/batch/preview.ts';

const DEFAULTS: BatchDefaults = {
  seconds: 2,
  profile: 'preview',
  direction: 'forward',
  seed: 5,
  steps: null,
  camera: null,
};

const item = (index: number, name: string, settings: Partial<ClipSettings> = {}): BatchItem => ({
  index,
  name,
  settings: { ...DEFAULTS, seconds: 2, ...settings },
  open: () => Promise.reject(new Error('never opened here')),
});

describe('settings of a clip', () => {
  it('lie over those of the batch', () => {
    expect(readClipSettings(undefined, DEFAULTS)).toEqual(DEFAULTS);
    const own = {
      seconds: 0.5,
      profile: 'final',
      direction: 'backward',
      seed: 0,
      steps: 3,
      camera: 'a.json',
    };
    expect(readClipSettings(own, DEFAULTS)).toEqual(own);
    expect(readClipSettings({ seconds: 1 }, { ...DEFAULTS, seconds: null })).toMatchObject({ seconds: 1 });
  });

  it.each([
    [{ seconds: -1 }, /“seconds”.*above 0/],
    [{ seconds: '2' }, /“seconds”/],
    [{ profile: 'best' }, /“profile”.*draft, preview, final/],
    [{ direction: 'up' }, /“direction”/],
    [{ seed: 1.5 }, /“seed”/],
    [{ steps: 0 }, /“steps”/],
    [{ camera: 3 }, /“camera”/],
    [{ lenght: 3 }, /“lenght”.*not known/],
    ['long', /metadata\.longtake\.batch/],
  ])('that are wrong are named: %j', (own, sentence) => {
    expect(() => readClipSettings(own, DEFAULTS)).toThrow(sentence);
  });

  it('must come from somewhere', () => {
    expect(() => readClipSettings({}, { ...DEFAULTS, seconds: null })).toThrow(/how long/);
  });
});

describe('names of previews', () => {
  const nameOf = (name: string, template = '{index}-{clip}') =>
    previewName(template, previewsOf([item(7, name)], 1)[0]!);

  it('are made of the clip’s name, safe on every file system', () => {
    expect(nameOf('Kitchen / Door: “take 2”.MP4')).toBe('007-kitchen-door-take-2');
    expect(nameOf('../../etc/passwd')).toBe('007-etc-passwd');
    expect(nameOf('東京 夜')).toBe('007-東京-夜');
    expect(nameOf('***')).toBe('007');
    expect(nameOf('CON', '{clip}')).toBe('con-clip');
    expect(nameOf('***', '{clip}')).toBe('007');
    expect(nameOf('x'.repeat(500))).toHaveLength(64);
  });

  it('carry variation, seed and profile', () => {
    const [, second] = previewsOf([item(1, 'a', { seed: 2 ** 32 - 1 })], 2);
    expect(previewName('{clip} {variation}_{seed}({profile})', second!)).toBe('a v2_0(preview)');
    expect(previewName(defaultTemplate(2), second!)).toBe('001-a-v2');
  });

  it.each(['{name}', 'a/b', 'a\\b', 'a:b', '', ' ', '.hidden', 'dot.', 'a\nb', '{index', '{{index}}'])(
    'are not made of the template “%s”',
    (template) => {
      expect(() => checkTemplate(template)).toThrow(/template/);
    },
  );

  it('that meet are refused, capitals and the sheet’s own name included', () => {
    const items = [item(1, 'Door'), item(2, 'door')];
    const check =
      (template: string, variations: number, both = false) =>
      () =>
        checkNames(
          template,
          previewsOf(items, variations),
          both ? ['extended', 'continuation'] : ['extended'],
        );
    expect(check('{index}-{clip}', 1, true)).not.toThrow();
    expect(check('{clip}', 1)).toThrow(/“door\.mp4”/);
    expect(check('{index}-{clip}', 2)).toThrow(/“001-door\.mp4”/);
    expect(check('{index}-{clip}-{variation}', 2)).not.toThrow();
    expect(() => checkNames('contact-sheet', previewsOf([item(1, 'a')], 1), ['extended'])).toThrow(
      /“contact-sheet\.png”/,
    );
    const crossing = [item(1, 'a'), item(2, 'a continuation')];
    expect(() => checkNames('{clip}', previewsOf(crossing, 1), ['extended', 'continuation'])).toThrow(
      /“a-continuation\.mp4”/,
    );
  });
});

describe('the clock of a batch', () => {
  it('weighs previews by length and profile', () => {
    expect(costOf(item(1, 'a', { seconds: 3, profile: 'final' }))).toBe(6);
    expect(costOf(item(1, 'a', { seconds: 3, profile: 'draft' }))).toBe(1.5);
  });

  it('predicts from the clip in progress, then from those made; kept and failed ones teach it nothing', () => {
    const clock = new BatchClock([4, 4, 2, 10]);
    expect(clock.reading(null)).toEqual({ fraction: 0, secondsLeft: null });
    // A quarter after 10 s, 30 s to go: 10 s a unit, so 16 units follow.
    expect(clock.reading({ cost: 4, share: 0.25, elapsed: 10, left: 30 })).toEqual({
      fraction: 0.05,
      secondsLeft: 30 + 160,
    });
    clock.settle(4, 20);
    clock.settle(4, null);
    expect(clock.reading({ cost: 2, share: 0, elapsed: 1, left: null })).toEqual({
      fraction: 0.4,
      secondsLeft: 10 + 50,
    });
    clock.settle(2, 10);
    clock.settle(10, null);
    expect(clock.reading(null)).toEqual({ fraction: 1, secondsLeft: 0 });
  });

  it('has nothing to wait for without clips', () => {
    expect(new BatchClock([]).reading(null)).toEqual({ fraction: 1, secondsLeft: null });
  });
});
