import { describe, expect, it } from 'vitest';
import {
  conformedLength,
  framesToFill,
  sourceFrame,
  sourceRange,
} from '../../src/studio/timeline/conform.ts';
import {
  addMedia,
  appendClip,
  insertAfter,
  insertBefore,
  insertClip,
  moveClip,
  removeClips,
  slide,
  splitClip,
  trimClip,
  wholeClip,
} from '../../src/studio/timeline/edit.ts';
import { record, redo, startHistory, undo } from '../../src/studio/timeline/history.ts';
import type { Clip, MediaItem, Project } from '../../src/studio/timeline/project.ts';
import {
  clipEnd,
  clipLength,
  cutPoints,
  emptyProject,
  projectLength,
} from '../../src/studio/timeline/project.ts';
import { snapRange } from '../../src/studio/timeline/snap.ts';
import { rulerStep, timecode } from '../../src/studio/timeline/timecode.ts';

const R24 = { num: 24, den: 1 };
const R30N = { num: 30000, den: 1001 };

function media(id: string, frameCount: number, rate = R24): MediaItem {
  return { id, name: `${id}.mp4`, rate, frameCount, width: 640, height: 360 };
}

/** A project with clips a, b, c … of the given lengths, back to back. */
function row(...lengths: number[]): Project {
  return lengths.reduce((project, length, i) => {
    const id = String.fromCharCode(97 + i);
    const item = media(`m-${id}`, length);
    const next = addMedia(project, item);
    return appendClip(next, 0, wholeClip(next, item, id));
  }, emptyProject());
}

/** The track in short: `a@0[0,10) b@10[0,5)`. */
function sketch(project: Project): string {
  return project.tracks[0]!.clips.map((c) => `${c.id}@${c.start}[${c.in},${c.out})`).join(' ');
}

describe('conforming media to the project rate', () => {
  it('is the identity at equal rates', () => {
    for (const i of [0, 1, 17, 100000]) expect(sourceFrame(i, R30N, R30N)).toBe(i);
    expect(conformedLength(90, R30N, R30N)).toBe(90);
  });
  it('repeats and drops frames evenly at other rates', () => {
    const doubled = Array.from({ length: 8 }, (_, i) => sourceFrame(i, { num: 12, den: 1 }, R24));
    expect(doubled).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
    const halved = Array.from({ length: 4 }, (_, i) => sourceFrame(i, { num: 48, den: 1 }, R24));
    expect(halved).toEqual([1, 3, 5, 7]);
    expect(conformedLength(12, { num: 12, den: 1 }, R24)).toBe(24);
    expect(conformedLength(1, { num: 60, den: 1 }, R24)).toBe(1);
  });
  it('does not drift over ten hours of 29.97 in 24', () => {
    const frames = 30 * 3600 * 10;
    const length = conformedLength(frames, R30N, R24);
    expect(sourceFrame(length - 1, R30N, R24)).toBeGreaterThanOrEqual(frames - 2);
    expect(sourceFrame(length - 1, R30N, R24)).toBeLessThan(frames);
  });
  it('gives the source range of a trimmed clip at the media rate', () => {
    const clip: Clip = { id: 'x', mediaId: 'm', label: '', start: 40, in: 4, out: 20 };
    expect(sourceRange(clip, media('m', 30), R24)).toEqual({ startFrame: 4, frameCount: 16 });
    expect(sourceRange(clip, media('m', 15, { num: 12, den: 1 }), R24)).toEqual({
      startFrame: 2,
      frameCount: 8,
    });
  });

  it('takes no more frames than a gap needs, and never too few', () => {
    for (const rate of [R24, R30N, { num: 12, den: 1 }, { num: 25, den: 1 }, { num: 60, den: 1 }]) {
      for (const gap of [1, 2, 7, 24, 101]) {
        const frames = framesToFill(gap, rate, R24);
        expect(conformedLength(frames, rate, R24)).toBeGreaterThanOrEqual(gap);
        if (frames > 1 && gap > 1) expect(conformedLength(frames - 1, rate, R24)).toBeLessThan(gap);
      }
    }
    expect(framesToFill(12, R24, R24)).toBe(12);
  });
});

describe('insert', () => {
  it('after a clip moves the later clips by exactly its length', () => {
    const project = addMedia(row(10, 5), media('n', 7));
    const next = insertAfter(project, 'a', wholeClip(project, project.media['n']!, 'n'));
    expect(sketch(next)).toBe('a@0[0,10) n@10[0,7) b@17[0,5)');
  });
  it('uses a gap before it moves anything', () => {
    const gap = slide(addMedia(row(10, 5), media('n', 7)), 'b', 30);
    const clip = wholeClip(gap, gap.media['n']!, 'n');
    expect(sketch(insertAfter(gap, 'a', clip))).toBe('a@0[0,10) n@10[0,7) b@30[0,5)');
    expect(sketch(insertBefore(gap, 'b', clip))).toBe('a@0[0,10) n@23[0,7) b@30[0,5)');
    const tight = slide(gap, 'b', 13);
    expect(sketch(insertAfter(tight, 'a', clip))).toBe('a@0[0,10) n@10[0,7) b@17[0,5)');
    expect(sketch(insertBefore(tight, 'b', clip))).toBe('a@0[0,10) n@10[0,7) b@17[0,5)');
  });
  it('before the first clip moves it away from 0', () => {
    const project = addMedia(row(10, 5), media('n', 7));
    const next = insertBefore(project, 'a', wholeClip(project, project.media['n']!, 'n'));
    expect(sketch(next)).toBe('n@0[0,7) a@7[0,10) b@17[0,5)');
  });
  it('into a clip goes to its nearer end', () => {
    const project = addMedia(row(10, 5), media('n', 2));
    const clip = wholeClip(project, project.media['n']!, 'n');
    expect(sketch(insertClip(project, 0, clip, 3))).toMatch(/^n@0/);
    expect(sketch(insertClip(project, 0, clip, 8))).toMatch(/^a@0\[0,10\) n@10/);
  });
});

describe('trim', () => {
  it('stops at the media, at the neighbours and at one frame', () => {
    const project = trimClip(row(10, 8), 'b', 'in', 3);
    expect(sketch(project)).toBe('a@0[0,10) b@13[3,8)');
    expect(sketch(trimClip(project, 'b', 'in', -9))).toBe('a@0[0,10) b@10[0,8)');
    expect(sketch(trimClip(project, 'b', 'in', 99))).toBe('a@0[0,10) b@17[7,8)');
    expect(sketch(trimClip(project, 'b', 'out', 5))).toBe('a@0[0,10) b@13[3,8)');
    const short = trimClip(row(10, 8), 'a', 'out', -4);
    expect(sketch(short)).toBe('a@0[0,6) b@10[0,8)');
    expect(sketch(trimClip(slide(short, 'b', 7), 'a', 'out', 4))).toBe('a@0[0,7) b@7[0,8)');
  });
  it('with ripple keeps clips together', () => {
    expect(sketch(trimClip(row(10, 8), 'a', 'out', -4, true))).toBe('a@0[0,6) b@6[0,8)');
    expect(sketch(trimClip(row(10, 8), 'a', 'in', 4, true))).toBe('a@0[4,10) b@6[0,8)');
  });
});

describe('split', () => {
  it('keeps every frame', () => {
    const project = splitClip(trimClip(row(10, 8), 'a', 'in', 2), 'a', 5, 'z');
    expect(sketch(project)).toBe('a@2[2,5) z@5[5,10) b@10[0,8)');
  });
  it('does nothing at the edges', () => {
    const project = row(10);
    expect(splitClip(project, 'a', 0, 'z')).toBe(project);
    expect(splitClip(project, 'a', 10, 'z')).toBe(project);
  });
});

describe('move and delete', () => {
  it('moves into free room and leaves a gap', () => {
    expect(sketch(moveClip(row(10, 5), 'a', 40))).toBe('b@10[0,5) a@40[0,10)');
  });
  it('rearranges where a clip is in the way', () => {
    expect(sketch(moveClip(row(10, 5, 3), 'b', 2))).toBe('b@0[0,5) a@5[0,10) c@15[0,3)');
    expect(sketch(moveClip(row(10, 5, 3), 'a', 8))).toBe('b@0[0,5) c@5[0,3) a@8[0,10)');
    expect(sketch(moveClip(row(10, 5, 3), 'a', 4))).toBe('b@0[0,5) a@5[0,10) c@15[0,3)');
  });
  it('stays between its neighbours while dropped short of their middle', () => {
    expect(sketch(moveClip(row(10, 5), 'b', 6))).toBe('a@0[0,10) b@10[0,5)');
    const gap = slide(row(10, 5), 'b', 20);
    expect(sketch(moveClip(gap, 'b', 9))).toBe('a@0[0,10) b@10[0,5)');
  });
  it('deletes with and without closing the hole', () => {
    expect(sketch(removeClips(row(10, 5, 3), new Set(['b']), false))).toBe('a@0[0,10) c@15[0,3)');
    expect(sketch(removeClips(row(10, 5, 3), new Set(['a', 'b']), true))).toBe('c@0[0,3)');
  });
});

describe('any sequence of edits', () => {
  it('keeps clips in order, apart, inside their media and on whole frames', () => {
    let seed = 12345;
    const random = (n: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * n);
    };
    let history = startHistory(row(12, 7, 20, 4));
    for (let step = 0; step < 3000; step += 1) {
      const project = history.present;
      const clips = project.tracks[0]!.clips;
      const clip = clips[random(Math.max(1, clips.length))];
      const id = clip?.id ?? 'none';
      const edge = random(2) ? ('in' as const) : ('out' as const);
      const item = media(`m${step}`, 1 + random(15), random(2) ? R24 : R30N);
      const edits = [
        () => moveClip(project, id, random(90) - 10),
        () => trimClip(project, id, edge, random(30) - 15, random(2) === 1),
        () => splitClip(project, id, random(80), `s${step}`),
        () => removeClips(project, new Set([id]), random(2) === 1),
        () => insertAfter(addMedia(project, item), id, wholeClip(project, item, `i${step}`)),
        () => insertBefore(addMedia(project, item), id, wholeClip(project, item, `i${step}`)),
        () => insertClip(addMedia(project, item), 0, wholeClip(project, item, `i${step}`), random(90)),
      ];
      history = record(history, edits[random(clips.length > 12 ? 4 : edits.length)]!(), 'edit');
      let end = 0;
      for (const c of history.present.tracks[0]!.clips) {
        const item = history.present.media[c.mediaId]!;
        expect(Number.isInteger(c.start) && Number.isInteger(c.in) && Number.isInteger(c.out)).toBe(true);
        expect(c.start).toBeGreaterThanOrEqual(end);
        expect(c.in).toBeGreaterThanOrEqual(0);
        expect(clipLength(c)).toBeGreaterThanOrEqual(1);
        expect(c.out).toBeLessThanOrEqual(conformedLength(item.frameCount, item.rate, R24));
        end = clipEnd(c);
      }
      expect(projectLength(history.present)).toBe(end);
    }
  });
});

describe('history', () => {
  it('goes back and forth through the same values and forgets the future on a new edit', () => {
    const start = startHistory(row(10));
    const one = record(start, moveClip(start.present, 'a', 5), 'Move clip');
    const two = record(one, splitClip(one.present, 'a', 9, 'z'), 'Split clip');
    expect(undo(two).present).toBe(one.present);
    expect(undo(two).future[0]!.label).toBe('Split clip');
    expect(redo(undo(two)).present).toBe(two.present);
    expect(undo(undo(undo(two))).present).toBe(start.present);
    const branch = record(undo(two), moveClip(one.present, 'a', 7), 'Move clip');
    expect(redo(branch)).toBe(branch);
    expect(record(two, two.present, 'nothing')).toBe(two);
  });
});

describe('snapping and timecode', () => {
  it('snaps the nearer edge within reach only', () => {
    expect(snapRange(97, 10, [0, 100], 5)).toEqual({ frame: 100, point: 100 });
    expect(snapRange(92, 10, [0, 100], 5)).toEqual({ frame: 90, point: 100 });
    expect(snapRange(50, 10, [0, 100], 5)).toEqual({ frame: 50, point: null });
    expect(cutPoints(row(10, 5))).toEqual([0, 10, 15]);
    expect(cutPoints(row(10, 5), new Set(['b']))).toEqual([0, 10]);
  });
  it('counts frames', () => {
    expect(timecode(0, R24)).toBe('00:00:00');
    expect(timecode(24 * 61 + 5, R24)).toBe('01:01:05');
    expect(timecode(30 * 3600, R30N)).toBe('1:00:00:00');
    expect(rulerStep(6, R24)).toBe(24);
    expect(rulerStep(48, R24)).toBe(2);
    // Every second has a mark, at any rate and zoom.
    for (const num of [12, 24, 25, 30, 50, 60])
      for (let zoom = 0.05; zoom < 100; zoom *= 1.1) {
        const step = rulerStep(zoom, { num, den: 1 });
        expect(step % num === 0 || num % step === 0).toBe(true);
      }
  });
});
