import { BehaviorSubject } from 'rxjs';
import type { ClipSettings } from '../../batch/clip-settings.ts';
import { contactPage } from '../../batch/contact-page.ts';
import { inOrder, type BatchItem, type BatchOutcome, type BatchStore } from '../../batch/preview.ts';
import { batchReport, sheetStrips } from '../../batch/report.ts';
import { runBatch, type BatchProgress } from '../../batch/run-batch.ts';
import { LongtakeError } from '../../engine/types.ts';
import type { PanelEngine } from '../../panel/services.ts';
import type { PngEncoder } from '../media/png-encoder.ts';
import type { ResultSink } from './result-sink.ts';

/** One clip of a batch, as the dialog shows it. */
export interface BatchRow {
  index: number;
  name: string;
  status: 'waiting' | 'making' | 'done' | 'failed';
  /** What is being done, what came out, or why it failed. */
  words: string;
}

/** `stopped`: by a fault that every clip would meet. `cut-short`: its page went away, and it does not run yet. */
export interface BatchJobState {
  status: 'cut-short' | 'running' | 'saving' | 'finished' | 'cancelled' | 'stopped';
  rows: readonly BatchRow[];
  /** Of the whole batch, 0…1. */
  fraction: number;
  secondsLeft: number | null;
  /** Previews made so far. */
  made: number;
  /** Where everything is, or what stopped the batch. */
  words: string;
}

export interface BatchJobOptions {
  title: string;
  items: readonly BatchItem[];
  settings: Omit<ClipSettings, 'camera' | 'steps'>;
  variations: number;
  store: BatchStore;
  sink: ResultSink;
  png: PngEncoder;
  engine(): Promise<PanelEngine>;
}

const PHASES: Record<BatchProgress['phase'], string> = {
  copying: 'Copying the clip',
  reading: 'Reading the clip',
  priming: 'Looking at the clip',
  generating: 'Making new frames',
  writing: 'Writing the file',
};

/** A batch that runs in the page: `runBatch` with rows to look at. Runs once. */
export class BatchJob {
  readonly state$: BehaviorSubject<BatchJobState>;
  private readonly abort = new AbortController();
  private readonly outcomes: BatchOutcome[] = [];

  constructor(private readonly options: BatchJobOptions) {
    const rows = options.items.map(({ index, name }): BatchRow => {
      return { index, name, status: 'waiting', words: 'Waiting' };
    });
    this.state$ = new BehaviorSubject<BatchJobState>({
      status: 'cut-short',
      rows,
      fraction: 0,
      secondsLeft: null,
      made: 0,
      words: 'This batch was cut short when its page went away. Finished previews are kept.',
    });
  }

  get running(): boolean {
    const { status } = this.state$.value;
    return status === 'running' || status === 'saving';
  }

  /** Makes the previews and hands everything over. Errors end up in the state. */
  async run(): Promise<void> {
    const { items, store, variations } = this.options;
    const { signal } = this.abort;
    this.change({ status: 'running', words: '' });
    try {
      const engine = await this.options.engine();
      await runBatch(items, {
        store,
        variations,
        signal,
        load: async () => {
          const { backend } = await engine.load(signal, (fraction) => {
            this.change({ words: `Loading the model, ${Math.round(100 * fraction)} %` });
          });
          this.change({ words: '' });
          return { backend, extend: (request) => engine.extend(request) };
        },
        release: (primed) => engine.release(primed),
        onProgress: (progress) => this.progress(progress),
        onOutcome: (outcome) => this.outcome(outcome),
      });
      await this.deliver('finished');
    } catch (error) {
      const rows = this.state$.value.rows.map((row): BatchRow => {
        return row.status === 'making' || row.status === 'waiting'
          ? { ...row, status: 'waiting', words: 'Not made' }
          : row;
      });
      const cancelled = signal.aborted;
      const words = cancelled ? 'Cancelled.' : wordsOf(error);
      this.change({ status: cancelled ? 'cancelled' : 'stopped', rows, secondsLeft: null, words });
    }
  }

  /** Stops after the pass that is being computed; finished previews stay. */
  cancel(): void {
    this.abort.abort();
  }

  /** After a cancel or a fault: hands over what was made. */
  async saveMade(): Promise<void> {
    const { status } = this.state$.value;
    if (status !== 'cancelled' && status !== 'stopped') return;
    await this.deliver(status).catch((error: unknown) => this.change({ status, words: wordsOf(error) }));
  }

  /** Adds the sheets and the report, and finishes. */
  private async deliver(status: 'finished' | 'cancelled' | 'stopped'): Promise<void> {
    const { title, settings, variations, sink, png } = this.options;
    this.change({ status: 'saving', fraction: 1, secondsLeft: null, words: '' });
    const head = { project: title, variations, settings: { ...settings, content: ['extended'] } };
    const outcomes = inOrder(this.outcomes);
    const report = JSON.stringify(batchReport(head, outcomes), null, 2);
    await sink.put('contact-sheet.png', await png.sheet(sheetStrips(outcomes, variations)));
    await sink.put(
      'contact-sheet.html',
      new Blob([contactPage(title, outcomes, variations)], { type: 'text/html' }),
    );
    await sink.put('report.json', new Blob([`${report}\n`], { type: 'application/json' }));
    this.change({ status, words: await sink.finish() });
  }

  private progress(progress: BatchProgress): void {
    const { preview, together, phase, done, total, fraction, batchSecondsLeft } = progress;
    const { variations } = this.options;
    const each = variations > 1 ? `Variation ${preview.variation} of ${variations}: ` : '';
    const which = together > 1 ? `${together} variations together: ` : each;
    const words = `${which}${PHASES[phase]}, ${done} of ${total}`;
    this.row(preview.item, { status: 'making', words });
    this.change({ fraction, secondsLeft: batchSecondsLeft });
  }

  private outcome(outcome: BatchOutcome): void {
    this.outcomes.push(outcome);
    const { item } = outcome.preview;
    if (outcome.status === 'failed') {
      this.row(item, { status: 'failed', words: outcome.error.message });
      return;
    }
    const made = this.state$.value.made + 1;
    this.change({ made });
    const mine = this.outcomes.filter(({ preview }) => preview.item === item).length;
    const all = mine === this.options.variations;
    this.row(item, { status: all ? 'done' : 'making', words: `${mine} of ${this.options.variations} made` });
  }

  private row(item: BatchItem, change: Partial<BatchRow>): void {
    const rows = this.state$.value.rows.map((row) =>
      row.index === item.index ? { ...row, ...change } : row,
    );
    this.change({ rows });
  }

  private change(change: Partial<BatchJobState>): void {
    this.state$.next({ ...this.state$.value, ...change });
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof LongtakeError) return error.message;
  return `Something went wrong (${error instanceof Error ? error.message : String(error)}).`;
}
