import { BehaviorSubject } from 'rxjs';
import type { ClipSettings } from '../../batch/clip-settings.ts';
import type { PanelEngine } from '../../panel/services.ts';
import { PngEncoder } from '../media/png-encoder.ts';
import { download } from '../media/download.ts';
import { mayGoOn } from '../go-on.ts';
import { projectOf } from '../store/state.ts';
import type { Studio } from '../studio.ts';
import { BatchJob } from './batch-job.ts';
import { BatchFolder } from './batch-folder.ts';
import { CHUNK, MEMO, PageStore } from './page-store.ts';
import { FolderSink, ZipSink } from './result-sink.ts';
import { clipsForBatch, planClips, plannedItems } from './timeline-items.ts';

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

  private folder: BatchFolder | null = null;
  private readonly png = new PngEncoder();

  constructor(private readonly studio: Studio) {}

  /** Set by the window, which owns the panel. */
  engine: () => Promise<PanelEngine> = () => Promise.reject(new Error('There is no panel.'));

  /** Opens the dialog: for the job under way, or for the clips selected now. */
  open(): void {
    const { job } = this.view$.value;
    const unfinished = job?.running || job?.state$.value.status === 'cut-short';
    if (unfinished) this.change({ open: true });
    else this.change({ open: true, chosen: this.studio.store.state.selection, job: null });
  }

  /** Closes the dialog; a job under way goes on. */
  close(): void {
    this.change({ open: false });
  }

  /** Starts over with the settings after a job has ended; one that was cut short is given up. */
  again(): void {
    if (this.view$.value.job?.running) return;
    void this.folder?.close();
    this.change({ job: null, chosen: this.studio.store.state.selection });
  }

  /** Makes the previews. @param target where the files go; null = a zip among the downloads */
  async start(choice: BatchChoice, target: FileSystemDirectoryHandle | null): Promise<void> {
    if (this.view$.value.job?.running) return;
    const { variations, ...settings } = choice;
    const project = projectOf(this.studio.store.state);
    const clips = clipsForBatch(project, this.view$.value.chosen);
    const name = clips[0]?.label.replace(/\.[a-z0-9]{2,4}$/i, '').replace(/[\\/:*?"<>|]/g, '-');
    const title = `${name ?? project.name} previews`;
    const plan = { title, clips: planClips(project, clips), settings, variations, toFolder: target !== null };
    try {
      this.folder = await BatchFolder.create(plan);
    } catch (error) {
      this.studio.report(error);
      return;
    }
    await this.goOn(target);
  }

  /**
   * Looks for a batch that was under way when its page went away. One that goes into a zip goes on; one for a folder waits
   * for the editor, who has to choose it again.
   */
  async recall(): Promise<void> {
    this.folder = await BatchFolder.left().catch(() => null);
    if (!this.folder) return;
    const { plan, id } = this.folder;
    const names = await this.folder.names();
    const [previews, chunks] = [MEMO, CHUNK].map(
      (part) => names.filter((name) => name.includes(part)).length,
    );
    const may = mayGoOn('studio.batch.recalled', `${id} ${previews} ${chunks}`);
    if (may && !plan.toFolder) void this.goOn(null);
    else this.change({ job: this.jobFor(this.folder, null) });
  }

  /** Whether the present batch writes into a folder that the editor chooses. */
  get toFolder(): boolean {
    return this.folder?.plan.toFolder ?? false;
  }

  /** Makes what is missing of the present batch. @param target as for `start` */
  async goOn(target: FileSystemDirectoryHandle | null): Promise<void> {
    const { folder } = this;
    if (!folder || this.view$.value.job?.running) return;
    const job = this.jobFor(folder, target);
    this.change({ job });
    const running = job.run();
    await folder.keepPlan().catch((error: unknown) => this.studio.report(error));
    await running;
    // What the editor has ended need not go on by itself; what a fault has ended can.
    if (job.state$.value.status !== 'stopped') await folder.close();
    this.tellOutcome(job);
  }

  private jobFor(folder: BatchFolder, target: FileSystemDirectoryHandle | null): BatchJob {
    const { plan } = folder;
    const { title, settings, variations } = plan;
    const sink = target ? new FolderSink(target) : new ZipSink(`${title}.zip`, download);
    const store = new PageStore(folder, sink, this.png);
    const items = plannedItems(plan, this.studio.library);
    return new BatchJob({
      title,
      items,
      settings,
      variations,
      store,
      sink,
      png: this.png,
      engine: this.engine,
    });
  }

  dispose(): void {
    this.view$.value.job?.cancel();
    this.png.dispose();
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
