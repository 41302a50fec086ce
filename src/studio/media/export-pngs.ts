import { LongtakeError } from '../../engine/types.ts';
import { ZipWriter } from '../../media/zip-writer.ts';
import type { Project } from '../timeline/project.ts';
import { projectLength } from '../timeline/project.ts';
import { exportColour, timelinePictures, type ExportProgress } from './export-timeline.ts';
import type { MediaLibrary } from './library.ts';
import { PngEncoder } from './png-encoder.ts';

/**
 * Writes the whole timeline as a zip of numbered PNG files, one a frame, from 0 on.
 * @param name what the files are called, before their number
 * @returns number of frames written
 * @throws LongtakeError `input` (empty project, damaged media), `cancelled`; the target is then worthless
 */
export async function exportPngs(
  project: Project,
  library: MediaLibrary,
  name: string,
  write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
  { signal, onProgress }: ExportProgress,
): Promise<number> {
  const { format } = project;
  const total = projectLength(project);
  if (!format || total === 0) throw new LongtakeError('input', 'There is nothing on the timeline to export.');
  const colour = await exportColour(project, library);
  const zip = new ZipWriter(write);
  const png = new PngEncoder();
  const digits = Math.max(5, String(total - 1).length);
  let done = 0;
  try {
    for await (const picture of timelinePictures(project, format, library, colour, signal)) {
      if (signal.aborted) throw new LongtakeError('cancelled', 'The export was cancelled.');
      const file = await png.picture(picture, colour);
      await zip.add(`${name}.${String(done).padStart(digits, '0')}.png`, file);
      onProgress(++done, total);
    }
  } finally {
    png.dispose();
  }
  await zip.finish();
  return done;
}
