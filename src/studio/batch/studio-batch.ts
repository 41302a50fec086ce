import { BehaviorSubject } from 'rxjs';
import type { ClipSettings } from '../../batch/clip-settings.ts';
import { defaultTemplate } from '../../batch/names.ts';
import type { PanelEngine } from '../../panel/services.ts';
import { download } from '../media/download.ts';
import type { ProjectStore } from '../persistence/project-store.ts';
import { projectOf } from '../store/state.ts';
import type { Studio } from '../studio.ts';
import { BatchJob } from './batch-job.ts';
import { PageStore } from './page-store.ts';
import { FolderSink, ZipSink } from './result-sink.ts';
import { clipsForBatch, timelineItems } from './timeline-items.ts';

/** What the editor chooses for a batch. */
export type BatchChoice = Omit<ClipSettings, 'camera' | 'steps'> & { variations: number };

/** Studio's batch: the dialog over it, and the one job that may run behind the dialog. */
export interface BatchView {
  open: boolean;
  /** Clips that were selected when the dialog was opened; empty = the whole project. */
  chosen: ReadonlySet<string>;
  job: BatchJob | null;
}

declare global {
  interface Window {
    /** Not in every browser. */
    showDirectoryPicker?(options: { mode: 'readwrite' }): Promise<FileSystemDirectoryHandle>;
  }
}

/** Batch previews in Studio. */
export class StudioBatch {
  readonly view$ = new BehaviorSubject<BatchView>({ open: false, chosen: new Set(), job: null });

  /**
   * @param engine the panel's, so that one loaded model serves both
   * @param scratch begins a file in the browser's private storage
   */
  constructor(
    private readonly studio: Studio,
    private readonly scratch: () => ReturnType<ProjectStore['scratch']>,
  ) {}

  /** Set by the window, which owns the panel. */
  engine: () => Promise<PanelEngine> = () => Promise.reject(new Error('There is no panel.'));

  /** Opens the dialog: for the job under way, or for the clips selected now. */
  open(): void {
    const { job } = this.view$.value;
    if (job?.running) this.change({ open: true });
    else this.change({ open: true, chosen: this.studio.store.state.selection, job: null });
  }

  /** Closes the dialog; a job under way goes on. */
  close(): void {
    this.change({ open: false });
  }

  /** Starts over with the settings after a job has ended. */
  again(): void {
    if (!this.view$.value.job?.running) this.change({ job: null });
  }

  /** Makes the previews. @param folder where the files go; null = a zip among the downloads */
  async start(choice: BatchChoice, folder: FileSystemDirectoryHandle | null): Promise<void> {
    if (this.view$.value.job?.running) return;
    const { variations, ...settings } = choice;
    const project = projectOf(this.studio.store.state);
    const clips = clipsForBatch(project, this.view$.value.chosen);
    const name = clips[0]?.label.replace(/\.[a-z0-9]{2,4}$/i, '').replace(/[\\/:*?"<>|]/g, '-');
    const title = `${name ?? project.name} previews`;
    const sink = folder ? new FolderSink(folder) : new ZipSink(`${title}.zip`, download);
    const store = new PageStore(defaultTemplate(variations), this.scratch, sink);
    const items = timelineItems(project, clips, this.studio.library, {
      ...settings,
      steps: null,
      camera: null,
    });
    const engine = this.engine;
    const job = new BatchJob({ title, items, settings, variations, store, sink, engine });
    this.change({ job });
    await job.run();
    this.tellOutcome(job);
    if (folder) await store.clear();
  }

  dispose(): void {
    this.view$.value.job?.cancel();
  }

  /** Where the dialog is closed, nobody would see how a job ended. */
  private tellOutcome(job: BatchJob): void {
    if (this.view$.value.open) return;
    const { status, words } = job.state$.value;
    const tone = status === 'stopped' ? 'negative' : 'positive';
    this.studio.store.dispatch({ type: 'notice', tone, text: `Batch preview: ${words}` });
  }

  private change(change: Partial<BatchView>): void {
    this.view$.next({ ...this.view$.value, ...change });
  }
}
