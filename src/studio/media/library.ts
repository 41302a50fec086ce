import { BlobSource } from 'mediabunny';
import { LongtakeError } from '../../engine/types.ts';
import type { Clip as OpenClip } from '../../media/open-clip.ts';
import { openClip } from '../../media/open-clip.ts';
import type { MediaItem } from '../timeline/project.ts';

/** Bytes of the project's media, by id, and one opened reader for each that is in use. */
export class MediaLibrary {
  private readonly files = new Map<string, { blob: Blob; name: string }>();
  private readonly opened = new Map<string, Promise<OpenClip>>();

  /** Takes in a file under an id that its content never leaves. */
  add(id: string, blob: Blob, name: string): void {
    this.files.set(id, { blob, name });
  }

  /**
   * Reads from another copy of the same bytes from now on: the file that the user chose may be moved or deleted. Readers
   * that are open go on with the old copy.
   */
  replace(id: string, copy: Blob): void {
    const file = this.files.get(id);
    if (!file) return;
    this.files.set(id, { ...file, blob: copy });
    this.opened.delete(id);
  }

  has(id: string): boolean {
    return this.files.has(id);
  }

  /** @throws LongtakeError `input` where the file has gone */
  blob(id: string): Blob {
    const file = this.files.get(id);
    if (!file) throw new LongtakeError('input', 'The media of this clip is missing; add the file again.');
    return file.blob;
  }

  /** The shared reader of a media item; opened at the first call. */
  open(id: string): Promise<OpenClip> {
    const known = this.opened.get(id);
    if (known) return known;
    const name = this.files.get(id)?.name ?? 'This clip';
    const opening = Promise.resolve().then(() => openClip(new BlobSource(this.blob(id)), name));
    // A failed opening must not be remembered: the file may come back.
    opening.catch(() => this.opened.delete(id));
    this.opened.set(id, opening);
    return opening;
  }

  /**
   * Reads a file's facts and keeps it.
   * @returns what the timeline needs to know, and sentences for the user
   * @throws LongtakeError `input` where it is no video that can be used
   */
  async import(id: string, blob: Blob, name: string): Promise<{ item: MediaItem; notices: string[] }> {
    this.add(id, blob, name);
    try {
      const { facts } = await this.open(id);
      const { rate, frameCount, size, notices } = facts;
      return { item: { id, name, rate, frameCount, width: size.width, height: size.height }, notices };
    } catch (error) {
      this.files.delete(id);
      throw error;
    }
  }

  /** Lets go of a file that nothing on the timeline can come back to. */
  forget(id: string): void {
    this.opened.get(id)?.then(
      (clip) => clip.dispose(),
      () => undefined,
    );
    this.opened.delete(id);
    this.files.delete(id);
  }

  dispose(): void {
    for (const opening of this.opened.values()) {
      opening.then(
        (clip) => clip.dispose(),
        () => undefined,
      );
    }
    this.opened.clear();
    this.files.clear();
  }
}
