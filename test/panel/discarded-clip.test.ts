import { describe, expect, it } from 'vitest';
import type { ClipRecord } from '../../src/panel/clips/clip-record.ts';
import { frameFile, MemoryClipStore } from '../../src/panel/clips/clip-store.ts';
import { removeDiscarded } from '../../src/panel/controller/cut-short.ts';
import { DiscardedClip } from '../../src/panel/controller/discarded-clip.ts';
import { emptyPrefix } from '../../src/panel/hosts/clip-prefix.ts';
import { PanelStore } from '../../src/panel/state/store.ts';

const prefix = emptyPrefix({ width: 64, height: 48 }, { num: 24, den: 1 });

function record(id: string): ClipRecord {
  return {
    ...{ id, created: 1, state: 'finished', size: prefix.size, rate: prefix.rate, seconds: 1 },
    ...{ frameCount: 1, framesMade: 1, direction: 'forward', profile: 'draft', seed: 1, camera: null },
    ...{ prefix: { ...prefix, anchor: null }, report: null, inserted: false },
  };
}

/** A panel with two kept clips, the first on show. */
async function panel(clips = new MemoryClipStore()) {
  const store = new PanelStore();
  const errors: unknown[] = [];
  const discarded = new DiscardedClip(store, clips, (error) => errors.push(error));
  for (const id of ['a', 'b']) {
    await clips.saveRecord(record(id));
    await clips.write(id, frameFile(0), new Blob([id]));
  }
  store.dispatch({ type: 'clips', clips: await clips.list() });
  store.dispatch({ type: 'open', id: 'a' });
  const shown = () => store.state.clips.map(({ id }) => id).sort();
  const text = async (id: string) => (await clips.read(id, frameFile(0)))?.text();
  return { store, clips, discarded, errors, shown, text };
}

describe('a clip that was thrown away', () => {
  it('comes back with its frames, and is on show again where it was', async () => {
    const { discarded, shown, text, store, clips } = await panel();
    await discarded.hide(record('a'));
    expect(shown()).toEqual(['b']);
    expect(store.state.notice).toMatchObject({ undo: true, text: { key: 'discarded' } });
    expect(await discarded.bringBack()).toEqual(record('a'));
    expect(shown()).toEqual(['a', 'b']);
    expect(await text('a')).toBe('a');
    expect(await clips.list()).toEqual([record('a'), record('b')]);
    expect(store.state.notice).toBeNull();
    expect(await discarded.bringBack()).toBeNull();
  });

  it('goes once the offer does: dismissed, or something else was told', async () => {
    const { discarded, text, store, errors } = await panel();
    await discarded.hide(record('b'));
    expect(await text('b')).toBe('b');
    store.dispatch({ type: 'notice', notice: null });
    await expect.poll(() => text('b')).toBeUndefined();
    await discarded.hide(record('a'));
    store.dispatch({ type: 'notice', notice: { kind: 'done', text: { key: 'inserted' } } });
    await expect.poll(() => text('a')).toBeUndefined();
    expect(await discarded.bringBack()).toBeNull();
    expect(errors).toEqual([]);
  });

  it('goes when another one is thrown away', async () => {
    const { discarded, shown, text } = await panel();
    await discarded.hide(record('a'));
    await discarded.hide(record('b'));
    expect(await text('a')).toBeUndefined();
    expect(await discarded.bringBack()).toBeNull();
    expect(shown()).toEqual(['b']);
  });

  it('is not there any more for the next page, which removes it', async () => {
    const { discarded, clips, text } = await panel();
    await discarded.hide(record('a'));
    await removeDiscarded(clips);
    expect(await clips.list()).toEqual([record('b')]);
    expect(await text('a')).toBeUndefined();
    expect(await text('b')).toBe('b');
  });

  it('goes at once where there is no room for a mark', async () => {
    class Full extends MemoryClipStore {
      override async saveRecord(clip: ClipRecord): Promise<void> {
        if (clip.discarded) throw new Error('There is no room.');
        return super.saveRecord(clip);
      }
    }
    const { discarded, shown, text, store } = await panel(new Full());
    await discarded.hide(record('a'));
    expect(shown()).toEqual(['b']);
    expect(await text('a')).toBeUndefined();
    expect(store.state.notice).toBeNull();
  });
});
