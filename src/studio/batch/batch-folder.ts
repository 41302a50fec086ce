import type { ClipSettings } from '../../batch/clip-settings.ts';
import { holdRollout, liveRollouts } from '../../panel/controller/rollout-lock.ts';
import { beginFile, readFile, writeFile, type Scratch } from '../persistence/private-file.ts';

/** All batches of this origin, each in a folder of its own. */
const HOME = 'studio-batches';
const PLAN = 'batch.json';
const LOCK = 'batch-';
const FULL = 'The disk space that this browser allows is used up: previews that are finished are kept.';

/** What a batch makes previews of. The range is in frames of the media. */
export interface PlannedClip {
  index: number;
  name: string;
  mediaId: string;
  startFrame: number;
  frameCount: number;
}

/** A batch as its editor asked for it: all that another page needs to go on with it. */
export interface BatchPlan {
  title: string;
  clips: readonly PlannedClip[];
  settings: Omit<ClipSettings, 'camera' | 'steps'>;
  variations: number;
  /** Whether its files go into a folder that the editor chooses, not into a zip. */
  toFolder: boolean;
}

/** The part of the browser's private storage where one batch keeps its plan and what it has made. */
export class BatchFolder {
  private constructor(
    readonly id: string,
    readonly plan: BatchPlan,
    private readonly folder: FileSystemDirectoryHandle,
  ) {}

  /** Begins the folder of a new batch. @throws LongtakeError `output` */
  static async create(plan: BatchPlan): Promise<BatchFolder> {
    const id = crypto.randomUUID();
    await holdRollout(LOCK + id);
    const folder = await (await home()).getDirectoryHandle(id, { create: true });
    return new BatchFolder(id, plan, folder);
  }

  /** The newest batch that its page did not finish, or null. Folders of batches that are done with are removed. */
  static async left(): Promise<BatchFolder | null> {
    const [all, live] = await Promise.all([home(), liveRollouts()]);
    const found: { batch: BatchFolder; begun: number }[] = [];
    const done: string[] = [];
    for await (const [id, handle] of all.entries()) {
      if (handle.kind !== 'directory' || live.has(LOCK + id)) continue;
      const file = await readFile(handle as FileSystemDirectoryHandle, PLAN);
      const plan = file && parsePlan(await file.text());
      if (!plan) done.push(id);
      else {
        const batch = new BatchFolder(id, plan, handle as FileSystemDirectoryHandle);
        found.push({ batch, begun: file.lastModified });
      }
    }
    const [newest, ...older] = found.sort((a, b) => b.begun - a.begun);
    for (const id of [...done, ...older.map(({ batch }) => batch.id)])
      await all.removeEntry(id, { recursive: true }).catch(() => undefined);
    if (newest) await holdRollout(LOCK + newest.batch.id);
    return newest?.batch ?? null;
  }

  /** From now on another page can go on with the batch. @throws LongtakeError `output` */
  keepPlan(): Promise<void> {
    return this.write(PLAN, new Blob([JSON.stringify(this.plan)]));
  }

  read(name: string): Promise<File | null> {
    return readFile(this.folder, name);
  }

  /** @throws LongtakeError `output` */
  write(name: string, blob: Blob): Promise<void> {
    return writeFile(this.folder, name, blob, FULL);
  }

  /** Removes a file, if it is there. */
  async remove(name: string): Promise<void> {
    await this.folder.removeEntry(name).catch(() => undefined);
  }

  /** @throws LongtakeError `output` */
  begin(name: string): Promise<Scratch> {
    return beginFile(this.folder, name, FULL);
  }

  /** Names of the files that are there. */
  async names(): Promise<string[]> {
    const names: string[] = [];
    for await (const name of this.folder.keys()) names.push(name);
    return names;
  }

  /** The batch need not be gone on with: its files stay until the next visit, because a download may still read them. */
  async close(): Promise<void> {
    await this.folder.removeEntry(PLAN).catch(() => undefined);
  }
}

async function home(): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(HOME, { create: true });
}

/** Written by this program, but perhaps by another version of it. */
function parsePlan(text: string): BatchPlan | null {
  try {
    const value = JSON.parse(text) as Partial<BatchPlan>;
    const whole =
      typeof value.title === 'string' &&
      Array.isArray(value.clips) &&
      typeof value.settings === 'object' &&
      typeof value.variations === 'number';
    return whole ? { ...(value as BatchPlan), toFolder: value.toFolder === true } : null;
  } catch {
    return null;
  }
}
