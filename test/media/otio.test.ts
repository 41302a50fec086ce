import { describe, expect, it } from 'vitest';
import { framesOfRange } from '../../src/batch/clip-range.ts';
import { readOtio } from '../../src/batch/otio.ts';
import { rationalRate, parseRate } from '../../src/media/rational.ts';

const time = (value: number, rate: number): object => ({ OTIO_SCHEMA: 'RationalTime.1', value, rate });
const range = (start: number, duration: number, rate: number): object => ({
  OTIO_SCHEMA: 'TimeRange.1',
  start_time: time(start, rate),
  duration: time(duration, rate),
});
const file = (url: string): object => ({ OTIO_SCHEMA: 'ExternalReference.1', target_url: url });
const clip = (name: string, more: object = {}): object => ({
  OTIO_SCHEMA: 'Clip.2',
  name,
  media_references: { DEFAULT_MEDIA: file(`${name}.mp4`) },
  active_media_reference_key: 'DEFAULT_MEDIA',
  ...more,
});
const group = (schema: string, children: object[], more: object = {}): object => ({
  OTIO_SCHEMA: schema,
  name: schema,
  children,
  ...more,
});
const read = (root: object) => readOtio(JSON.stringify(root), 'p.otio');

describe('OpenTimelineIO', () => {
  it('finds video clips in order through nested tracks and stacks, past gaps, transitions, sound and disabled items', () => {
    const root = {
      OTIO_SCHEMA: 'Timeline.1',
      name: 'Cut 3',
      tracks: group('Stack.1', [
        group('Track.1', [
          clip('a'),
          { OTIO_SCHEMA: 'Gap.1', source_range: range(0, 10, 24) },
          group('Stack.1', [
            group('Track.1', [clip('b'), { OTIO_SCHEMA: 'Transition.1' }, clip('c')]),
            clip('d'),
          ]),
          clip('hidden', { enabled: false }),
        ]),
        group('Track.1', [clip('sound')], { kind: 'Audio' }),
        { OTIO_SCHEMA: 'SomethingNew.7' },
      ]),
    };
    const clips = read(root);
    expect(clips.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
    expect(clips[0]!.place).toEqual(['Cut 3', 'Stack.1', 'Track.1']);
    expect(clips[1]!.place).toHaveLength(5);
  });

  it('reads Clip.1, the active one of several references, and ranges', () => {
    const old = {
      OTIO_SCHEMA: 'Clip.1',
      name: 'old',
      media_reference: file('old.mov'),
      source_range: range(12, 24, 24),
    };
    const several = clip('new', {
      media_references: { DEFAULT_MEDIA: file('low.mp4'), high: file('high.mp4') },
      active_media_reference_key: 'high',
    });
    const [first, second] = read(group('Track.1', [old, several]));
    expect(first!.media).toMatchObject({ kind: 'file', url: 'old.mov' });
    expect(first!.range).toEqual({ start: { value: 12, rate: 24 }, duration: { value: 24, rate: 24 } });
    expect(second!.media).toMatchObject({ url: 'high.mp4' });
    expect(second!.range).toBeNull();
  });

  it.each([
    [{ OTIO_SCHEMA: 'MissingReference.1' }, /missing/],
    [{ OTIO_SCHEMA: 'GeneratorReference.1' }, /generated/],
    [{ OTIO_SCHEMA: 'ImageSequenceReference.1' }, /image sequence/],
    [{ OTIO_SCHEMA: 'ExternalReference.1', target_url: null }, /names no media file/],
    [null, /names no media/],
  ])('keeps a clip whose media is %j, with the reason', (reference, reason) => {
    const [found] = read(clip('x', { media_references: { DEFAULT_MEDIA: reference } }));
    expect(found!.media).toMatchObject({ kind: 'none', fault: expect.stringMatching(reason) as string });
  });

  it('takes NaN and Infinity outside of strings as unknown', () => {
    const text = `{"OTIO_SCHEMA": "Clip.2", "name": "NaN \\"Infinity\\"", "media_references": {"DEFAULT_MEDIA":
      {"OTIO_SCHEMA": "ExternalReference.1", "target_url": "x.mp4",
       "available_range": {"start_time": {"value": NaN, "rate": 24}, "duration": {"value": 5, "rate": 24}}}},
      "source_range": {"start_time": {"value": -Infinity, "rate": 24}, "duration": {"value": Infinity, "rate": NaN}}}`;
    const [found] = readOtio(text, 'p.otio');
    expect(found!.name).toBe('NaN "Infinity"');
    expect(found!.range).toBeNull();
    expect(found!.notices).toHaveLength(1);
    expect(found!.media).toMatchObject({ available: null });
  });

  it('applies the trim that a nested track puts on its clips', () => {
    const sized = (name: string, start: number) => clip(name, { source_range: range(start, 24, 24) });
    const gap = { OTIO_SCHEMA: 'Gap.1', source_range: range(0, 12, 24) };
    const inner = group(
      'Track.1',
      [sized('hidden', 0), sized('end', 100), gap, sized('begin', 200), sized('late', 0)],
      {
        // From second 1.5 to 3: half of the second clip, the gap, half of the third.
        source_range: range(36, 36, 24),
      },
    );
    const seen = read(group('Track.1', [gap, inner, sized('after', 7)]));
    expect(seen.map((found) => [found.name, found.range?.start.value, found.range?.duration.value])).toEqual([
      ['end', 112, 12],
      ['begin', 200, 12],
      ['after', 7, 24],
    ]);
    const stack = read(
      group('Stack.1', [group('Track.1', [sized('a', 10)])], { source_range: range(6, 6, 24) }),
    );
    expect(stack[0]!.range).toEqual({ start: { value: 16, rate: 24 }, duration: { value: 6, rate: 24 } });
    // Nothing can be placed behind a clip of unknown length.
    const unknown = read(group('Track.1', [clip('whole'), sized('b', 3)], { source_range: range(0, 6, 24) }));
    expect(unknown.map(({ name }) => name)).toEqual(['whole', 'b']);
  });

  it('tells of a speed change that it does not follow', () => {
    const effects = [{ OTIO_SCHEMA: 'LinearTimeWarp.1', time_scalar: 2 }];
    expect(read(clip('fast', { effects }))[0]!.notices.join()).toContain('speed');
  });

  it.each(['', 'not json', '[]', '{"name": 3}', '{"OTIO_SCHEMA": 5}'])('refuses %j', (text) => {
    expect(() => readOtio(text, 'p.otio')).toThrow(expect.objectContaining({ code: 'input' }));
  });

  it('refuses a file that nests without end', () => {
    let root = clip('deep');
    for (let i = 0; i < 100; i++) root = group('Stack.1', [root]);
    expect(() => read(root)).toThrow(/too deeply/);
  });
});

describe('ranges in frames', () => {
  const otio = (start: number, duration: number, rate: number) => ({
    start: { value: start, rate },
    duration: { value: duration, rate },
  });
  const rate = { num: 24000, den: 1001 };

  it('counts frames exactly where the rates mean the same', () => {
    expect(framesOfRange(otio(100000, 48, 23.976), otio(99990, 100, 23.976), rate, 100)).toEqual({
      start: 10,
      count: 48,
      notices: [],
    });
  });

  it('converts from another rate', () => {
    expect(framesOfRange(otio(1, 2, 1), null, { num: 30, den: 1 }, 120)).toMatchObject({
      start: 30,
      count: 60,
    });
  });

  it('takes what the file has, and refuses what it has not', () => {
    expect(framesOfRange(otio(90, 48, 24), null, { num: 24, den: 1 }, 100)).toMatchObject({
      start: 90,
      count: 10,
    });
    expect(framesOfRange(otio(90, 48, 24), null, { num: 24, den: 1 }, 100).notices).toHaveLength(1);
    for (const bad of [otio(100, 48, 24), otio(0, 0, 24), otio(-50, 50, 24)]) {
      expect(() => framesOfRange(bad, null, { num: 24, den: 1 }, 100)).toThrow(/not in its media file/);
    }
  });
});

describe('rates', () => {
  it.each([
    [23.976, 24000, 1001],
    [23.98, 24000, 1001],
    [23.976023976, 24000, 1001],
    [29.97, 30000, 1001],
    [59.94, 60000, 1001],
    [24, 24, 1],
    [25.000001, 25, 1],
    [12.5, 25, 2],
    [7.5, 15, 2],
  ])('%f means %i/%i', (fps, num, den) => {
    expect(rationalRate(fps)).toEqual({ num, den });
  });

  it.each(['0', '0.5', '241', '1/0', '30/', 'x', '-24', '1e2', ''])('refuses %j', (text) => {
    expect(() => parseRate(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
