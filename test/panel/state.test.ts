import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { restoredPrefix, storedPrefix, type ClipRecord } from '../../src/panel/clips/clip-record.ts';
import { prefixCamera } from '../../src/panel/controller/clip-camera.ts';
import { freshSeed } from '../../src/panel/controller/variations.ts';
import { emptyPrefix } from '../../src/panel/hosts/clip-prefix.ts';
import {
  expectedSeconds,
  fitOf,
  secondsByProfile,
  secondsOf,
  secondsWith,
  withFrameCost,
  withTogether,
} from '../../src/panel/state/estimate.ts';
import { parseSpeeds, speedKey, withSpeed } from '../../src/panel/state/speeds.ts';
import type { ModelJson } from '../../src/engine/package/model-json.ts';
import {
  framesFor,
  framesToMake,
  initialSettings,
  initialState,
  isUntrained,
  openClip,
  progressOf,
  purposeOf,
  type PanelState,
} from '../../src/panel/state/panel-state.ts';
import { reduce } from '../../src/panel/state/reducer.ts';
import { readSeam } from '../../src/panel/state/seam.ts';
import { PanelStore } from '../../src/panel/state/store.ts';

const prefix = emptyPrefix({ width: 64, height: 48 }, { num: 24, den: 1 });

function record(id: string, created: number): ClipRecord {
  return {
    id,
    created,
    state: 'running',
    size: prefix.size,
    rate: prefix.rate,
    seconds: 1,
    frameCount: 24,
    framesMade: 0,
    direction: 'forward',
    profile: 'draft',
    seed: 1,
    camera: null,
    prefix: { ...prefix, anchor: null },
    report: null,
    inserted: false,
  };
}

const after = (...actions: Parameters<typeof reduce>[1][]): PanelState =>
  actions.reduce(reduce, initialState);

describe('the panel’s state', () => {
  it('keeps settings inside what the panel offers', () => {
    const seconds = (value: number) =>
      after({ type: 'settings', change: { seconds: value } }).settings.seconds;
    expect([0, -3, 1.26, 10, 1e9, NaN, Infinity].map(seconds)).toEqual([1, 1, 1.3, 10, 10, 1, 1]);
    const seed = (value: number) => after({ type: 'settings', change: { seed: value } }).settings.seed;
    expect([5.9, -1, 2 ** 32 + 7, NaN].map(seed)).toEqual([5, 4294967295, 7, 0]);
  });

  it('keeps a drawn path only as long as the picture it was drawn on', () => {
    const move = { kind: 'path' as const, path: [{ x: 0.1, y: 0 }] };
    const drawn = { type: 'settings' as const, change: { move } };
    expect(after(drawn).settings.move).toBe(move);
    expect(after(drawn, { type: 'source', prefix }).settings.move).toBeNull();
    const hold = { type: 'settings' as const, change: { move: { kind: 'hold' as const } } };
    expect(after(hold, { type: 'source', prefix }).settings.move).toEqual({ kind: 'hold' });
  });

  it('shows variations side by side until another clip or source takes their place', () => {
    const count = (value: number) =>
      after({ type: 'settings', change: { variations: value } }).settings.variations;
    expect([0, 2.4, 9, NaN].map(count)).toEqual([1, 2, 4, 1]);
    const both = [record('a', 1), record('b', 2), record('c', 3)].map(
      (each) => ({ type: 'clip', record: each }) as const,
    );
    const shown = [...both, { type: 'variations', ids: ['a', 'b'] }] as const;
    expect(after(...shown, { type: 'open', id: 'b' })).toMatchObject({
      openClipId: 'b',
      variations: ['a', 'b'],
    });
    expect(after(...shown, { type: 'open', id: 'b' }, { type: 'open', id: null }).variations).toEqual([
      'a',
      'b',
    ]);
    expect(after(...shown, { type: 'open', id: 'c' }).variations).toBeNull();
    expect(after(...shown, { type: 'source', prefix }).variations).toBeNull();
    expect(after(...shown, { type: 'rolloutStart', record: record('d', 4) }).variations).toBeNull();
    const gone = (id: string) => ({ type: 'clipGone', id }) as const;
    expect(after(...shown, gone('a')).variations).toEqual(['b']);
    expect(after(...shown, gone('a'), gone('b')).variations).toBeNull();
  });

  it('takes a seed that no clip of the same source was made with', () => {
    const first = record('a', 1);
    const others = [2, 3].map((seed) => ({ ...record(`b${seed}`, 2), seed }));
    expect(freshSeed(first, [first])).toBe(2);
    expect(freshSeed(first, [first, ...others])).toBe(4);
    const elsewhere = others.map((clip) => ({ ...clip, prefix: { ...clip.prefix, label: 'other' } }));
    expect(freshSeed(first, [first, ...elsewhere])).toBe(2);
    expect(freshSeed({ ...first, seed: 2 ** 32 - 1 }, [])).toBe(0);
  });

  it('knows which clips were told the same of the prefix’s camera', () => {
    const track = { poses: [null] };
    const file = { camera: { name: 'x.json', track } };
    const pan = { move: { kind: 'pan-left' as const, amount: 20 } };
    const clips = [{}, pan, { move: { kind: 'hold' as const } }, file, { ...file, ...pan }].map((change) =>
      prefixCamera({ ...record('a', 1), ...change }),
    );
    expect(clips[1]).toBe(clips[2]);
    expect(new Set(clips).size).toBe(4);
  });

  it('never changes a state in place', () => {
    const frozen = Object.freeze({ ...initialState, settings: Object.freeze({ ...initialState.settings }) });
    expect(reduce(frozen, { type: 'settings', change: { seconds: 4 } }).settings.seconds).toBe(4);
    expect(frozen.settings.seconds).toBe(2);
  });

  it('lists the newest clip first, once, and forgets an open one that is gone', () => {
    const state = after(
      { type: 'clip', record: record('a', 1) },
      { type: 'clip', record: record('b', 2) },
      { type: 'clip', record: { ...record('a', 1), inserted: true } },
      { type: 'open', id: 'a' },
    );
    expect(state.clips.map(({ id, inserted }) => [id, inserted])).toEqual([
      ['b', false],
      ['a', true],
    ]);
    expect(openClip(state)?.id).toBe('a');
    expect(openClip(reduce(state, { type: 'clipGone', id: 'a' }))).toBeNull();
  });

  it('starts a rollout from what the record has already', () => {
    const state = after({ type: 'rolloutStart', record: { ...record('a', 1), framesMade: 7 } });
    expect(state.rollouts).toMatchObject([{ clipId: 'a', phase: 'loading', framesMade: 7, frameCount: 24 }]);
    expect(reduce(state, { type: 'rolloutEnd' }).rollouts).toEqual([]);
    expect(after({ type: 'rollout', clipId: 'a', change: { framesMade: 3 } }).rollouts).toEqual([]);
  });

  it('counts rollouts at the same time together, and forgets those that were done before the next began', () => {
    const start = (id: string) => ({ type: 'rolloutStart', record: record(id, 1) }) as const;
    const change = (clipId: string, framesMade: number, secondsLeft: number) =>
      ({ type: 'rollout', clipId, change: { phase: 'making', framesMade, secondsLeft } }) as const;
    const both = after(start('a'), start('b'), change('a', 10, 3), change('b', 5, 4));
    expect(progressOf(both.rollouts)).toMatchObject({
      ...{ phase: 'making', framesMade: 15, frameCount: 48, secondsLeft: 4 },
    });
    expect(progressOf([])).toBeNull();
    const done = reduce(both, { type: 'clip', record: { ...record('a', 1), state: 'finished' } });
    expect(done.rollouts).toHaveLength(2);
    expect(reduce(done, start('c')).rollouts.map(({ clipId }) => clipId)).toEqual(['b', 'c']);
  });

  it('ignores what comes late for a source that was left', () => {
    const state = after({ type: 'acquireProgress', fraction: 0.5 });
    expect(state).toBe(initialState);
    const other = emptyPrefix({ width: 32, height: 32 }, { num: 25, den: 1 });
    const ready = after({ type: 'source', prefix });
    expect(reduce(ready, { type: 'sourcePicture', prefix: other, picture: {} as ImageBitmap })).toBe(ready);
  });

  it('tells subscribers only of changes', () => {
    const store = new PanelStore();
    const seen: string[] = [];
    const subscription = store.state$.subscribe((state) => seen.push(state.theme));
    store.dispatch({ type: 'theme', theme: 'light' });
    store.dispatch({ type: 'theme', theme: 'dark' });
    subscription.unsubscribe();
    expect(seen).toEqual(['light', 'dark']);
  });

  it('fills a gap as a whole, whatever length is set', () => {
    const clip = { ...prefix, kind: 'blob' as const, blob: new Blob(['a']), label: 'a' };
    const range = { startFrame: 3, frameCount: 9 };
    const gap = { frameCount: 11, after: { blob: new Blob(['b']), label: 'b', range } };
    const loop = { ...initialSettings, purpose: 'loop' as const };
    expect([purposeOf({ ...clip, gap }, loop), framesToMake({ ...clip, gap }, loop)]).toEqual(['gap', 11]);
    expect([purposeOf(clip, loop), framesToMake(clip, loop)]).toEqual(['loop', 48]);
    expect([purposeOf(prefix, loop), purposeOf(clip, initialSettings)]).toEqual(['extend', 'extend']);
  });

  it('brings a gap back from the record with both files, and never without the second', () => {
    const range = { startFrame: 3, frameCount: 9 };
    const after = { blob: new Blob(['b']), label: 'b', range };
    const stored = storedPrefix({ ...prefix, kind: 'blob', gap: { frameCount: 11, after } });
    expect(JSON.parse(JSON.stringify(stored)).gap).toEqual({ frameCount: 11, after: { label: 'b', range } });
    const kept = { ...record('a', 1), prefix: stored };
    expect(restoredPrefix(kept, new Blob(['a']), after.blob).gap).toEqual({ frameCount: 11, after });
    expect(restoredPrefix(kept, new Blob(['a']), undefined).gap).toBeUndefined();
  });

  it('knows what the model cannot do', () => {
    const model = { tasks: ['extend' as const] };
    expect([isUntrained(null, 'gap'), isUntrained(model, 'extend')]).toEqual([false, false]);
    expect([isUntrained(model, 'gap'), isUntrained(model, 'loop')]).toEqual([true, true]);
    expect(isUntrained({ tasks: ['gap'] }, 'loop')).toBe(false);
  });

  it('counts frames at rational rates', () => {
    expect(framesFor(2, { num: 24000, den: 1001 })).toBe(48);
    expect(framesFor(10, { num: 30000, den: 1001 })).toBe(300);
    expect(framesFor(0.001, { num: 24, den: 1 })).toBe(1);
  });
});

describe('the estimate', () => {
  const model = JSON.parse(
    readFileSync(new URL('../fixtures/tiny/package/model.json', import.meta.url), 'utf8'),
  ) as ModelJson;
  // 64 × 48 at 24 fps; the model makes 4 frames a second, 5 to a chunk.
  const clip = { ...prefix, kind: 'blob' as const, range: { startFrame: 0, frameCount: 241 } };
  const speed = { passMs: 100, fixedMs: 20, commitMs: 80, primeMs: 50, readMs: 1000, makeMs: 2000 };
  const abilities = { webgpu: false, adapter: '', backend: null, h264: true };
  const ready = (settings: Parameters<typeof reduce>[1] & { type: 'settings' }, source = clip): PanelState =>
    after(
      { type: 'abilities', abilities },
      { type: 'model', model },
      { type: 'speeds', speeds: { [speedKey(model, 'ort', '')]: speed } },
      { type: 'source', prefix: source },
      settings,
    );
  const change = (change: Partial<PanelState['settings']>) => ({ type: 'settings' as const, change });
  const megapixels = (64 * 48) / 1e6;
  const whole = {
    ...record('a', 1),
    ...{ frameCount: 48, prefix: { ...clip, anchor: null }, profile: 'preview' as const },
  };

  it('adds up reading, taking in, making and what becomes of the frames', () => {
    // 41 model frames are given, 8 made: 8 chunks to take in, 2 to make, the last of which is not committed.
    const frames = megapixels * (241 * 1 + 48 * 2);
    const model = 8 * 0.05 + 2 * 0.42 + 0.08;
    expect(secondsWith(ready(change({ seconds: 2 })), 4)).toBeCloseTo(model + frames, 6);
    const three = ready(change({ seconds: 2, variations: 3 }));
    expect(secondsWith(three, 4)).toBeCloseTo(0.4 + 3 * 0.92 + megapixels * (241 * 1 + 3 * 48 * 2), 6);
    const loops = ready(change({ seconds: 2, variations: 2, purpose: 'loop' }));
    const one = ready(change({ seconds: 2, purpose: 'loop' }));
    expect(secondsWith(loops, 4)).toBeCloseTo(2 * secondsWith(one, 4)!, 6);
  });

  it('counts variations at the same time for less than one after another, and learns how much less', () => {
    const onGpu = (variations: number, added?: number): PanelState => {
      const known = { ...speed, ...(added === undefined ? {} : { added }) };
      return reduce(
        reduce(ready(change({ seconds: 2, variations })), {
          type: 'engine',
          engine: { model, backend: 'webgpu' },
        }),
        { type: 'speeds', speeds: { [speedKey(model, 'webgpu', '')]: known } },
      );
    };
    const one = secondsWith(onGpu(1), 4)!;
    const making = secondsOf(onGpu(1), whole, false)!;
    expect(making).toBeCloseTo(0.92 + megapixels * 48 * 2, 6);
    const unmeasured = secondsWith(onGpu(4), 4)!;
    expect(unmeasured).toBeGreaterThan(one + making);
    expect(unmeasured).toBeLessThan(one + 3 * making);
    expect(secondsWith(onGpu(4, 0.1), 4)).toBeCloseTo(one + 0.3 * making, 6);
    const learned = withTogether(onGpu(4), whole, 4, 1.6 * making)!;
    expect(learned.added).toBeCloseTo(0.2, 6);
    expect(withTogether(onGpu(4, 0.2), whole, 4, 1.6 * making)!.added).toBeCloseTo(0.2, 6);
    // A disturbance does not make it worse than one after another.
    expect(withTogether(onGpu(4), whole, 4, 40 * making)!.added).toBe(1);
    // The more they share, the more passes there is time for.
    const steps = (added: number) => {
      const state = reduce(onGpu(4, added), change({ seconds: 10, fitSeconds: 9 }));
      return fitOf(state)!.steps;
    };
    expect(steps(0.1)).toBeGreaterThan(steps(1));
  });

  it('counts no reading for a variation of what was read', () => {
    const state = ready(change({ seconds: 2 }));
    const reading = 8 * 0.05 + megapixels * 241;
    expect(secondsOf(state, whole, true)! - secondsOf(state, whole, false)!).toBeCloseTo(reading, 6);
  });

  it('tells profiles apart, and says nothing where nothing is known', () => {
    const { draft, preview, final } = secondsByProfile(ready(change({ seconds: 2 })))!;
    expect([preview - draft, final - preview].map((value) => Math.round(10 * value))).toEqual([4, 8]);
    expect(expectedSeconds(ready(change({ seconds: 2, profile: 'draft' })))).toBe(draft);
    expect(secondsByProfile(initialState)).toBeNull();
    const other = reduce(ready(change({})), { type: 'engine', engine: { model, backend: 'webgpu' } });
    expect(expectedSeconds(other)).toBeNull();
  });

  it('picks what will be done in time, and says when nothing is', () => {
    const fit = (fitSeconds: number, seconds = 10) => fitOf(ready(change({ fitSeconds, seconds })));
    expect(fit(600)).toMatchObject({ steps: 8, profile: 'final', more: false, fits: true });
    const some = [6, 7, 8, 9].map((seconds) => fit(seconds)!);
    for (const each of some) expect(each.fits ? each.seconds : 0).toBeLessThan(10);
    expect(some.map(({ steps }) => steps)).toEqual([...some.map(({ steps }) => steps)].sort());
    expect(some.some(({ more }) => more)).toBe(true);
    const four = fitOf(ready(change({ fitSeconds: 5, seconds: 10, variations: 4 })))!;
    expect(four).toMatchObject({ steps: 2, profile: 'draft', more: false, fits: false });
    expect(four.seconds).toBeGreaterThan(5);
    expect(fitOf(ready(change({ seconds: 10 })))).toBeNull();
    const bounds = [1, 5.4, 1e9, NaN].map((value) => fit(value) && ready(change({ fitSeconds: value })));
    expect(bounds.map((state) => state?.settings.fitSeconds ?? null)).toEqual([5, 5, 600, null]);
  });

  it('learns what frames cost from a rollout', () => {
    const learned = withFrameCost(speed, { read: 8, make: 20 }, { width: 2000, height: 1000 });
    expect([learned.readMs, learned.makeMs]).toEqual([4, 10]);
    expect(withFrameCost(speed, { read: null, make: -3 }, prefix.size)).toEqual({ ...speed, makeMs: 0 });
  });

  it('keeps apart what was measured with other weights, another backend or another device', () => {
    const keys = [
      speedKey(model, 'webgpu', 'one'),
      speedKey(model, 'webgpu', 'two'),
      speedKey(model, 'ort', 'one'),
      speedKey({ ...model, name: 'other' }, 'webgpu', 'one'),
    ];
    expect(new Set(keys).size).toBe(4);
    expect(speedKey(model, 'ort', 'two')).toBe(keys[2]);
    const many = Array.from({ length: 20 }, (_, i) => `key ${i}`);
    const kept = many.reduce((speeds, key) => withSpeed(speeds, key, speed), {});
    expect(Object.keys(kept)).toEqual(many.slice(-8));
  });

  it('takes nothing else from storage', () => {
    const bad = { ...speed, passMs: 'x' };
    const shared = { ...speed, added: 0.3 };
    const odd = { f: { ...speed, added: 1.5 }, g: { ...speed, added: 'x' } };
    expect(
      parseSpeeds({ a: speed, b: bad, c: 7, d: { ...speed, makeMs: -1 }, e: null, ...odd, h: shared }),
    ).toEqual({ a: speed, h: shared });
    expect([null, 7, 'x', undefined].map(parseSpeeds)).toEqual([{}, {}, {}, {}]);
  });
});

describe('the seam in words', () => {
  const seam = (across: number, roughest: number, colourAcross = 1, colourRoughest = 1, detailRatio = 1) =>
    readSeam({
      psnrAcrossCut: across,
      psnrWithinPrefix: roughest + 4,
      psnrRoughestStep: roughest,
      colourStepAcrossCut: colourAcross,
      colourStepWithinPrefix: 0,
      colourStepRoughest: colourRoughest,
      detailRatio,
    });

  it('is judged against the clip’s own motion', () => {
    expect(seam(31, 31.5).verdict).toBe('invisible');
    expect(seam(29, 31.5)).toMatchObject({ verdict: 'slight', decibels: 2.5 });
    expect(seam(24, 31.5).verdict).toBe('visible');
    expect(seam(36, 31).decibels).toBe(0);
  });

  it('counts a jump of colour', () => {
    expect(seam(31, 31, 8, 1)).toMatchObject({ verdict: 'visible', colour: 7 });
    expect(seam(31, 31, 4, 1).verdict).toBe('slight');
  });

  it('says when the new frames are softer', () => {
    expect(seam(31, 31, 1, 1, 0.4)).toMatchObject({ verdict: 'slight', softTo: 40 });
    expect(seam(31, 31, 1, 1, 0.9)).toMatchObject({ verdict: 'invisible', softTo: null });
    expect(seam(24, 31, 1, 1, 0.4)).toMatchObject({ verdict: 'visible', softTo: 40 });
  });

  it('takes a still clip, whose frames are equal', () => {
    expect(seam(45, 100).verdict).toBe('invisible');
    expect(seam(30, Infinity)).toMatchObject({ verdict: 'visible', decibels: 30 });
  });
});
