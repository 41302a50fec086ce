import { Subscription, auditTime, map, distinctUntilChanged, skip } from 'rxjs';
import type { MediaLibrary } from '../media/library.ts';
import { projectOf } from '../store/state.ts';
import type { StudioStore } from '../store/store.ts';
import type { Project } from '../timeline/project.ts';
import { projectFromJson, projectToJson } from './project-json.ts';
import type { ProjectStore } from './project-store.ts';

/** How long edits are collected before the project is written, ms. */
const DELAY = 400;

/** Keeps the project and its media on disk while it is edited, and brings them back. */
export class Autosave {
  private readonly subscription = new Subscription();
  private readonly saved = new Set<string>();
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: StudioStore,
    private readonly library: MediaLibrary,
    private readonly files: ProjectStore,
    private readonly onError: (error: unknown) => void,
  ) {}

  /**
   * Loads the project of the last visit.
   * @returns the project, null where there is none, and names of media whose files are gone: their clips stay in their places,
   *   until the editor chooses the file again or removes them
   */
  async restore(): Promise<{ project: Project | null; lost: string[] }> {
    const json = await this.files.readProject();
    const project = json === null ? null : projectFromJson(json);
    if (!project) return { project, lost: [] };
    const used = new Set(project.tracks.flatMap(({ clips }) => clips.map(({ mediaId }) => mediaId)));
    const media: Record<string, Project['media'][string]> = {};
    const lost: string[] = [];
    for (const item of Object.values(project.media)) {
      const blob = await this.files.readMedia(item.id);
      if (blob && blob.size > 0) {
        this.library.add(item.id, blob, item.name);
        this.saved.add(item.id);
      } else if (used.has(item.id)) {
        lost.push(item.name);
      } else {
        continue;
      }
      media[item.id] = item;
    }
    await this.files.keepOnly(new Set(Object.keys(media)));
    return { project: { ...project, media }, lost };
  }

  /** Starts to follow the store. */
  start(): void {
    this.subscription.add(
      this.store.state$
        .pipe(map(projectOf), distinctUntilChanged(), skip(1), auditTime(DELAY))
        .subscribe((project) => this.save(project)),
    );
  }

  /** Resolves when everything up to now is on disk. */
  async flush(): Promise<void> {
    this.save(projectOf(this.store.state));
    await this.writing;
  }

  dispose(): void {
    this.subscription.unsubscribe();
  }

  private save(project: Project): void {
    this.writing = this.writing
      .then(() => this.write(project))
      .catch((error: unknown) => this.onError(error));
  }

  /** Media first: a project on disk never names a file that is not there. */
  private async write(project: Project): Promise<void> {
    for (const item of Object.values(project.media)) {
      if (this.saved.has(item.id) || !this.library.has(item.id)) continue;
      await this.files.writeMedia(item.id, this.library.blob(item.id));
      this.saved.add(item.id);
      const copy = await this.files.readMedia(item.id);
      if (copy) this.library.replace(item.id, copy);
    }
    await this.files.writeProject(projectToJson(project));
  }
}
