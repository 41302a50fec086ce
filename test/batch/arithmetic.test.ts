import { describe, expect, it } from 'vitest';
import { atOnce } from '../../src/batch/at-once.ts';
import { BatchClock, costOf } from '../../src/batch/batch-clock.ts';
import { readClipSettings, type BatchDefaults, type ClipSettings } from '../../src/batch/clip-settings.ts';
import { checkNames, checkTemplate, defaultTemplate, previewName } from '../../src/batch/names.ts';
import { previewsOf, type BatchItem } from '../../src/batch/preview.ts';
import type { ClipRange } from '../../src/media/extension.ts';

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

describe('how many previews are under way at once', () => {
  const plan = (width: number, height: number, frameCount = 48, direction?: 'backward') => ({
    prefix: null,
    size: { width, height },
    request: { frameCount, profile: 'preview' as const, seed: 0, ...(direction ? { direction } : {}) },
  });
  const one = [{ content: 'extended' as const }];

  it('is one where that saves nothing, else eight or what memory holds', () => {
    expect(atOnce(false, plan(640, 360), one)).toBe(1);
    expect(atOnce(true, plan(640, 360), one)).toBe(8);
    expect(atOnce(true, plan(1920, 1080), one)).toBe(8);
    expect(atOnce(true, plan(1920, 1080), [...one, { content: 'continuation' }])).toBe(4);
    expect(atOnce(true, plan(3840, 2160), one)).toBe(2);
    // Frames that are made last first wait in memory.
    expect(atOnce(true, plan(1920, 1080, 240, 'backward'), one)).toBe(2);
    expect(atOnce(true, plan(7680, 4320, 240, 'backward'), one)).toBe(1);
  });

  it('counts what a long clip takes that goes into the file', () => {
    const prefix = { count: 24 * 60 * 10 } as ClipRange;
    expect(atOnce(true, { ...plan(1920, 1080), prefix }, one)).toBe(1);
    expect(atOnce(true, { ...plan(1920, 1080), prefix }, [{ content: 'continuation' }])).toBe(8);
  });
});

describe('the clock of a batch', () => {
  it('weighs previews by length and profile', () => {
    expect(costOf(item(1, 'a', { seconds: 3, profile: 'final' }))).toBe(6);
    expect(costOf(item(1, 'a', { seconds: 3, profile: 'draft' }))).toBe(1.5);
  });

  it('predicts from the clip in progress, then from those made; kept and failed ones teach it nothing', () => {
    let now = 100;
    const clock = new BatchClock([4, 4, 2, 10], () => now);
    expect(clock.reading()).toEqual({ fraction: 0, secondsLeft: null });
    const first = clock.begin(4);
    expect(clock.reading()).toEqual({ fraction: 0, secondsLeft: null });
    // A quarter after 10 s, 30 s to go: 10 s a unit, so 16 units follow.
    now = 110;
    first.advance(0.25, 30);
    expect(clock.reading()).toEqual({ fraction: 0.05, secondsLeft: 30 + 160 });
    now = 120;
    first.end(true);
    clock.skip(4);
    const third = clock.begin(2);
    now = 121;
    expect(clock.reading()).toEqual({ fraction: 0.4, secondsLeft: 10 + 50 });
    now = 130;
    third.end(true);
    const last = clock.begin(10);
    now = 170;
    last.end(false);
    expect(clock.reading()).toEqual({ fraction: 1, secondsLeft: 0 });
  });

  it('tells the time of several at once from what all of them get done', () => {
    let now = 0;
    const clock = new BatchClock([1, 1, 1, 1, 1, 1, 1, 1], () => now);
    const first = clock.begin(1);
    now = 2;
    // The first one has read the clip, the others begin.
    const others = [1, 2, 3].map(() => clock.begin(1));
    now = 3;
    first.advance(0.1, 9);
    // Nobody knows yet how much the others slow it down.
    expect(clock.reading()).toEqual({ fraction: 0.1 / 8, secondsLeft: null });
    now = 8;
    first.advance(0.4, 12);
    for (const other of others) other.advance(0.2, 16);
    // All four are there after 8 + 16 s, so the other clip takes 24 s too.
    expect(clock.reading()).toEqual({ fraction: 1 / 8, secondsLeft: 16 + 24 });
    // What was expected comes nearer, whoever is heard of next.
    now = 12;
    first.advance(0.6, 8);
    expect(clock.reading().secondsLeft).toBe(12 + 24);
    now = 20;
    first.end(true);
    now = 24;
    for (const other of others) other.end(true);
    expect(clock.reading()).toEqual({ fraction: 0.5, secondsLeft: 24 });
    // Of the next clip, only the first is begun: the others come to the same pace.
    const fifth = clock.begin(1);
    expect(clock.reading()).toEqual({ fraction: 0.5, secondsLeft: 24 });
    now = 26;
    for (let more = 0; more < 3; more++) clock.begin(1);
    fifth.advance(0.5, 3);
    expect(clock.reading()).toEqual({ fraction: 4.5 / 8, secondsLeft: 3.5 * 6 });
  });

  it('never goes back, and forgets a pace that does not hold any more', () => {
    let now = 0;
    const clock = new BatchClock([1, 1, 1], () => now);
    const first = clock.begin(1);
    now = 3;
    first.advance(1, 0);
    // Last frames are there, but the clip is copied behind them.
    first.advance(0, null);
    expect(clock.reading()).toEqual({ fraction: 1 / 3, secondsLeft: 6 });
    first.end(true);
    clock.forgetPace();
    const second = clock.begin(1);
    expect(clock.reading()).toEqual({ fraction: 1 / 3, secondsLeft: null });
    now = 13;
    second.advance(0.5, 10);
    expect(clock.reading()).toEqual({ fraction: 1.5 / 3, secondsLeft: 10 + 20 });
  });

  it('has nothing to wait for without clips', () => {
    expect(new BatchClock([]).reading()).toEqual({ fraction: 1, secondsLeft: null });
  });
});
