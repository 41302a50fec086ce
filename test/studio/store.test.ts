import { describe, expect, it } from 'vitest';
import { activeClip, activeGap } from '../../src/studio/commands/command.ts';
import { commands } from '../../src/studio/commands/commands.ts';
import { keysLabel, matchesKeys } from '../../src/studio/commands/keys.ts';
import { tilesInSight } from '../../src/studio/elements/geometry.ts';
import { stretches } from '../../src/studio/media/export-timeline.ts';
import { blackPicture, fitPicture } from '../../src/studio/media/fit-picture.ts';
import { projectFromJson, projectToJson } from '../../src/studio/persistence/project-json.ts';
import { REC709 } from '../../src/media/colour.ts';
import { StudioStore } from '../../src/studio/store/store.ts';
import { projectOf, shownProject } from '../../src/studio/store/state.ts';
import type { MediaItem } from '../../src/studio/timeline/project.ts';

const R24 = { num: 24, den: 1 };

function media(id: string, frameCount: number): MediaItem {
  return { id, name: `${id}.mp4`, rate: R24, frameCount, width: 640, height: 360 };
}

function opened(...lengths: number[]): StudioStore {
  const store = new StudioStore();
  const items = lengths.map((length, i) => ({ media: media(`m${i}`, length), clipId: `c${i}` }));
  store.dispatch({ type: 'import', items });
  return store;
}

function sketch(store: StudioStore): string {
  return projectOf(store.state)
    .tracks[0]!.clips.map((c) => `${c.id}@${c.start}[${c.in},${c.out})`)
    .join(' ');
}

const press = (
  key: string,
  held: Partial<Record<'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey', boolean>> = {},
) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...held,
});

describe('the store', () => {
  it('takes several files as one undo step; the first sets the format', () => {
    const store = opened(48, 24);
    expect(sketch(store)).toBe('c0@0[0,48) c1@48[0,24)');
    expect(projectOf(store.state).format).toEqual({ rate: R24, width: 640, height: 360 });
    store.dispatch({ type: 'undo' });
    expect(sketch(store)).toBe('');
    expect(store.state.selection.size).toBe(0);
    store.dispatch({ type: 'redo' });
    expect(sketch(store)).toBe('c0@0[0,48) c1@48[0,24)');
  });

  it('places a continuation after, before or instead of its anchor', () => {
    const place = (side: 'after' | 'before' | 'replace', anchorId: string | null = 'c0') => {
      const store = opened(48, 24);
      const made = { ...media('new', side === 'replace' ? 72 : 24), provenance: { 'longtake.seed': '1' } };
      store.dispatch({ type: 'place', media: made, clip: { id: 'n', label: 'n' }, anchorId, side });
      const placed = sketch(store);
      store.dispatch({ type: 'undo' });
      expect(sketch(store)).toBe('c0@0[0,48) c1@48[0,24)');
      return placed;
    };
    expect(place('after')).toBe('c0@0[0,48) n@48[0,24) c1@72[0,24)');
    expect(place('before')).toBe('n@0[0,24) c0@24[0,48) c1@72[0,24)');
    expect(place('replace')).toBe('n@0[0,72) c1@72[0,24)');
    // An anchor that is no longer there: at the playhead.
    expect(place('after', 'gone')).toBe('n@0[0,24) c0@24[0,48) c1@72[0,24)');
  });

  it('fills a gap exactly, as one undo step', () => {
    const store = opened(48, 24);
    store.dispatch({ type: 'move', clipId: 'c1', start: 60, final: true, guide: null });
    store.dispatch({ type: 'panel-open', clipId: 'c0', direction: 'forward', purpose: 'gap' });
    expect(store.state.panel).toMatchObject({ purpose: 'gap', clipId: 'c0' });
    const steps = store.state.history.past.length;
    // One frame more than the gap is, as where the file's rate does not divide the project's.
    const made = { ...media('new', 13), provenance: { 'longtake.task': 'gap' } };
    const clip = { id: 'n', label: 'n' };
    store.dispatch({ type: 'place', media: made, clip, anchorId: 'c0', side: 'after', cut: { frames: 12 } });
    expect(sketch(store)).toBe('c0@0[0,48) n@48[0,12) c1@60[0,24)');
    expect(store.state.history.past.length).toBe(steps + 1);
    expect(store.state.history.past.at(-1)!.label).toBe('Fill gap');
    store.dispatch({ type: 'undo' });
    expect(sketch(store)).toBe('c0@0[0,48) c1@60[0,24)');
  });

  it('shows a drag without recording it, and takes it back', () => {
    const store = opened(48);
    const steps = store.state.history.past.length;
    store.dispatch({ type: 'trim', clipId: 'c0', edge: 'out', delta: -8, final: false, guide: null });
    expect(shownProject(store.state).tracks[0]!.clips[0]!.out).toBe(40);
    expect(sketch(store)).toBe('c0@0[0,48)');
    store.dispatch({ type: 'drag-cancel' });
    expect(shownProject(store.state).tracks[0]!.clips[0]!.out).toBe(48);
    expect(store.state.history.past.length).toBe(steps);
  });

  it('keeps the playhead on a frame and closes the panel of a clip that went', () => {
    const store = opened(48);
    store.dispatch({ type: 'seek', frame: 999 });
    expect(store.state.playhead).toBe(47);
    store.dispatch({ type: 'panel-open', clipId: 'c0', direction: 'forward' });
    store.dispatch({ type: 'remove', clipIds: ['c0'], ripple: true });
    expect(store.state.panel).toBeNull();
    expect(store.state.playhead).toBe(0);
  });
});

describe('commands and keys', () => {
  it('apply to the selected clip, else to the one under the playhead, and to none where several are selected', () => {
    const store = opened(48, 24);
    expect(activeClip(store.state)?.id).toBe('c0');
    store.dispatch({ type: 'select', clipIds: [] });
    store.dispatch({ type: 'seek', frame: 60 });
    expect(activeClip(store.state)?.id).toBe('c1');
    store.dispatch({ type: 'select', clipIds: ['c0', 'c1'] });
    expect(activeClip(store.state)).toBeNull();
    expect(commands.extend.enabled(store.state)).toBe(false);
  });

  it('fill the gap after the selected clip, else the one under the playhead', () => {
    const store = opened(48, 24, 24);
    expect(activeGap(store.state)).toBeNull();
    store.dispatch({ type: 'move', clipId: 'c2', start: 90, final: true, guide: null });
    store.dispatch({ type: 'select', clipIds: ['c0'] });
    expect(commands.fillGap.enabled(store.state)).toBe(false);
    store.dispatch({ type: 'select', clipIds: ['c1'] });
    expect(activeGap(store.state)).toMatchObject({ start: 72, length: 18 });
    store.dispatch({ type: 'select', clipIds: [] });
    const enabledAt = (frame: number) => {
      store.dispatch({ type: 'seek', frame });
      return commands.fillGap.enabled(store.state);
    };
    expect([71, 72, 89, 90].map(enabledAt)).toEqual([false, true, true, false]);
  });

  it('say why a gap cannot be filled', () => {
    const reasons = (change: Partial<MediaItem>) => {
      const store = new StudioStore();
      const items = [media('a', 24), { ...media('b', 24), ...change }];
      store.dispatch({ type: 'import', items: items.map((item) => ({ media: item, clipId: item.id })) });
      store.dispatch({ type: 'move', clipId: 'b', start: 48, final: true, guide: null });
      store.dispatch({ type: 'select', clipIds: ['a'] });
      return { store, reason: commands.fillGap.reason(store.state) };
    };
    expect(reasons({ width: 320 }).reason).toMatch(/same picture size; these have 640 × 360 and 320 × 360/);
    expect(reasons({ rate: { num: 25, den: 1 } }).reason).toMatch(/frame rate; these have 24 and 25 fps/);
    const { store, reason } = reasons({ rate: { num: 48, den: 2 } });
    expect(reason).toBeNull();
    expect([commands.fillGap, commands.makeLoop].map((c) => c.enabled(store.state))).toEqual([true, true]);
    store.dispatch({ type: 'trained-for', tasks: ['extend', 'backward'] });
    expect([commands.fillGap, commands.makeLoop].map((c) => c.enabled(store.state))).toEqual([false, false]);
    expect(commands.fillGap.reason(store.state)).toBe('The world model was not trained to fill gaps.');
    expect(commands.makeLoop.reason(store.state)).toBe('The world model was not trained to close loops.');
    store.dispatch({ type: 'trained-for', tasks: ['extend', 'gap'] });
    expect(commands.fillGap.enabled(store.state)).toBe(true);
  });

  it('read descriptions of keys', () => {
    expect(matchesKeys(press('Z', { ctrlKey: true, shiftKey: true }), 'Mod+Shift+z')).toBe(true);
    expect(matchesKeys(press('z', { ctrlKey: true }), 'Mod+Shift+z')).toBe(false);
    expect(matchesKeys(press('z', { metaKey: true }), 'Mod+z')).toBe(true);
    expect(matchesKeys(press('s'), 'Mod+s')).toBe(false);
    expect(matchesKeys(press('+', { shiftKey: true }), '+')).toBe(true);
    expect(matchesKeys(press('e', { altKey: true }), 'e')).toBe(false);
    expect(keysLabel('Mod+Shift+z', false)).toBe('Ctrl+Shift+Z');
    expect(keysLabel('Mod+Shift+z', true)).toBe('⇧⌘Z');
    expect(keysLabel('+', false)).toBe('+');
  });

  it('give no key to two commands', () => {
    const keys = Object.values(commands).flatMap((command) => [...command.keys]);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('a saved project', () => {
  it('comes back as it was', () => {
    const store = opened(48, 24);
    const project = projectOf(store.state);
    expect(projectFromJson(projectToJson(project))).toEqual({ ...project });
  });

  it('is never believed where it makes no sense', () => {
    const project = projectOf(opened(48, 24).state);
    const broken = JSON.parse(projectToJson(project)) as { tracks: { clips: Record<string, unknown>[] }[] };
    broken.tracks[0]!.clips[1]!['start'] = 10;
    expect(projectFromJson(JSON.stringify(broken))!.tracks[0]!.clips).toHaveLength(1);
    broken.tracks[0]!.clips[0]!['out'] = 0.5;
    expect(projectFromJson(JSON.stringify(broken))!.tracks[0]!.clips.map((c) => c.id)).toEqual(['c1']);
    for (const text of ['', '{', '[]', '{"longtakeProject":2}', '{"longtakeProject":1}', 'null']) {
      expect(projectFromJson(text)).toBeNull();
    }
  });
});

describe('pictures of the timeline', () => {
  it('cut it where its topmost clip changes, gaps included', () => {
    const store = opened(10, 5);
    store.dispatch({ type: 'move', clipId: 'c1', start: 20, final: true, guide: null });
    expect(stretches(projectOf(store.state)).map((s) => [s.start, s.end, s.clip?.id ?? null])).toEqual([
      [0, 10, 'c0'],
      [10, 20, null],
      [20, 25, 'c1'],
    ]);
  });

  it('ask for thumbnails on a grid, inside the clip, only those in sight', () => {
    const tiles = tilesInSight({ in: 5, out: 105 }, 2, 50, 60, 130);
    expect(tiles.map((tile) => tile.x)).toEqual([50, 100]);
    expect(tiles.map((tile) => tile.index)).toEqual([16, 48]);
    for (const tile of tilesInSight({ in: 3, out: 7 }, 40, 50, 0, 1000)) {
      expect(tile.index).toBeGreaterThanOrEqual(3);
      expect(tile.index + tile.span).toBeLessThanOrEqual(7);
    }
  });

  it('pass through untouched where they fit, else keep their shape between black bars', async () => {
    const grey = blackPicture({ width: 8, height: 8 }, REC709);
    grey.y.fill(120);
    expect(await fitPicture(grey, REC709, { width: 8, height: 8 }, REC709)).toBe(grey);
    const wide = await fitPicture(grey, REC709, { width: 32, height: 8 }, REC709);
    const row = [...wide.y.subarray(0, 32)];
    expect(row).toEqual([
      ...Array<number>(12).fill(16),
      ...Array<number>(8).fill(120),
      ...Array<number>(12).fill(16),
    ]);
    // An odd side that a file had to make even is cut, not squeezed.
    const padded = blackPicture({ width: 8, height: 8 }, REC709);
    padded.y.forEach((_, i) => (padded.y[i] = i % 8));
    const cut = await fitPicture(padded, REC709, { width: 7, height: 7 }, REC709);
    expect([...cut.y.subarray(0, 7)]).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});
