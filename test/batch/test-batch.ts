import { readdir } from 'node:fs/promises';
import { expect } from 'vitest';
import type { ClipSettings } from '../../src/batch/clip-settings.ts';
import { FolderStore } from '../../src/batch/node/folder-store.ts';
import type { BatchItem, BatchOutcome, BatchStore } from '../../src/batch/preview.ts';
import { runBatch, type BatchOptions, type BatchProgress } from '../../src/batch/run-batch.ts';
import type { PrimedPrefix } from '../../src/engine/tasks/extend-request.ts';
import { openClipFile } from '../../src/media/node/clip-file.ts';
import type { PacedEngine } from './paced-engine.ts';

/** New frames of each preview. */
export const FRAMES = 4;
/** A batch of painted clips that writes down what happens to it. The seeds of clip 1 begin at 10, of clip 2 at 20. */
export class TestBatch {
  readonly told: BatchOutcome[] = [];
  readonly progress: BatchProgress[] = [];
  readonly released: PrimedPrefix[] = [];
  /** Of open previews and of clips. */
  readonly open = { previews: 0, most: 0, clips: 0, disposed: 0 };
  readonly cancel = new AbortController();
  readonly kept: FolderStore;

  /**
   * @param path of the clip that is extended
   * @param out folder of the results
   */
  constructor(
    private readonly path: string,
    readonly out: string,
    readonly engine: PacedEngine,
    private readonly ask: { clips: number; variations: number; settings: Partial<ClipSettings> },
  ) {
    this.kept = new FolderStore({
      folder: this.out,
      content: ['extended'],
      template: '{index}-{variation}',
      inputs: [],
      fingerprint: async ({ item: { index }, seed }) => `${index} ${seed}`,
    });
  }

  async run(change: Partial<BatchOptions> = {}): Promise<BatchOutcome[]> {
    await this.kept.prepare();
    return runBatch(
      Array.from({ length: this.ask.clips }, (_, index) => this.#item(index + 1)),
      {
        store: {
          finished: (preview) => this.kept.finished(preview),
          begin: (preview) => this.begin(preview),
        },
        load: async () => this.engine,
        release: (primed) => this.released.push(primed),
        variations: this.ask.variations,
        signal: this.cancel.signal,
        onProgress: (progress) => this.progress.push(progress),
        onOutcome: (outcome) => this.told.push(outcome),
        ...change,
      },
    );
  }

  readonly begin: BatchStore['begin'] = async (preview) => {
    this.open.most = Math.max(this.open.most, ++this.open.previews);
    const open = await this.kept.begin(preview);
    return {
      ...open,
      discard: async () => {
        await open.discard();
        this.open.previews--;
      },
    };
  };

  /** What is in the folder beside the store's own. */
  async files(): Promise<string[]> {
    return (await readdir(this.out)).filter((name) => name !== '.longtake').sort();
  }

  /** Whatever came of it, everything that was taken is given back, once. */
  expectTidy(): void {
    expect(this.engine.underWay).toBe(0);
    expect(this.open).toMatchObject({ previews: 0, disposed: this.open.clips });
    expect(this.released).toEqual(this.engine.primed);
    const fractions = this.progress.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  }

  #item(index: number): BatchItem {
    return {
      index,
      name: `clip ${index}`,
      settings: {
        ...{ seconds: FRAMES / 12, profile: 'preview', direction: 'forward', steps: null, camera: null },
        seed: 10 * index,
        ...this.ask.settings,
      },
      open: async (signal) => {
        const clip = await openClipFile(this.path, signal);
        const dispose = clip.dispose.bind(clip);
        this.open.clips++;
        clip.dispose = () => {
          this.open.disposed++;
          dispose();
        };
        return { clip, start: 0, count: clip.facts.frameCount, notices: [] };
      },
    };
  }
}
