import type { SheetStrip } from '../media/contact-sheet.ts';
import { titleOf, type BatchOutcome } from './preview.ts';

/** What was asked of a batch, as the report tells it. */
export interface BatchReportHead {
  project: string;
  variations: number;
  settings: Readonly<Record<string, unknown>>;
}

/**
 * `report.json`: the settings, how many previews were made, kept and failed, and an entry for each.
 * @param place names of the tracks around a clip of the project, where it has any
 */
export function batchReport(
  { project, variations, settings }: BatchReportHead,
  outcomes: readonly BatchOutcome[],
  place: (outcome: BatchOutcome) => readonly string[] | undefined = () => undefined,
) {
  const count = (status: BatchOutcome['status']): number =>
    outcomes.filter((outcome) => outcome.status === status).length;
  return {
    project,
    settings: { ...settings, variations },
    done: count('done'),
    kept: count('kept'),
    failed: count('failed'),
    clips: outcomes.map((outcome) => {
      const { item, variation, seed } = outcome.preview;
      const head = {
        index: item.index,
        name: item.name,
        place: place(outcome),
        variation,
        seed,
        seconds: item.settings.seconds,
        status: outcome.status,
      };
      if (outcome.status === 'failed') return { ...head, error: outcome.error.message };
      return { ...head, ...outcome.result, tiles: undefined };
    }),
  };
}

/** The strips of the contact sheet as a picture. */
export function sheetStrips(outcomes: readonly BatchOutcome[], variations: number): SheetStrip[] {
  return outcomes.map((outcome) => {
    const title = titleOf(outcome, variations);
    if (outcome.status === 'failed') return { title, note: outcome.error.message, tiles: [] };
    return { title, note: factsOf(outcome), tiles: outcome.result.tiles };
  });
}

/** `24 new frames, 640×360, 24 fps`. */
export function factsOf({ result }: Extract<BatchOutcome, { status: 'done' | 'kept' }>): string {
  const { frames, rate, size } = result;
  return `${frames} new ${frames === 1 ? 'frame' : 'frames'}, ${size.width}×${size.height}, ${rate} fps`;
}
