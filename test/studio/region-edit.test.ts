import { describe, expect, it } from 'vitest';
import { keepOutside } from '../../src/media/keep-outside.ts';
import { allocatePicture } from '../../src/media/picture.ts';
import { MaskPainting } from '../../src/studio/media/mask-painting.ts';
import { StudioStore } from '../../src/studio/store/store.ts';
import { projectOf } from '../../src/studio/store/state.ts';
import type { MediaItem } from '../../src/studio/timeline/project.ts';
import { defaultRegion, moveRegionEdge, regionWithin } from '../../src/studio/timeline/region.ts';

const media = (id: string, frameCount: number): MediaItem => ({
  id,
  name: `${id}.mp4`,
  rate: { num: 24, den: 1 },
  frameCount,
  width: 640,
  height: 360,
});

/** A clip trimmed to [10, 110) of its media, at frame 50 of the timeline. */
const clip = { id: 'c', mediaId: 'm', label: 'c', start: 50, in: 10, out: 110 };

describe('the frames to repaint', () => {
  it('are the whole clip, or from the playhead as many as can be made', () => {
    expect(defaultRegion(clip, 0, 240)).toEqual({ from: 10, length: 100 });
    expect(defaultRegion(clip, 70, 40)).toEqual({ from: 30, length: 40 });
    expect(defaultRegion(clip, 140, 40)).toEqual({ from: 100, length: 10 });
    expect(defaultRegion(clip, 0, 40)).toEqual({ from: 10, length: 40 });
  });

  it('keep within clip and limit when an edge moves', () => {
    const region = { from: 30, length: 20 };
    expect(moveRegionEdge(clip, region, 'first', 60, 240)).toEqual({ from: 20, length: 30 });
    expect(moveRegionEdge(clip, region, 'first', 0, 240)).toEqual({ from: 10, length: 40 });
    expect(moveRegionEdge(clip, region, 'first', 60, 25)).toEqual({ from: 20, length: 25 });
    expect(moveRegionEdge(clip, region, 'first', 120, 240)).toEqual({ from: 80, length: 1 });
    expect(moveRegionEdge(clip, region, 'last', 999, 240)).toEqual({ from: 30, length: 80 });
    expect(moveRegionEdge(clip, region, 'last', 55, 240)).toEqual({ from: 15, length: 1 });
    expect(moveRegionEdge(clip, region, 'last', 109, 20)).toEqual({ from: 50, length: 20 });
  });

  it('are cut to what the clip still shows', () => {
    expect(regionWithin(clip, { from: 0, length: 20 })).toEqual({ from: 10, length: 10 });
    expect(regionWithin(clip, { from: 110, length: 5 })).toBeNull();
  });
});

describe('repainted frames on the timeline', () => {
  function placed(from: number, frames: number, change?: (store: StudioStore) => void): string {
    const store = new StudioStore();
    const items = [100, 24].map((length, i) => ({ media: media(`m${i}`, length), clipId: `c${i}` }));
    store.dispatch({ type: 'import', items });
    change?.(store);
    const made = { ...media('n', frames), provenance: { 'longtake.task': 'region' } };
    store.dispatch({
      type: 'place',
      media: made,
      clip: { id: 'n', label: 'n' },
      anchorId: 'c0',
      side: 'over',
      cut: { from, frames },
      restId: 'rest',
    });
    expect(store.state.history.past.at(-1)!.label).toBe('Repaint region');
    return projectOf(store.state)
      .tracks[0]!.clips.map((c) => `${c.id}@${c.start}[${c.in},${c.out})`)
      .join(' ');
  }

  it('take the place of the old ones; nothing else moves', () => {
    expect(placed(40, 12)).toBe('c0@0[0,40) n@40[0,12) rest@52[52,100) c1@100[0,24)');
    expect(placed(0, 12)).toBe('n@0[0,12) c0@12[12,100) c1@100[0,24)');
    expect(placed(90, 10)).toBe('c0@0[0,90) n@90[0,10) c1@100[0,24)');
    expect(placed(0, 100)).toBe('n@0[0,100) c1@100[0,24)');
  });

  it('find their place after the clip was trimmed and moved, or go after it', () => {
    const trim = (store: StudioStore): void => {
      store.dispatch({ type: 'trim', clipId: 'c0', edge: 'in', delta: 20, final: true, guide: null });
    };
    expect(placed(40, 12, trim)).toBe('c0@20[20,40) n@40[0,12) rest@52[52,100) c1@100[0,24)');
    expect(placed(10, 12, trim)).toBe('c0@20[20,100) n@100[0,12) c1@112[0,24)');
  });
});

describe('the mask', () => {
  it('is painted, erased and measured', () => {
    const mask = new MaskPainting('c', 40, 20);
    mask.rectangle({ x: 30, y: 15 }, { x: 10, y: 5 }, true);
    expect(mask.share).toBe(200 / 800);
    mask.rectangle({ x: 20, y: 0 }, { x: 99, y: 20 }, false);
    expect(mask.share).toBe(100 / 800);
    expect([...mask.data].filter((value) => value === 255)).toHaveLength(100);
    mask.clear();
    expect(mask.share).toBe(0);
    const box = mask.stroke({ x: 10, y: 10 }, { x: 30, y: 10 }, 4, true);
    expect(box).toEqual({ left: 6, top: 6, right: 35, bottom: 15 });
    // A stroke of width 8 over 20 pixels with round ends.
    expect(mask.share * 800).toBeGreaterThan(200);
    expect(mask.share * 800).toBeLessThan(220);
    mask.stroke({ x: -5, y: 10 }, { x: 60, y: 10 }, 30, false);
    expect(mask.share).toBe(0);
  });

  it('lets the editor’s own pictures through outside, value for value', () => {
    const [original, fresh] = [allocatePicture(5, 3), allocatePicture(5, 3)];
    original.y.fill(1);
    original.u.fill(2);
    original.v.fill(3);
    for (const plane of [fresh.y, fresh.u, fresh.v]) plane.fill(200);
    const data = new Uint8Array(15);
    data[7] = 255;
    const merged = keepOutside(original, fresh, { width: 5, height: 3, data });
    expect([...merged.y]).toEqual([...Array(7).fill(1), 200, ...Array(7).fill(1)]);
    expect([...merged.u]).toEqual([2, 200, 2, 2, 2, 2]);
    expect([...merged.v]).toEqual([3, 200, 3, 3, 3, 3]);
  });
});
